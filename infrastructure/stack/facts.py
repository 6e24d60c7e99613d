"""Gathers what `doctor` judges: asks the running stack, looks at the home, reads versions."""

import asyncio
import importlib.util
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from importlib import metadata
from operator import itemgetter
from pathlib import Path
from typing import Any
from urllib.parse import quote

from infrastructure.stack.doctor import Facts, StreamFacts
from infrastructure.stack.http_probe import http_get
from infrastructure.stack.plan import is_dashboard_installed, nats_server_binary
from infrastructure.stack.remote import stack_status
from nervous_system.errors import ConfigError, SwarmError
from nervous_system.home import Home

PROBE_TIMEOUT_SECONDS = 5.0
PACKAGES = ("enchanted-swarm", "nats-py", "clickhouse-connect", "protobuf", "chdb")
INGESTED = "select stream, max(stream_seq) as newest from swarm.events group by stream"
MOMENT = "select version() as version, toUnixTimestamp64Micro(now64(6)) as now"
PRIVATE_FILES = ("credentials.json", "redaction.key", "stack.json", "nats/nats-server.conf")


async def gather_facts(home: Home) -> Facts:
    """Return what can be found out about this home now."""
    status = await stack_status(home)
    record = status.record
    asked = await _ask(record) if record else {}
    return Facts(
        home=str(home.root),
        is_running=bool(record),
        trouble=status.trouble,
        syncs_always=asked.get("syncs_always"),
        free_bytes=_free_bytes(home),
        streams=asked.get("streams", ()),
        versions={**_package_versions(), "nats-server": _nats_server_version(), **_engine(asked)},
        clock_difference=asked.get("clocks", {}),
        modes=dict(_modes(home)),
        has_pages=_has_pages(),
    )


async def _ask(record: Mapping[str, Any]) -> dict[str, Any]:
    jetstream, moment, ingested = await asyncio.gather(
        _nats_json(record, "?streams=true&config=true"),
        _history_rows(record, MOMENT),
        _history_rows(record, INGESTED),
    )
    asked: dict[str, Any] = {"clocks": {}}
    if jetstream is not None:
        asked["syncs_always"] = bool(jetstream["config"].get("sync_always"))
        asked["clocks"]["nats"] = _since(datetime.fromisoformat(jetstream["now"]))
        asked["streams"] = await _streams(record, jetstream, ingested)
    if moment:
        asked["engine"] = moment[0]["version"]
        now = datetime.fromtimestamp(int(moment[0]["now"]) / 1e6, UTC)
        asked["clocks"]["history"] = _since(now)
    return asked


async def _streams(
    record: Mapping[str, Any],
    jetstream: Mapping[str, Any],
    ingested: list[dict[str, Any]] | None,
) -> list[StreamFacts]:
    from infrastructure.ingestor.config import DEFAULT_STREAMS  # brings the driver, which is slow

    newest = {row["stream"].partition("@")[0]: int(row["newest"]) for row in ingested or []}
    found = []
    for stream in listed_streams(jetstream):
        is_ingested = stream["name"] in DEFAULT_STREAMS
        known = newest.get(stream["name"], 0) if ingested is not None and is_ingested else None
        found.append(_stream(stream, known, await _waiting_age(record, stream, known)))
    return found


def listed_streams(jetstream: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what `/jsz?streams=true` says of each stream, by name: it has no order of its own."""
    accounts = jetstream.get("account_details", [])
    streams = [stream for account in accounts for stream in account.get("stream_detail", [])]
    return sorted(streams, key=itemgetter("name"))


def _stream(
    stream: Mapping[str, Any], ingested: int | None, waiting_age: timedelta | None
) -> StreamFacts:
    config, state = stream["config"], stream["state"]
    return StreamFacts(
        name=stream["name"],
        first_sequence=state["first_seq"],
        last_sequence=state["last_seq"],
        bytes=state["bytes"],
        max_bytes=config["max_bytes"],
        refuses_when_full=config["discard"] == "new",
        max_age=timedelta(microseconds=config["max_age"] // 1000),
        ingested_sequence=ingested,
        oldest_waiting_age=waiting_age,
    )


async def _waiting_age(
    record: Mapping[str, Any], stream: Mapping[str, Any], ingested: int | None
) -> timedelta | None:
    """Return the age of the oldest message that history does not have."""
    state = stream["state"]
    if ingested is None or ingested >= state["last_seq"]:
        return None
    # only now, and only for a stream that lags: the driver takes a while to import
    import nats.errors
    import nats.js.errors

    from nervous_system.comms.connection import open_nats

    sequence = max(ingested + 1, state["first_seq"])
    with suppress(SwarmError, nats.errors.Error, nats.js.errors.Error):
        async with open_nats(record["nats_url"], name="swarm doctor") as client:
            message = await client.jetstream().get_msg(stream["name"], sequence)
            if message.time is not None:
                return datetime.now(UTC) - message.time
    return None


async def _nats_json(record: Mapping[str, Any], query: str) -> dict[str, Any] | None:
    url = f"{record['metrics']['nats']}{query}"
    answer = await http_get(url, timeout=PROBE_TIMEOUT_SECONDS)
    if answer is None:
        return None
    content: dict[str, Any] = json.loads(answer.body)
    return content


async def _history_rows(record: Mapping[str, Any], sql: str) -> list[dict[str, Any]] | None:
    base = str(record["clickhouse_url"]).rsplit("/", 1)[0]
    url = f"{base}/?query={quote(f'{sql} format JSONEachRow')}"
    answer = await http_get(url, timeout=PROBE_TIMEOUT_SECONDS)
    if answer is None or answer.status != 200:
        return None
    return [json.loads(line) for line in answer.body.splitlines() if line.strip()]


def _since(moment: datetime) -> timedelta:
    return moment - datetime.now(UTC)


def _free_bytes(home: Home) -> int | None:
    with suppress(FileNotFoundError):
        return shutil.disk_usage(home.nats).free
    return None


def _has_pages() -> bool | None:
    found = importlib.util.find_spec("mission_control") if is_dashboard_installed() else None
    if found is None or found.origin is None:
        return None
    return Path(found.origin).with_name("server").joinpath("static", "index.html").is_file()


def _package_versions() -> dict[str, str | None]:
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return versions


def _nats_server_version() -> str | None:
    try:
        said = subprocess.run(
            [nats_server_binary(), "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (ConfigError, OSError, subprocess.CalledProcessError):
        return None
    return said.strip().rpartition("v")[2]


def _engine(asked: Mapping[str, Any]) -> dict[str, str]:
    return {"clickhouse": asked["engine"]} if "engine" in asked else {}


def _modes(home: Home) -> Iterator[tuple[str, int]]:
    paths = [home.root, *(home.root / name for name in PRIVATE_FILES)]
    for path in paths:
        with suppress(FileNotFoundError):
            yield str(path), stat.S_IMODE(os.stat(path).st_mode)
