"""Anthropic's models over real sockets, against a local server that speaks their protocol."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from cortex.errors import ModelAnswerError, ModelRejectedError, ModelUnavailableError
from cortex.models.budget import Price
from cortex.models.calls import CallOutcome, ModelCall
from cortex.models.choose import open_model
from cortex.models.config import ModelConfig
from cortex.models.port import FileEntry, Model, PlanRequest
from cortex.models.retrying import RetryPolicy
from tests.support.anthropic_replies import babble, broken_off, cut, refused, said
from tests.support.openai_server import (
    OpenAIServer,
    Reply,
    malformed,
    running_openai_server,
    silent,
)

KEY = "sk-ant-test-0123456789abcdef"
REQUEST = PlanRequest(task="add a greeting", files=(FileEntry(path="app.py", size_bytes=12),))
PLAN: dict[str, Any] = {
    "tasks": [{"key": "a", "title": "Greet", "why": "asked", "paths": ["app.py"]}],
    "rationale": "one file",
    "confidence": 0.8,
}
OVERLOADED = refused(529, "overloaded_error")
LIMITED = refused(429, "rate_limit_error", retry_after="0")


@dataclass(frozen=True, slots=True)
class Talk:
    model: Model
    server: OpenAIServer
    calls: list[ModelCall]


@asynccontextmanager
async def talking(*replies: Reply, **settings: Any) -> AsyncIterator[Talk]:
    calls: list[ModelCall] = []

    async def listen(call: ModelCall) -> None:
        calls.append(call)

    async with running_openai_server(replies) as server:
        quick = RetryPolicy(max_attempts=3, first_delay=timedelta(milliseconds=1))
        usual = {"policy": quick, "timeout": timedelta(seconds=20)}
        config = ModelConfig(
            name="anthropic:test-model",
            api_key=KEY,
            base_url=server.url.removesuffix("/v1"),
            **{**usual, **settings},
        )
        async with open_model(config, listener=listen) as model:
            yield Talk(model, server, calls)


async def test_good_answer_becomes_a_plan() -> None:
    """Tokens and price are reported."""
    price = Price(Decimal(2), Decimal(10))
    async with talking(said(PLAN, input_tokens=500, output_tokens=30), price=price) as talk:
        plan = await talk.model.plan(REQUEST)
    assert [one.paths for one in plan.tasks] == [("app.py",)]
    assert talk.server.paths == ["/v1/messages"]
    assert talk.server.authorizations == [f"Bearer {KEY}"]
    [call] = talk.calls
    assert (call.input_tokens, call.output_tokens, call.cost_microusd) == (500, 30, 1300)
    assert call.model_name == "anthropic:test-model"


@pytest.mark.parametrize(
    ("bad", "outcome"),
    [
        (LIMITED, CallOutcome.RATE_LIMITED),
        (OVERLOADED, CallOutcome.UNAVAILABLE),
        (refused(500, "api_error"), CallOutcome.UNAVAILABLE),
        (broken_off(PLAN), CallOutcome.UNAVAILABLE),
        (malformed(), CallOutcome.MALFORMED),
    ],
)
async def test_passing_failure_is_overcome(bad: Reply, outcome: CallOutcome) -> None:
    async with talking(bad, said(PLAN)) as talk:
        assert (await talk.model.plan(REQUEST)).tasks
    assert [one.outcome for one in talk.calls] == [outcome, CallOutcome.OK]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (LIMITED, "too many requests (HTTP 429, rate_limit_error)"),
        (OVERLOADED, "the provider failed (HTTP 529, overloaded_error)"),
        (broken_off(PLAN), "the connection broke before the answer was whole"),
    ],
)
async def test_failure_that_stays_is_named(bad: Reply, words: str) -> None:
    async with talking(bad) as talk:
        with pytest.raises(ModelUnavailableError) as raised:
            await talk.model.plan(REQUEST)
    assert words in str(raised.value)
    assert len(talk.calls) == 3


async def test_silence_ends() -> None:
    async with talking(silent(), timeout=timedelta(milliseconds=50)) as talk:
        with pytest.raises(ModelUnavailableError, match="did not answer in time"):
            await talk.model.plan(REQUEST)


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, "authentication_error", "the key is not accepted"),
        (404, "not_found_error", "no such model"),
        (400, "invalid_request_error", "refuses the request"),
    ],
)
async def test_refusal_is_not_tried_again(status: int, kind: str, words: str) -> None:
    async with talking(refused(status, kind)) as talk:
        with pytest.raises(ModelRejectedError, match=words):
            await talk.model.plan(REQUEST)
    assert [one.outcome for one in talk.calls] == [CallOutcome.REJECTED]


async def test_rubbish_for_ever_ends() -> None:
    async with talking(babble()) as talk:
        with pytest.raises(ModelAnswerError, match="cannot be used"):
            await talk.model.plan(REQUEST)
    assert len(talk.server.requests) == 3


async def test_half_an_answer_is_not_taken_for_a_whole_one() -> None:
    """What was cut at the limit may still have the shape of a plan."""
    async with talking(cut(PLAN)) as talk:
        with pytest.raises(ModelAnswerError, match="cut at the most output tokens"):
            await talk.model.plan(REQUEST)
    assert len(talk.server.requests) == 1
