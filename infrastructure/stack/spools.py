"""Sends what agents have left in the home that ended while no bus was there.

The next agent of the home would do it too; but nobody knows when there is one, and history should
hold what happened when the stack is back. The supervisor looks, a process of its own sends
(`python -m infrastructure.stack.spools --home DIR`): the supervisor stays without threads.
"""

import argparse
import asyncio
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from infrastructure.stack.child import die_with_parent
from infrastructure.stack.supervisor import Supervisor
from nervous_system.comms.adoption import adopt_once
from nervous_system.comms.connection import redact_url
from nervous_system.comms.lookup import StreamLookup
from nervous_system.comms.open import open_bus
from nervous_system.comms.orphans import has_orphans
from nervous_system.comms.streams import EVENTS_STREAM
from nervous_system.config import BusConfig
from nervous_system.content import PENDING_CONTENT, ContentKeeper
from nervous_system.errors import SwarmError
from nervous_system.home import Home

CONTENT_SECONDS = 30.0
"""How long contents may take to go to the bus before the rest waits for the next time."""
FIRST_PAUSE = timedelta(seconds=2)
LAST_PAUSE = timedelta(minutes=5)


class SpoolWatch:
    """Looks for what was left behind, again and again; call it as a watch of the supervisor."""

    def __init__(self, home: Home) -> None:
        self._home = home

    async def __call__(self, supervisor: Supervisor) -> None:
        """Watch until cancelled; what could not be sent is tried again ever more seldom."""
        pause = FIRST_PAUSE
        while True:
            if has_orphans(self._home.spool):
                await self._run_sender()
                pause = min(2 * pause, LAST_PAUSE)
            else:
                pause = FIRST_PAUSE
            await asyncio.sleep(pause.total_seconds())

    async def _run_sender(self) -> None:
        command = (sys.executable, "-m", "infrastructure.stack.spools")
        process = await asyncio.create_subprocess_exec(
            *command,
            "--home",
            str(self._home.root),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
        try:
            await process.wait()
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def send_left_behind(home: Home, nats_url: str) -> None:
    """Send contents first: an event that tells of them should find them.

    Raises:
        BusUnavailableError: no bus answers.
    """
    async with open_bus(BusConfig(url=nats_url, name="stack-spools")) as bus:
        keeper = ContentKeeper(bus.content, home.root / PENDING_CONTENT, 0)
        sending = asyncio.create_task(keeper.run(), name="left contents")
        try:
            await keeper.drain(CONTENT_SECONDS)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
        lookup = StreamLookup(bus.js, EVENTS_STREAM, redact_url(nats_url))
        await adopt_once(bus.committer, lookup, home.spool, set())


def main() -> int:
    """Send once, as an agent of the running stack."""
    parser = argparse.ArgumentParser(prog="python -m infrastructure.stack.spools")
    parser.add_argument("--home", type=Path, required=True)
    home = Home(parser.parse_args().home)
    try:
        url = (home.stack() or {}).get("agent_nats_url")
        if url:
            asyncio.run(send_left_behind(home, url))
    except (SwarmError, OSError) as error:
        sys.stderr.write(f"what agents have left behind waits: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
