"""How fast transcripts of foreign agents are stored: a long one at once, and lines as they come.

The baseline sends each line with one awaited publish, neither read nor looked through for secrets.
"""

import asyncio
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

from cortex.cli.bench.redaction import transcript
from cortex.cli.bench.rig import SWARM, Rig
from infrastructure.errors import ChildFailedError
from infrastructure.intake.sessions.mirror import MirrorOptions, SourceMirror
from infrastructure.intake.sessions.store import open_session_store
from infrastructure.intake.sessions.units import Redaction
from nervous_system.comms.connection import open_nats
from nervous_system.comms.open import open_bus
from nervous_system.config import BusConfig

LINES_FOLLOWED = 200
PLAIN_SHARE = 8
"""One line in so many is sent for the baseline, and its time multiplied."""
SILENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.02
LINE_SUBJECT = "swarm.events.coder.session_line.*"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeFigures:
    """What was found out about mirroring."""

    size_bytes: int
    lines: int
    seconds: Sequence[float]
    """Of the whole command that mirrors a transcript, per round."""
    cpu_seconds: Sequence[float]
    """Of the command's process."""
    plain_seconds: Sequence[float]
    """Of sending each line with a publish of its own."""
    again_seconds: float
    """Of mirroring it again, when nothing is new."""
    follow_ms: Sequence[float]
    """From a written line to its event in the stream."""


async def measure_intake(rig: Rig, size_bytes: int, rounds: int) -> IntakeFigures:
    """Mirror made transcripts of about `size_bytes`, then follow one.

    Raises:
        ChildFailedError: a command failed, or a line did not arrive.
    """
    lines, _ = transcript(size_bytes)
    seconds, cpu_seconds, plain = [], [], []
    with tempfile.TemporaryDirectory(prefix="swarm-bench-") as folder:
        for number in range(rounds):
            path = Path(folder) / f"session-{number}.jsonl"
            path.write_bytes(b"".join(_of_session(lines, f"bench-{number}")))
            took, cpu = await asyncio.to_thread(_mirror, rig, path)
            seconds.append(took)
            cpu_seconds.append(cpu)
            plain.append(await _send_plainly(rig, lines))
        again, _ = await asyncio.to_thread(_mirror, rig, path)
        followed = Path(folder) / "followed.jsonl"
        await asyncio.to_thread(followed.touch)
        follow = await _follow(rig, followed)
    return IntakeFigures(
        size_bytes=sum(map(len, lines)),
        lines=len(lines),
        seconds=seconds,
        cpu_seconds=cpu_seconds,
        plain_seconds=plain,
        again_seconds=again,
        follow_ms=follow,
    )


def _of_session(lines: Sequence[bytes], session_id: str) -> Iterator[bytes]:
    """Yield lines as lines of a session, each with an id of its own."""
    for number, line in enumerate(lines):
        value: dict[str, Any] = json.loads(line)
        value.update(sessionId=session_id, uuid=f"{session_id}-{number}")
        yield json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _mirror(rig: Rig, path: Path) -> tuple[float, float]:
    """Mirror a transcript by the command; return its wall and CPU seconds."""
    command = ("session", "mirror", "--harness", "claude-code", "--source", str(path))
    before, begun = getrusage(RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [SWARM, *command, "--json", "--home", str(rig.home.root)],
        capture_output=True,
        text=True,
        check=False,
    )
    took, after = time.perf_counter() - begun, getrusage(RUSAGE_CHILDREN)
    if done.returncode:
        raise ChildFailedError(name="swarm session", reason=done.stderr.strip(), log="")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, cpu


async def _send_plainly(rig: Rig, lines: Sequence[bytes]) -> float:
    some = lines[::PLAIN_SHARE]
    async with open_nats(rig.nats_url, name="bench-plain") as client:
        jetstream = client.jetstream()
        begun = time.perf_counter()
        for line in some:
            await jetstream.publish("swarm.events.coder.decision.plain", line)
        return (time.perf_counter() - begun) * len(lines) / len(some)


async def _follow(rig: Rig, path: Path) -> list[float]:
    """Return for each of some lines how long it took from its write to its event."""
    options = MirrorOptions(redaction=Redaction(rig.home.redaction_key), is_following=True)
    async with (
        open_bus(BusConfig(url=rig.nats_url, name="bench-follow")) as bus,
        open_session_store(bus, bus.content, rig.nats_url) as store,
    ):
        mirror = SourceMirror(path, store, options)
        running = asyncio.create_task(mirror.run())
        arrived: asyncio.Queue[float] = asyncio.Queue(maxsize=LINES_FOLLOWED)

        async def note(_: object) -> None:
            arrived.put_nowait(time.perf_counter())

        subscription = await bus.nc.subscribe(LINE_SUBJECT, cb=note)
        try:
            return [await _written(path, number, arrived) for number in range(LINES_FOLLOWED)]
        finally:
            await subscription.unsubscribe()
            mirror.stop()
            await running


async def _written(path: Path, number: int, arrived: "asyncio.Queue[float]") -> float:
    message = {"role": "user", "content": f"go on with step {number}"}
    line = {"type": "user", "uuid": f"u{number}", "sessionId": "followed", "message": message}
    with path.open("ab") as file:
        file.write(json.dumps(line).encode() + b"\n")
        file.flush()
        begun = time.perf_counter()
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            took = (await arrived.get() - begun) * 1_000
    except TimeoutError as error:
        reason = f"line {number} has not arrived in {SILENCE_SECONDS:g} s"
        raise ChildFailedError(name="mirror", reason=reason, log="") from error
    await asyncio.sleep(PAUSE_SECONDS)
    return took
