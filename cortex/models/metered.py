"""A model of the library under a meter: budget before, retries between, a report after."""

import asyncio
import random
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings

from cortex.errors import ModelAnswerError, ModelError, ModelRejectedError, ModelUnavailableError
from cortex.models.budget import Meter, Reservation
from cortex.models.calls import CallListener, CallOutcome, ModelCall
from cortex.models.failures import Failure, explain_failure
from cortex.models.retrying import RetryPolicy

_BYTES_PER_TOKEN = 3
"""Text and code have three to four; taking three reserves rather too much than too little."""


class Pricing(Protocol):
    """What responses cost."""

    def cost_microusd(self, response: ModelResponse) -> int | None:
        """In millionths of a US dollar; None: not known."""
        ...


class MeteredModel(WrapperModel):
    """Sends requests one by one under a budget, and reports every one of them.

    A request that fails in passing is sent again, a bounded number of times. Errors are ours:
    BudgetExceededError, ModelUnavailableError, ModelRejectedError, ModelAnswerError.
    """

    def __init__(
        self,
        wrapped: Model,
        *,
        name: str,
        meter: Meter,
        pricing: Pricing,
        listener: CallListener,
        policy: RetryPolicy,
        max_output_tokens: int,
        timeout: timedelta,
    ) -> None:
        super().__init__(wrapped)
        self._name = name
        self._meter = meter
        self._pricing = pricing
        self._listener = listener
        self._policy = policy
        self._max_output_tokens = max_output_tokens
        self._timeout = timeout

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """See the library's Model; one answer, after as many attempts as the policy has."""
        attempt = 0
        while True:
            attempt += 1
            outcome = await self._attempt(messages, model_settings, model_request_parameters)
            if isinstance(outcome, ModelResponse):
                return self._whole(outcome)
            jitter = random.random()  # noqa: S311 - spreads load, keeps no secret
            delay = self._policy.delay(attempt, outcome.retry_after, jitter)
            if not outcome.may_retry or delay is None:
                raise self._error(outcome, attempt)
            await asyncio.sleep(delay.total_seconds())

    async def _attempt(
        self,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> ModelResponse | Failure:
        estimate = _estimate(ModelMessagesTypeAdapter.dump_json(messages), parameters)
        reservation = self._meter.reserve(
            input_tokens=estimate, max_output_tokens=self._max_output_tokens
        )
        limited: ModelSettings = {**(settings or {}), "max_tokens": reservation.output_tokens}
        started = time.monotonic()
        spent = _Spent()
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                response = await self.wrapped.request(messages, limited, parameters)
            spent = self._spent(response, estimate)
            await self._report(started, CallOutcome.OK, spent)
            return response
        except Exception as error:  # noqa: BLE001 - a foreign server's bytes reach the library's code
            failure = explain_failure(error)
            spent = self._unanswered(estimate if failure.may_be_billed else 0)
            await self._report(started, failure.outcome, spent)
            return failure
        except asyncio.CancelledError:
            # Given up by the caller, while the provider may have worked on it.
            spent = self._unanswered(estimate)
            raise
        finally:
            self._settle(reservation, spent)

    def _whole(self, response: ModelResponse) -> ModelResponse:
        """Refuse an answer that was cut: half of a plan may look like a whole one."""
        if response.finish_reason == "length":
            raise ModelAnswerError(model=self._name, reason="it is cut at the most output tokens")
        return response

    def _spent(self, response: ModelResponse, estimate: int) -> "_Spent":
        usage = response.usage
        if usage.input_tokens or usage.output_tokens:
            cost = self._pricing.cost_microusd(response)
            return _Spent(usage.input_tokens, usage.output_tokens, cost)
        output = len(ModelMessagesTypeAdapter.dump_json([response])) // _BYTES_PER_TOKEN
        return self._unanswered(estimate, output)

    def _unanswered(self, input_tokens: int, output_tokens: int = 0) -> "_Spent":
        """What a request is taken to have cost of which the provider says nothing."""
        price = self._meter.price
        cost = price.cost_microusd(input_tokens, output_tokens) if price else None
        return _Spent(input_tokens, output_tokens, cost, is_estimated=input_tokens > 0)

    def _settle(self, reservation: Reservation, spent: "_Spent") -> None:
        self._meter.settle(
            reservation,
            tokens=spent.input_tokens + spent.output_tokens,
            cost_microusd=spent.cost_microusd or 0,
        )

    async def _report(self, started: float, outcome: CallOutcome, spent: "_Spent") -> None:
        await self._listener(
            ModelCall(
                model_name=self._name,
                input_tokens=spent.input_tokens,
                output_tokens=spent.output_tokens,
                cost_microusd=spent.cost_microusd,
                duration=timedelta(seconds=time.monotonic() - started),
                outcome=outcome,
                is_estimated=spent.is_estimated,
            )
        )

    def _error(self, failure: Failure, attempts: int) -> ModelError:
        times = f" ({attempts} attempts)" if attempts > 1 else ""
        reason = failure.reason + times
        if failure.outcome is CallOutcome.REJECTED:
            return ModelRejectedError(model=self._name, reason=reason)
        if failure.outcome is CallOutcome.MALFORMED:
            return ModelAnswerError(model=self._name, reason=reason)
        return ModelUnavailableError(model=self._name, reason=reason)


@dataclass(frozen=True, slots=True)
class _Spent:
    """What one request took."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_microusd: int | None = None
    is_estimated: bool = False


def _estimate(messages: bytes, parameters: ModelRequestParameters) -> int:
    schemas = sum(len(str(one.parameters_json_schema)) for one in parameters.output_tools)
    return (len(messages) + schemas) // _BYTES_PER_TOKEN + 1
