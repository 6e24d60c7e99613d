"""A program with agents in it, to be killed: `python -m tests.support.chaos_publisher`.

What each call has returned is in the log file before the agent does anything else, written with one
system call, so that the log of a killed process says exactly what it had been promised.
"""

import argparse
import asyncio
import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import nervous_system as ns
from nervous_system.comms.contracts import Receipt
from nervous_system.errors import SwarmError

ACKED = "acked"
SPOOLED = "spooled"
"""The call has waited for an ack in vain."""
HANDED_OVER = "handed over"
"""The call did not wait."""
KINDS_OF_WAITING: tuple[bool | None, ...] = (None, None, None, True, False)
"""Most calls wait as by default."""
LONGEST_TEXT = 600
TIMEOUT = 0.5
"""Seconds; short, so that agents go on spooling while the bus is away."""


@dataclass(slots=True)
class ReceiptLog:
    """Lines of JSON, appended."""

    descriptor: int

    def note(self, receipt: Receipt, wait: bool | None) -> None:
        """Write down what was promised; nothing where nothing was."""
        kept = (HANDED_OVER if wait is False else SPOOLED) if receipt.spooled else ""
        promise = ACKED if receipt.sequence else kept
        if promise:
            line = {"id": receipt.event_id, "sequence": receipt.sequence, "promise": promise}
            os.write(self.descriptor, json.dumps(line).encode() + b"\n")


async def speak(agent: Any, log: ReceiptLog, random: Random, stop: asyncio.Event) -> None:
    """Make decisions until asked to stop."""
    while not stop.is_set():
        wait = random.choice(KINDS_OF_WAITING)
        text = "".join(random.choices("abcdefghij ", k=random.randint(1, LONGEST_TEXT)))
        try:
            log.note(await agent.decide(rationale=text, wait=wait, timeout=TIMEOUT), wait)
        except SwarmError:
            continue  # only with wait=True: nothing was promised
        await asyncio.sleep(0.001)  # the other processes share these two cores


async def run(options: argparse.Namespace) -> None:
    """Speak with all agents until SIGTERM, then say goodbye."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    descriptor = os.open(options.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    log = ReceiptLog(descriptor)
    async with ns.connect(home=options.home) as swarm:
        await asyncio.gather(*(live(swarm, number, log, options, stop) for number in range(6)))


async def live(
    swarm: Any, number: int, log: ReceiptLog, options: argparse.Namespace, stop: asyncio.Event
) -> None:
    """Be one agent from STARTING to STOPPED."""
    async with swarm.agent(f"coder-{number}", role="coder", run_id="chaos") as agent:
        await speak(agent, log, Random(f"{options.seed}-{number}"), stop)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seed", default="1")
    asyncio.run(run(parser.parse_args()))
