"""Language models over real sockets, against a local server that speaks OpenAI's protocol."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cortex.errors import (
    BudgetExceededError,
    ModelAnswerError,
    ModelRejectedError,
    ModelUnavailableError,
)
from cortex.models.budget import Budget, Price, Spending
from cortex.models.calls import CallOutcome, ModelCall
from cortex.models.choose import open_model
from cortex.models.config import ModelConfig
from cortex.models.port import (
    ChangeRequest,
    CheckResult,
    FileEntry,
    Model,
    PlannedTask,
    PlanRequest,
    ReviewRequest,
)
from cortex.models.retrying import RetryPolicy
from tests.support.eventually import eventually
from tests.support.openai_server import (
    OpenAIServer,
    Reply,
    answer,
    cut_short,
    failure,
    malformed,
    rubbish,
    running_openai_server,
    silent,
    truncated,
    without_usage,
)

KEY = "sk-test-0123456789abcdef"
REQUEST = PlanRequest(task="add a greeting", files=(FileEntry(path="app.py", size_bytes=12),))
PLAN: dict[str, Any] = {
    "tasks": [{"key": "a", "title": "Greet", "why": "asked", "paths": ["app.py"]}],
    "rationale": "one file",
    "confidence": 0.8,
}
TASK = PlannedTask(key="a", title="Greet", why="asked", paths=("app.py", "new.py"))


class Talk:
    """A model, the server that it talks to, and the calls that it reported."""

    def __init__(self, model: Model, server: OpenAIServer, calls: list[ModelCall]) -> None:
        self.model = model
        self.server = server
        self.calls = calls

    def outcomes(self) -> list[CallOutcome]:
        return [one.outcome for one in self.calls]


@asynccontextmanager
async def talking(
    *replies: Reply, spent: Spending | None = None, **settings: Any
) -> AsyncIterator[Talk]:
    calls: list[ModelCall] = []

    async def listen(call: ModelCall) -> None:
        calls.append(call)

    async with running_openai_server(replies) as server:
        quick = RetryPolicy(max_attempts=3, first_delay=timedelta(milliseconds=1))
        config = ModelConfig(
            name="openai:test-model",
            api_key=KEY,
            base_url=server.url,
            **{"policy": quick, "timeout": timedelta(seconds=20), **settings},
        )
        async with open_model(config, listener=listen, spent=spent) as model:
            yield Talk(model, server, calls)


async def test_good_answer_becomes_a_plan() -> None:
    """The structured output of the protocol arrives as the port's record."""
    async with talking(answer(PLAN)) as talk:
        plan = await talk.model.plan(REQUEST)
    assert [one.paths for one in plan.tasks] == [("app.py",)]
    assert plan.confidence == 0.8
    assert talk.server.authorizations == [f"Bearer {KEY}"]


async def test_usage_of_each_request_is_reported() -> None:
    """Tokens as the provider counts them, and their price."""
    price = Price(Decimal(2), Decimal(10))
    async with talking(answer(PLAN, input_tokens=500, output_tokens=30), price=price) as talk:
        await talk.model.plan(REQUEST)
    [call] = talk.calls
    assert (call.input_tokens, call.output_tokens, call.cost_microusd) == (500, 30, 1300)
    assert call.outcome is CallOutcome.OK
    assert call.model_name == "openai:test-model"


async def test_cost_of_unknown_price_is_not_given_as_nothing() -> None:
    """A server of one's own is in no price list."""
    async with talking(answer(PLAN)) as talk:
        await talk.model.plan(REQUEST)
        assert "price is unknown" in talk.model.description
    assert talk.calls[0].cost_microusd is None


async def test_tokens_are_estimated_where_the_server_counts_none() -> None:
    """A server that says nothing of usage does not work for nothing."""
    async with talking(without_usage(PLAN)) as talk:
        await talk.model.plan(REQUEST)
    assert talk.calls[0].is_estimated
    assert talk.calls[0].input_tokens > 50


@pytest.mark.parametrize(
    ("bad", "outcome"),
    [
        (failure(429, Retry_After="0"), CallOutcome.RATE_LIMITED),
        (failure(500), CallOutcome.UNAVAILABLE),
        (failure(503), CallOutcome.UNAVAILABLE),
        (truncated(PLAN), CallOutcome.UNAVAILABLE),
        (malformed(), CallOutcome.MALFORMED),
    ],
)
async def test_passing_failure_is_overcome(bad: Reply, outcome: CallOutcome) -> None:
    """The request is sent again, and both attempts are reported."""
    async with talking(bad, answer(PLAN)) as talk:
        assert (await talk.model.plan(REQUEST)).tasks
    assert talk.outcomes() == [outcome, CallOutcome.OK]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (failure(429, Retry_After="0"), "too many requests (HTTP 429, server_error)"),
        (failure(500), "the provider failed (HTTP 500"),
        (truncated(PLAN), "the connection broke before the answer was whole"),
    ],
)
async def test_lasting_failure_ends_after_bounded_attempts(bad: Reply, words: str) -> None:
    """It is named, and may be tried again later."""
    async with talking(bad) as talk:
        with pytest.raises(ModelUnavailableError) as raised:
            await talk.model.plan(REQUEST)
    assert words in str(raised.value)
    assert len(talk.server.requests) == 3
    assert raised.value.retryable


async def test_wait_that_is_asked_for_is_too_long_to_wait() -> None:
    """Nobody hangs for an hour on a provider's word."""
    async with talking(failure(429, Retry_After="3600")) as talk:
        with pytest.raises(ModelUnavailableError, match="wait 3600 s"):
            await talk.model.plan(REQUEST)
    assert len(talk.server.requests) == 1


async def test_silent_server_times_out() -> None:
    """A request that is never answered counts as sent and paid for."""
    policy = RetryPolicy(max_attempts=1)
    async with talking(silent(), timeout=timedelta(milliseconds=200), policy=policy) as talk:
        with pytest.raises(ModelUnavailableError, match="did not answer in time"):
            await talk.model.plan(REQUEST)
    assert talk.outcomes() == [CallOutcome.TIMED_OUT]
    assert talk.calls[0].input_tokens > 0


async def test_absent_server_is_unavailable() -> None:
    """Nothing listens there."""
    async with talking(answer(PLAN)) as talk:
        pass
    config = ModelConfig(
        name="openai:test-model",
        base_url=talk.server.url,
        policy=RetryPolicy(max_attempts=2, first_delay=timedelta(milliseconds=1)),
    )
    async with open_model(config) as model:
        with pytest.raises(ModelUnavailableError, match="no connection"):
            await model.plan(REQUEST)


async def test_rubbish_for_ever_ends() -> None:
    """After three answers that do not fit, there is no fourth."""
    async with talking(rubbish()) as talk:
        with pytest.raises(ModelAnswerError, match="cannot be used"):
            await talk.model.plan(REQUEST)
    assert len(talk.server.requests) == 3


@pytest.mark.parametrize(
    "body", [b"<html>", b"", b"[]", b"null", b"{}", b'"text"', b'{"choices": [null]}', b"\xff\xfe"]
)
async def test_malformed_body_for_ever_ends(body: bytes) -> None:
    """What is not the protocol at all is no better."""
    async with talking(malformed(body)) as talk:
        with pytest.raises(ModelAnswerError, match="no answer of the protocol"):
            await talk.model.plan(REQUEST)
    assert len(talk.server.requests) == 3


async def test_answer_cut_at_the_limit_says_so() -> None:
    """Asking again would be cut again."""
    async with talking(cut_short()) as talk:
        with pytest.raises(ModelAnswerError, match="cut at the most output tokens"):
            await talk.model.plan(REQUEST)


async def test_answer_that_does_not_fit_is_asked_for_again() -> None:
    """The model is told what to mend."""
    task = {"key": "a", "title": "x", "why": "y", "paths": ["../../etc/passwd"]}
    bad = {**PLAN, "tasks": [task]}
    async with talking(answer(bad), answer(PLAN)) as talk:
        assert (await talk.model.plan(REQUEST)).tasks[0].paths == ("app.py",)
    assert "leads out of the repository" in talk.server.prompt()


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "the key is not accepted"), (404, "no such model"), (400, "refuses the request")],
)
async def test_refusal_is_not_tried_again(status: int, words: str) -> None:
    """A wrong key stays wrong."""
    async with talking(failure(status)) as talk:
        with pytest.raises(ModelRejectedError, match=words):
            await talk.model.plan(REQUEST)
    assert talk.outcomes() == [CallOutcome.REJECTED]


async def test_key_is_in_no_error_even_if_the_provider_repeats_it() -> None:
    """Nor in the reasons behind it."""
    said = {"error": {"message": f"bad key {KEY}", "code": KEY, "type": KEY}}
    async with talking(failure(401, body=said)) as talk:
        with pytest.raises(ModelRejectedError) as raised:
            await talk.model.plan(REQUEST)
        assert KEY not in talk.model.description
    error: BaseException | None = raised.value
    while error is not None:
        assert KEY not in str(error)
        error = error.__cause__
    assert KEY not in repr(talk.calls)


async def test_used_up_token_budget_ends_the_run() -> None:
    """No request is sent that there is no room for."""
    big = answer(PLAN, input_tokens=5500, output_tokens=400)
    async with talking(big, budget=Budget(max_tokens=6000)) as talk:
        await talk.model.plan(REQUEST)
        with pytest.raises(BudgetExceededError, match="the token budget used up"):
            await talk.model.plan(REQUEST)
    assert len(talk.server.requests) == 1


async def test_money_budget_shortens_the_answer() -> None:
    """The longest answer that can be asked for is the one that can be paid."""
    budget = Budget(max_cost_microusd=100_000)
    price = Price(Decimal(1), Decimal(100))
    async with talking(answer(PLAN), budget=budget, price=price) as talk:
        await talk.model.plan(REQUEST)
    longest = talk.server.requests[0].get("max_completion_tokens", 0)
    assert 256 <= longest < 1000


async def test_what_was_spent_before_counts() -> None:
    """A run that goes on after a stop does not get its budget anew."""
    budget = Budget(max_tokens=10_000)
    async with talking(answer(PLAN), budget=budget, spent=Spending(tokens=9_990)) as talk:
        with pytest.raises(BudgetExceededError):
            await talk.model.plan(REQUEST)
    assert talk.server.requests == []


async def test_requests_at_the_same_time_share_the_budget() -> None:
    """Room that one request holds is not given to another."""
    async with talking(silent(), budget=Budget(max_tokens=40_000)) as talk:
        first = asyncio.ensure_future(talk.model.plan(REQUEST))
        await eventually(lambda: talk.server.requests)
        second = asyncio.ensure_future(talk.model.plan(REQUEST))
        await eventually(lambda: len(talk.server.requests) == 2)
        with pytest.raises(BudgetExceededError):
            await talk.model.plan(REQUEST)
        for one in (first, second):
            one.cancel()
        await asyncio.gather(first, second, return_exceptions=True)


def change_request(contents: dict[str, bytes], root: Path) -> ChangeRequest:
    return ChangeRequest(task="greet", planned=TASK, contents=contents, root=root)


def edits(*entries: dict[str, Any]) -> Reply:
    return answer({"edits": list(entries), "rationale": "asked", "confidence": 1})


async def test_replacement_keeps_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    """The model sees plain text; the file stays as it was written."""
    before = b"\xef\xbb\xbfa = 1\r\nb = 2\r\n"
    step = {"old": "b = 2\n", "new": "b = 3\nc = 4\n"}
    reply = edits({"path": "app.py", "action": "replace", "replacements": [step]})
    async with talking(reply) as talk:
        change = await talk.model.change(change_request({"app.py": before}, tmp_path))
    assert change.edits[0].new_content == b"\xef\xbb\xbfa = 1\r\nb = 3\r\nc = 4\r\n"


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"path": "other.py", "action": "write", "content": ""}, "may not be changed"),
        (
            {"path": "app.py", "action": "replace", "replacements": [{"old": "z", "new": ""}]},
            "occurs 0 times",
        ),
        ({"path": "new.py", "action": "delete"}, "is not there"),
    ],
)
async def test_edit_that_does_not_fit_is_asked_for_again(
    bad: dict[str, Any], words: str, tmp_path: Path
) -> None:
    """Only the files of the task, only as they are."""
    good = {"path": "new.py", "action": "write", "content": "x = 1\n"}
    async with talking(edits(bad), edits(good)) as talk:
        change = await talk.model.change(change_request({"app.py": b"a = 1\n"}, tmp_path))
    assert [one.path for one in change.edits] == ["new.py"]
    assert words in talk.server.prompt()


async def test_broken_change_is_sent_back_without_asking() -> None:
    """No model's word outweighs a failing test."""
    check = CheckResult(name="tests", passed_before=True, passed_after=False, output="1 failed")
    request = ReviewRequest(
        task="greet", planned=TASK, diff="+x", changed_paths=("app.py",), checks=(check,)
    )
    async with talking(answer({"accepted": True, "rationale": "fine", "confidence": 1})) as talk:
        review = await talk.model.review(request)
    assert not review.accepted
    assert talk.server.requests == []


async def test_refusal_without_reasons_is_asked_for_again() -> None:
    """A coder has to know what to change."""
    bare = {"accepted": False, "rationale": "no", "confidence": 1}
    request = ReviewRequest(task="greet", planned=TASK, diff="+x", changed_paths=("app.py",))
    replies: Sequence[Reply] = [answer(bare), answer({**bare, "reasons": ["name it"]})]
    async with talking(*replies) as talk:
        review = await talk.model.review(request)
    assert review.reasons == ("name it",)
