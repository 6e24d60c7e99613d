"""`swarm verify`: prove that history equals what happened, or name the first bad event."""

import asyncio
import ctypes
import gc
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from cortex.cli import options, output
from cortex.cli.errors import CommandFailedError
from cortex.cli.fresh import FRESH_SECONDS, POLL_SECONDS, until_fresh
from cortex.cli.places import bus_url, writer_config
from cortex.cli.session import Session
from infrastructure.errors import QueryFailedError
from infrastructure.history.client import HistoryClient, open_history
from infrastructure.history.verify.bus_source import BusSource
from infrastructure.history.verify.findings import Problem, Report, Unproven, ordered
from infrastructure.history.verify.repair import RepairOutcome, mend
from infrastructure.history.verify.scope import Wanted
from infrastructure.history.verify.service import (
    Verification,
    VerifyRequest,
    is_cut_off,
    is_noted,
)
from infrastructure.history.verify.service import verify as verify_history
from infrastructure.history.verify.signing import (
    KEY_FILE,
    create_key,
    load_key,
    parse_public_key,
    public_text,
    sign_head,
)
from infrastructure.history.verify.store import is_damage
from infrastructure.ingestor.ledger import Head, parse_head
from nervous_system.comms.connection import open_nats
from nervous_system.comms.event_loop import loop_factory

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of settings of the C library's allocator, as its `mallopt` takes them."""
_NEVER, _LARGEST_MMAP_THRESHOLD = 2**31 - 1, 32 * 1024 * 1024
NOTED_SECONDS = 2.0
"""How long to wait for the last head to be noted, which takes the ingestor half a second."""
MAX_SHOWN = 20
"""Problems that people are shown; `--json` has them all."""


def verify(
    ctx: typer.Context,
    expect: Annotated[
        list[str] | None,
        typer.Option("--expect", metavar="HEAD", help="A head noted earlier; may be repeated."),
    ] = None,
    repair: Annotated[
        bool, typer.Option("--repair", help="Rebuild what is damaged from the stream.")
    ] = False,
    first: Annotated[
        int | None, typer.Option("--from", metavar="SEQUENCE", min=1, help="Verify from here on.")
    ] = None,
    last: Annotated[
        int | None, typer.Option("--to", metavar="SEQUENCE", min=1, help="Verify up to here.")
    ] = None,
    public_key: Annotated[
        str,
        typer.Option(
            "--public-key",
            metavar="KEY",
            help="Noted heads must be signed by it: base64 or a file.",
        ),
    ] = "",
    sign: Annotated[
        bool,
        typer.Option("--sign", help="Sign the heads found sound, with the key of this home."),
    ] = False,
    timeout: options.Timeout = FRESH_SECONDS,
    no_wait: options.NoWait = False,
    json: options.Json = False,
) -> None:
    """Compare history with stream, ledger, noted heads, chains of emitters and of resources.

    Every message is decoded again and compared with its row, column by column. Exit code 1 means
    that something is wrong; what cannot be proven is listed and no problem.
    """
    if repair and (first is not None or last is not None):
        raise typer.BadParameter("a repair needs the whole of history", param_hint="--repair")
    if sign and (first is not None or last is not None):
        raise typer.BadParameter("a head stands for all before it", param_hint="--sign")
    if first is not None and last is not None and first > last:
        raise typer.BadParameter(f"{first} lies behind --to {last}", param_hint="--from")
    run = _Run(
        Session.of(ctx),
        VerifyRequest(
            wanted=Wanted(first=first, last=last),
            expected=tuple(_head(text) for text in expect or ()),
            public_key=_public_key(public_key),
        ),
        repairs=repair,
        signs=sign,
    )
    # Millions of short-lived objects and no cycles: looking for some takes a tenth of the time.
    gc.disable()
    _keep_memory()
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        outcome = runner.run(run.run(0.0 if no_wait else timeout))
    if json:
        output.print_json(outcome.as_json())
    else:
        _print(outcome)
    if not outcome.report.is_ok:
        raise typer.Exit(1)


@dataclass(slots=True)
class _Outcome:
    """What one call of the command has to show."""

    report: Report
    refused: list[str] = field(default_factory=list)
    """What could not be repaired, with the reason."""
    signatures: dict[str, str] = field(default_factory=dict)
    """Head to its signature."""
    public_key: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            **self.report.as_json(),
            "not_repaired": self.refused,
            "signatures": self.signatures,
            "public_key": self.public_key,
        }


@dataclass(slots=True)
class _Run:
    """One call of the command."""

    session: Session
    request: VerifyRequest
    repairs: bool
    signs: bool

    async def run(self, wait_seconds: float) -> _Outcome:
        """Wait for history, verify, repair, sign."""
        url = bus_url(self.session)
        async with open_nats(url, name="swarm-verify") as client:
            with open_history(writer_config(self.session)) as history:
                source = BusSource(url, client)
                await self._wait(history, source, wait_seconds)
                outcome = await self._verify(history, source)
                if self.signs and outcome.report.is_ok:
                    await self._sign(outcome, source)
                return outcome

    async def _wait(self, history: HistoryClient, source: BusSource, seconds: float) -> None:
        """Wait until history has caught up; rows that were there and are gone never come back."""
        if not seconds:
            return
        try:
            await until_fresh(self.session, seconds)
            await self._until_noted(history, source, min(seconds, NOTED_SECONDS))
        except CommandFailedError:
            if not await is_cut_off(history, source):
                raise
        except QueryFailedError as error:
            if not is_damage(error):
                raise

    async def _until_noted(self, history: HistoryClient, source: BusSource, seconds: float) -> None:
        """Give the ingestor a moment to note its last head; without it that is just unproven."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    if await is_noted(history, source):
                        return
                    await asyncio.sleep(POLL_SECONDS)

    async def _verify(self, history: HistoryClient, source: BusSource) -> _Outcome:
        async def verify_once() -> Verification:
            return await verify_history(history, source, self.request, _show_progress)

        found, done = await verify_once(), RepairOutcome()
        if self.repairs:
            found, done = await mend(history, source, found, verify_once)
        output.progress("")
        found.report.repaired = done.repaired
        return _Outcome(found.report, refused=done.refused)

    async def _sign(self, outcome: _Outcome, source: BusSource) -> None:
        """Sign the heads with the home's key, made on first use, and note them on the bus."""
        path = self.session.home.root / KEY_FILE
        key = load_key(path) or create_key(path)
        outcome.public_key = public_text(key)
        for text in outcome.report.heads:
            signature = sign_head(key, parse_head(text))
            outcome.signatures[text] = signature
            await source.note(parse_head(text), signature)


def _keep_memory() -> None:
    """Have what is freed kept for the next stretch of messages.

    By default it is given back to the system and taken from it again page by page, which is a tenth
    of the time. Where the C library knows no such settings, it stays at that.
    """
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(_TRIM_THRESHOLD, _NEVER)
        library.mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)


def _head(text: str) -> Head:
    try:
        return parse_head(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--expect") from error


def _public_key(text: str) -> Ed25519PublicKey | None:
    if not text:
        return None
    path = Path(text)
    return parse_public_key(path.read_text(encoding="utf-8") if path.is_file() else text)


def _show_progress(stream: str, checked: int) -> None:
    output.progress(f"{stream}: {checked} events compared")


def _print(outcome: _Outcome) -> None:
    report = outcome.report
    for line in (*report.repaired, *outcome.refused):
        output.note(f"{'repaired' if line in report.repaired else 'not repaired'}: {line}")
    problems = ordered(report.problems)
    if problems:
        first = problems[0]
        print(
            f"NOT as it was: {report.problem_count} problems in {report.checked} events, "
            f"the first at {_place(first)}"
        )
        output.print_table([_problem_row(problem) for problem in problems[:MAX_SHOWN]])
        if len(problems) > MAX_SHOWN:
            output.note(f"and {report.problem_count - MAX_SHOWN} more: --json lists them")
    else:
        print(f"ok: {report.checked} events are as they were")
    for head in report.heads:
        print(f"head {head}")
        if signature := outcome.signatures.get(head):
            print(f"signature {signature}")
    if report.unproven:
        print("not proven:")
        output.print_table([_unproven_row(item) for item in report.unproven[:MAX_SHOWN]])
        if len(report.unproven) > MAX_SHOWN:
            output.note(f"and {len(report.unproven) - MAX_SHOWN} more: --json lists them")


def _place(problem: Problem) -> str:
    event = f" (event {problem.event_id})" if problem.event_id else ""
    return f"{problem.stream}#{problem.sequence}{event}"


def _problem_row(problem: Problem) -> dict[str, Any]:
    return {
        "problem": problem.kind.value,
        "sequence": problem.sequence,
        "event_id": problem.event_id,
        "resource": problem.resource,
        "detail": problem.detail,
    }


def _unproven_row(item: Unproven) -> dict[str, Any]:
    return {
        "kind": item.kind.value,
        "sequence": item.sequence,
        "emitter": item.emitter_id,
        "detail": item.detail,
    }
