"""Takes payloads of hooks: takes secrets out, makes events, asks the gate, publishes, answers.

Payloads are taken one after another, so that what a session says stays in order; what hooks have
kept in the home meanwhile goes first.
"""

import asyncio
import hmac
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

from infrastructure.history.owner.http1 import Request, Response
from infrastructure.intake.gate.answers import answer
from infrastructure.intake.gate.files import named_files, places_of
from infrastructure.intake.gate.policy import PolicyError, load_policy
from infrastructure.intake.gate.rules import NO_RULE, Policy, Use, Verdict, decide
from infrastructure.intake.hooks.installed import is_installed_policy
from infrastructure.intake.hooks.payloads import (
    HARNESSES,
    Hook,
    Told,
    call_event_id,
    read_payload,
    tell,
)
from infrastructure.intake.hooks.pending import Pending, PendingFiles, read_pending
from infrastructure.intake.sessions.identity import event_id
from nervous_system import events
from nervous_system.errors import BusError, InvalidEventError
from nervous_system.home import Home
from nervous_system.payloads import build_message
from nervous_system.schemas import AgentRole, SwarmEvent
from nervous_system.telemetry.redaction import redact_line

PREFIX = "/v1/hooks/"
MAX_LINE_BYTES = 4 * 1024 * 1024
"""Of a payload in one event; what is longer is cut, and its end says so."""
MAX_KNOWN_DELIVERIES = 10_000
POLL_SECONDS = 1.0
_SECOND = 1_000_000_000
_DELIVERY = re.compile(r"[0-9a-f]{32}")
LATE_NS = 60 * _SECOND
"""A payload that waited longer is looked up in the stream: the server knows ids for two minutes."""
MARGIN_NS = 60 * _SECOND
"""By which the clocks of hooks and server may differ."""
_UNAVAILABLE = "the gate had nobody to ask"
_log = logging.getLogger(__name__)

PublishEvents = Callable[[Sequence[SwarmEvent]], Awaitable[None]]
"""Publishes events in order and returns when all of them are on disk in the stream."""
FindStored = Callable[[str, datetime], Awaitable[set[str]]]
"""Returns the ids of an agent's events that were stored from a time on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """A verdict, and by which policy."""

    verdict: Verdict
    policy: str
    digest: str


class HookDesk:
    """Answers hooks of the harnesses."""

    def __init__(
        self,
        publish: PublishEvents,
        find_stored: FindStored,
        home: Home,
        *,
        is_redacting: bool = True,
    ) -> None:
        self._publish = publish
        self._find_stored = find_stored
        self._home = home
        self._pending = PendingFiles(home)
        self._is_redacting = is_redacting
        self._turn = asyncio.Lock()
        self._known: OrderedDict[str, None] = OrderedDict()
        self._policies: dict[Path, tuple[tuple[int, int, int], Policy, str]] = {}
        self._key: bytes | None = None

    async def handle(self, request: Request) -> Response:
        """Answer one call of a hook; 503 tells it to keep the payload."""
        harness = request.path.removeprefix(PREFIX).strip("/")
        if harness not in HARNESSES:
            return Response(status=404, body=f"one of {', '.join(HARNESSES)}\n".encode())
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":  # what a page in a browser cannot send without being asked
            return Response(status=415, body=b"Content-Type is not application/json\n")
        query = dict(request.query)
        found = Pending(
            harness=harness,
            delivery=_delivery(query.get("delivery", "")),
            at_ns=time.time_ns(),
            payload=bytes(request.body),
            is_denied=False,
        )
        try:
            async with self._turn:
                await self._send_pending()
                body = await self._take(found, query.get("gate"))
        except (BusError, OSError) as error:
            _log.warning("hook refused", extra={"action": "hook_refused", "reason": str(error)})
            return Response(status=503, body=b"the bus is away\n")
        return Response(headers={"Content-Type": "application/json"}, body=body)

    async def run(self, stop: asyncio.Event) -> None:
        """Send what hooks have kept, until `stop` is set."""
        while not stop.is_set():
            try:
                await self.send_kept()
            except (BusError, OSError) as error:
                _log.warning("hooks wait", extra={"action": "hooks_wait", "reason": str(error)})
            try:
                async with asyncio.timeout(POLL_SECONDS):
                    await stop.wait()
            except TimeoutError:
                continue

    async def send_kept(self) -> None:
        """Send what hooks have kept, once.

        Raises:
            BusError: the bus is away; what was not sent waits.
        """
        async with self._turn:
            await self._send_pending()

    async def _send_pending(self) -> None:
        if self._pending.is_empty:
            return
        stored = _StoredEvents(self._find_stored)
        for path in self._pending.take():
            for pending in read_pending(path):
                await self._take(pending, None, stored)
            path.unlink()

    async def _take(
        self, found: Pending, policy: str | None, stored: "_StoredEvents | None" = None
    ) -> bytes:
        """Publish what a payload says and return what its hook is told.

        Args:
            found: the payload.
            policy: path of the policy that decides; None: no gate was asked for.
            stored: of a payload that was kept: tells what of it is in the stream already.
        """
        if found.delivery in self._known:
            return b""
        hook = await asyncio.to_thread(self._hook, found)
        told = _told(hook)
        judged = None
        if policy is not None and hook.is_before_tool:
            judged = await asyncio.to_thread(self._judge, hook, policy)
        if judged is not None:
            told.append(_decision(hook, judged))
        elif found.is_denied and hook.is_before_tool:
            verdict = Verdict(action="deny", reason=_UNAVAILABLE, rule=NO_RULE)
            told.append(_decision(hook, _Judged(verdict=verdict, policy="", digest="")))
        told_events = [_event(hook, one) for one in told]
        if stored is not None:
            told_events = await stored.left_out_of(told_events, found.at_ns)
        await self._publish(told_events)
        self._remember(found.delivery)
        return answer(hook.harness, judged.verdict) if judged is not None else b""

    def _hook(self, found: Pending) -> Hook:
        """Return a payload without its secrets; large ones take a while."""
        counts: dict[str, int] = {}
        line = found.payload.strip(b"\r\n")
        cleaned = redact_line(line, counts) if self._is_redacting else line
        digest = sha256(line).hexdigest()
        if counts:
            digest = f"hmac:{hmac.digest(self._redaction_key(), line, 'sha256').hex()}"
        return Hook(
            harness=found.harness,
            delivery=found.delivery,
            at_ns=found.at_ns,
            line=_cut(cleaned),
            value=read_payload(cleaned),
            asked=read_payload(line),
            digest=digest,
            redactions=counts,
        )

    def _redaction_key(self) -> bytes:
        if self._key is None:
            self._key = self._home.redaction_key()
        return self._key

    def _remember(self, delivery: str) -> None:
        self._known[delivery] = None
        while len(self._known) > MAX_KNOWN_DELIVERIES:
            self._known.popitem(last=False)

    # --- the gate

    def _judge(self, hook: Hook, policy: str) -> _Judged:
        """Decide on a tool that is about to run; whatever keeps from it, denies.

        Only policies that were installed are read: whoever can post here need not be able to read
        all files.
        """
        digest = ""
        if not is_installed_policy(self._home, hook.harness, policy):
            reason = f"{policy or 'no policy'} is not installed here: see `swarm hooks status`"
            verdict = Verdict(action="deny", reason=reason, rule=NO_RULE)
        else:
            try:
                rules, digest = self._policy(Path(policy))
                verdict = decide(rules, use_of(hook))
            except PolicyError as error:
                verdict = Verdict(action="deny", reason=str(error), rule=NO_RULE)
        return _Judged(verdict=verdict, policy=policy, digest=digest)

    def _policy(self, path: Path) -> tuple[Policy, str]:
        """Return the policy as the file has it now."""
        try:
            found = path.stat()
        except OSError as error:
            reason = f"cannot be read: {error.strerror}"
            raise PolicyError(source=str(path), line=0, reason=reason) from error
        state = (found.st_mtime_ns, found.st_size, found.st_ino)
        known = self._policies.get(path)
        if known is None or known[0] != state:
            policy, digest = load_policy(path)
            self._policies[path] = known = (state, policy, digest)
        return known[1], known[2]


class _StoredEvents:
    """What the stream holds of payloads that waited: a receiver that ended may have sent them."""

    def __init__(self, find: FindStored) -> None:
        self._find = find
        self._known: dict[str, tuple[int, set[str]]] = {}
        """By agent: from when on, and the ids."""

    async def left_out_of(self, events: list[SwarmEvent], at_ns: int) -> list[SwarmEvent]:
        """Return the events of a payload that are not stored."""
        if time.time_ns() - at_ns < LATE_NS:
            return events
        agents = {event.agent_id for event in events}
        known = [await self._ids(agent, at_ns) for agent in agents]
        return [event for event in events if not any(event.event_id in ids for ids in known)]

    async def _ids(self, agent_id: str, at_ns: int) -> set[str]:
        begin = max(0, at_ns - MARGIN_NS)
        found = self._known.get(agent_id)
        if found is None or at_ns < found[0]:
            since = datetime.fromtimestamp(begin / _SECOND, UTC)
            self._known[agent_id] = found = (begin, await self._find(agent_id, since))
        return found[1]


def _told(hook: Hook) -> list[Told]:
    """Return what a hook says; one that nobody understands is kept as the line that it is."""
    try:
        return tell(hook)
    except (InvalidEventError, ValueError, TypeError, KeyError, RecursionError) as error:
        _log.warning("hook unread", extra={"action": "hook_unread", "reason": str(error)})
        return tell(replace(hook, value={}))


def use_of(hook: Hook) -> Use:
    """Return what the gate is asked about; symbolic links are followed."""
    arguments: Any = hook.asked.get("tool_input")
    directory = hook.text("cwd")
    names = (hook.identity.agent_id, hook.text("agent_type"), hook.text("agent_id"), hook.harness)
    return Use(
        tool=hook.text("tool_name"),
        arguments=arguments,
        agents=tuple(name for name in names if name),
        files=tuple(places_of(name, directory) for name in named_files(arguments)),
    )


def _decision(hook: Hook, judged: _Judged) -> Told:
    identity, verdict = hook.identity, judged.verdict
    document = {
        "action": verdict.action,
        "rule": verdict.rule,
        "line": verdict.line,
        "tool_name": hook.text("tool_name"),
        "tool_call_id": hook.text("tool_use_id"),
        "policy": judged.policy,
        "policy_digest": judged.digest,
    }
    return Told(
        event_id=event_id(identity.key, hook.delivery.encode(), 0, "gate"),
        payload=events.session_mark("gate", text=verdict.reason, document=document),
        attributes={**identity.attributes, "hook": hook.name, "gate": verdict.action},
        workspace_id=identity.run_id,
        caused_by=(call_event_id(hook),) if hook.text("tool_use_id") else (),
    )


def _event(hook: Hook, told: Told) -> SwarmEvent:
    identity = hook.identity
    event = build_message(
        SwarmEvent,
        event_id=told.event_id,
        agent_role=AgentRole.ROLE_CODER,
        agent_id=identity.agent_id,
        run_id=identity.run_id,
        workspace_id=told.workspace_id,
        caused_by=told.caused_by,
        attributes=told.attributes,
        redactions=told.redactions,
    )
    event.timestamp.seconds, event.timestamp.nanos = divmod(hook.at_ns, _SECOND)
    try:
        events.set_payload(event, told.payload)
        events.check(event)
    except InvalidEventError as error:
        events.set_payload(event, events.session_mark("unreadable", text=str(error)))
    return event


def _delivery(given: str) -> str:
    """Return the name of a delivery; a harness that posts by itself gives none."""
    return given if _DELIVERY.fullmatch(given) else token_hex(16)


def _cut(line: bytes) -> bytes:
    if len(line) <= MAX_LINE_BYTES:
        return line
    return line[:MAX_LINE_BYTES] + f"[{len(line) - MAX_LINE_BYTES} more bytes]".encode()
