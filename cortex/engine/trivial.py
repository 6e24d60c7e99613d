"""The trivial role: tasks that do nothing, to try out and to measure everything around them.

Instructions: `seconds` to take, `failures` to have before an attempt succeeds, `refuse` with a
reason. The result is the attempt and the worker.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from cortex.engine.claims import Claim, Handler, TaskResult
from cortex.engine.handlers import Workplace


@asynccontextmanager
async def open_trivial(workplace: Workplace) -> AsyncIterator[Handler]:
    """Open the handler."""
    yield do_nothing


async def do_nothing(claim: Claim) -> TaskResult:
    """Take as long as told, fail as often as told, and say who did it."""
    told = claim.task.instructions
    if told.get("seconds"):
        await asyncio.sleep(float(told["seconds"]))
    if claim.attempt <= int(told.get("failures", 0)):
        raise RuntimeError(f"told to fail in attempt {claim.attempt}")
    if told.get("refuse"):
        return TaskResult.refused(str(told["refuse"]))
    return TaskResult(document={"attempt": claim.attempt, "worker": claim.agent_id})
