"""Tool calls as events: each one in a span, with its arguments, outcome, result and duration.

A call's event goes out when the call has ended, then the changes that it made, which name it as
their cause. What a cancelled call had changed already is told all the same.
"""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from cortex.errors import ToolRefusedError, ToolTimedOutError
from cortex.tools.finishing import unbroken
from nervous_system import events
from nervous_system.agent import Agent
from nervous_system.comms.contracts import Receipt
from nervous_system.emission import LostReceipt
from nervous_system.options import Causes
from nervous_system.payloads import ToolOutcome

MAX_ARGUMENT_CHARACTERS = 8 * 1024
Recording = Callable[[Causes], Awaitable[None]]
"""Tells on the bus what a call did; is given the call's event as the cause."""


class ToolCall:
    """One call while it runs; made by `ToolRecorder.call`."""

    def __init__(self, tool: str, call_id: str) -> None:
        self.tool = tool
        self.call_id = call_id
        self.result = ""
        self.outcome: ToolOutcome = "ok"
        self.recordings: list[Recording] = []
        """Run in this order when the call's event is out."""

    def set_result(self, text: str) -> None:
        """Say what came out; text beyond 16 KiB is cut."""
        self.result = text

    def set_outcome(self, outcome: ToolOutcome) -> None:
        """Say how it ended, where no error says it."""
        self.outcome = outcome

    def then(self, recording: Recording) -> None:
        """Have `recording` run when the call's event is out."""
        self.recordings.append(recording)

    def fail(self, error: BaseException) -> None:
        """Take an error that ends the call as its outcome."""
        if isinstance(error, ToolRefusedError):
            self.outcome = "refused"
        elif isinstance(error, ToolTimedOutError | TimeoutError):
            self.outcome = "timed_out"
        else:
            self.outcome = "failed"
        self.result = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


class ToolRecorder:
    """Tells the tool calls of one agent, and remembers the ids of what was told."""

    def __init__(self, agent: Agent) -> None:
        self.agent = agent
        self._event_ids: list[str] = []

    @property
    def event_ids(self) -> tuple[str, ...]:
        """Ids of the events since the last `take_event_ids`, in their order."""
        return tuple(self._event_ids)

    def take_event_ids(self) -> tuple[str, ...]:
        """Return the ids and forget them: a commit names each once."""
        taken = self.event_ids
        self._event_ids.clear()
        return taken

    def note(self, receipt: Receipt) -> None:
        """Remember an event; one that was not kept cannot be pointed to."""
        if not isinstance(receipt, LostReceipt):
            self._event_ids.append(receipt.event_id)

    @asynccontextmanager
    async def call(
        self, tool: str, arguments: Mapping[str, object], *, caused_by: Causes = ()
    ) -> AsyncIterator[ToolCall]:
        """Run a block as one call of a tool; errors become its outcome and go on.

        Args:
            tool: name of the tool.
            arguments: what JSON can hold; secrets are taken out before they leave the process.
            caused_by: what led to it; by default the causes of the span that it is made in.
        """
        call = ToolCall(tool, events.new_event_id())
        started_ns = time.monotonic_ns()
        with self.agent.tool_span(tool, call_id=call.call_id):
            try:
                yield call
            except BaseException as error:
                call.fail(error)
                raise
            finally:
                duration_us = (time.monotonic_ns() - started_ns) // 1000
                await unbroken(self._tell(call, arguments, duration_us, caused_by))

    async def _tell(
        self, call: ToolCall, arguments: Mapping[str, object], duration_us: int, causes: Causes
    ) -> None:
        payload = events.tool_call(
            call.tool,
            call_id=call.call_id,
            arguments=arguments,
            result=call.result,
            outcome=call.outcome,
            duration_us=duration_us,
        )
        receipt = await self.agent.emit(payload, caused_by=causes)
        self.note(receipt)
        cause = causes if isinstance(receipt, LostReceipt) else (receipt,)
        for recording in call.recordings:
            await recording(cause)


def shortened(text: str) -> str:
    """Return `text` as an argument is told: what is long would not fit the bus."""
    left_out = len(text) - MAX_ARGUMENT_CHARACTERS
    if left_out <= 0:
        return text
    return f"{text[:MAX_ARGUMENT_CHARACTERS]} [... {left_out} characters left out ...]"
