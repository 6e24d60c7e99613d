"""Tasks that run beside their owner's block: cancelled by it at the end.

And never failing in silence.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger(__name__)

CANCEL_AGAIN_SECONDS = 0.1


def create_logged_task(work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
    """Start `work`; should it end with an error, that is logged at once.

    The caller cancels and awaits it.
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_report)
    return task


def _report(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.error(
            "background task failed",
            exc_info=task.exception(),
            extra={"action": "task_failed", "task": task.get_name()},
        )


async def end_task(task: "asyncio.Future[Any]") -> None:
    """Cancel and await a task; its own failure was reported when it happened.

    nats-py swallows a cancellation that meets certain awaits, so one may not be enough.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=CANCEL_AGAIN_SECONDS)
    if not task.cancelled():
        task.exception()
