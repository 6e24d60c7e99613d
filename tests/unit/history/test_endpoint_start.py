"""What history answers before its schema is up to date."""

import asyncio
import base64
from pathlib import Path

import pytest

from infrastructure.history.owner.engine import Engine
from infrastructure.history.owner.http1 import Request
from infrastructure.history.owner.metrics import Metrics
from infrastructure.history.owner.service import Endpoint


@pytest.mark.parametrize("user", ["history_writer", "history_reader"])
async def test_nobody_is_let_in_before_the_schema_is_up_to_date(tmp_path: Path, user: str) -> None:
    """Not the ingestor either: it would find tables missing and take that for a fault."""
    endpoint = Endpoint(Engine(tmp_path), {user: "secret"}, Metrics())
    pair = base64.b64encode(f"{user}:secret".encode()).decode()
    answer = await endpoint.handle(
        Request(
            method="GET",
            path="/",
            query=[("query", "select 1")],
            headers={"authorization": f"Basic {pair}"},
            body=b"",
            gone=asyncio.Event(),
        )
    )
    assert answer.status == 503
    assert b"History is starting" in bytes(answer.body)  # type: ignore[arg-type]
