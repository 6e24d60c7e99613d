"""An agent as the swarm sees it: says what it decides, what it changes and how it is.

Every call builds one event, with the ids of the present span and the causes of the present work,
and hands it to the agent's emission. No call raises because telemetry failed unless it was made
with `wait=True`.
"""

import time
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from typing import Any, Unpack

from opentelemetry.trace import Span, SpanKind, Tracer

from nervous_system import changes, events, vitals
from nervous_system.comms.contracts import Receipt
from nervous_system.content import ContentKeeper
from nervous_system.draft import Envelope
from nervous_system.emission import Emission
from nervous_system.errors import InvalidEventError
from nervous_system.identity import AgentIdentity
from nervous_system.options import Causes, EmitOptions, event_ids
from nervous_system.telemetry import linking, spans
from nervous_system.telemetry.linking import Link

STARTING = "STARTING"
HEALTHY = "HEALTHY"
STOPPED = "STOPPED"
CRITICAL_FAILURE = "CRITICAL_FAILURE"


class Agent:
    """One life of an agent; made by `Swarm.agent`, which sends STARTING and STOPPED around it."""

    def __init__(
        self,
        identity: AgentIdentity,
        emission: Emission,
        content: ContentKeeper,
        *,
        tracer: Tracer | None,
        timeout: float,
        origin: Link | None = None,
    ) -> None:
        self.identity = identity
        self._emission = emission
        self._content = content
        self._tracer = tracer
        self._timeout = timeout
        self._origin = origin
        self._current = spans.Current()
        self._envelope = Envelope(identity)
        self._vitals = vitals.Vitals()
        self._span_attributes: dict[str, spans.AttributeValue] = {
            spans.AGENT_ID: identity.agent_id,
            spans.AGENT_NAME: identity.name,
            spans.CONVERSATION_ID: identity.run_id,
        }

    @property
    def agent_id(self) -> str:
        """Unique name of the agent."""
        return self.identity.agent_id

    @property
    def run_id(self) -> str:
        """The run that it takes part in."""
        return self.identity.run_id

    @property
    def emitted_count(self) -> int:
        """How many events this life has numbered."""
        return self._emission.emitter.count

    @property
    def lost_count(self) -> int:
        """How many events could not be kept."""
        return self._emission.lost_count

    async def decide(
        self,
        *,
        rationale: str,
        rejected_alternatives: Iterable[str] = (),
        confidence: float = 0.0,
        input_trigger: str = "",
        context_hash: str = "",
        memory_ids: Iterable[str] = (),
        **options: Unpack[EmitOptions],
    ) -> Receipt:
        """Publish a decision: why this way and which ways were not taken.

        Raises:
            SwarmError: only with `wait=True`.
        """
        try:
            payload = events.decision(
                rationale=rationale,
                context_hash=context_hash,
                input_trigger=input_trigger,
                rejected_alternatives=rejected_alternatives,
                memory_ids=memory_ids,
                confidence=confidence,
            )
            if confidence:
                events.check_confidence(confidence)
            sending = self._send(payload, **options)
        except InvalidEventError as error:
            return self._lose(error, options)
        del payload  # thousands of callers may wait here
        return await sending

    async def change_file(
        self,
        path: str | bytes | PathLike[str] | PathLike[bytes],
        *,
        before: bytes | None,
        after: bytes | None,
        mode: int = 0,
        renamed_from: str | bytes | PathLike[str] | PathLike[bytes] | None = None,
        **options: Unpack[EmitOptions],
    ) -> Receipt:
        """Keep a file's contents under their digests and publish the change.

        Args:
            path: name within the workspace; bytes where it is not UTF-8.
            before: content before; None: the file did not exist.
            after: content after; None: it was deleted.
            mode: permission bits after the change; 0: unknown; `stat.S_IFLNK`: a symbolic link,
                whose content is what it points to.
            renamed_from: the file's name before, where it was renamed.
            **options: see EmitOptions.

        Raises:
            SwarmError: only with `wait=True`.
        """
        is_kept = await self._keep(before, after, options)
        try:
            payload = await changes.build_file_change(
                path,
                before=before,
                after=after,
                mode=mode,
                renamed_from=renamed_from,
                is_reversible=is_kept,
            )
        except InvalidEventError as error:
            return self._lose(error, options)
        return await self.emit(payload, **options)

    async def change_value(
        self,
        target_type: str,
        resource: str,
        *,
        before: object,
        after: object,
        **options: Unpack[EmitOptions],
    ) -> Receipt:
        """Publish the change of a value that JSON can hold: a variable (`ENV_VAR`), a schema, ...

        Args:
            target_type: what kind of thing it is, in capitals.
            resource: its name within the workspace.
            before: value before; None: it did not exist.
            after: value after; None: it exists no longer.
            **options: see EmitOptions.

        Raises:
            SwarmError: only with `wait=True`.
        """
        try:
            old, new = changes.encode_value(before), changes.encode_value(after)
            is_kept = await self._keep(old, new, options)
            payload = changes.value_change(
                target_type, resource, before=old, after=new, is_reversible=is_kept
            )
        except InvalidEventError as error:
            return self._lose(error, options)
        return await self.emit(payload, **options)

    async def signal(
        self,
        status: str,
        *,
        detail: str = "",
        final_count: int = 0,
        **options: Unpack[EmitOptions],
    ) -> Receipt:
        """Publish how the agent is doing, with the process's CPU load and memory.

        Raises:
            SwarmError: only with `wait=True`.
        """
        try:
            payload = events.system_signal(
                status,
                cpu_load_percent=self._vitals.cpu_load_percent(),
                memory_usage_mb=vitals.memory_usage_mb(),
                final_count=final_count,
                detail=detail,
            )
        except InvalidEventError as error:
            return self._lose(error, options)
        return await self.emit(payload, **options)

    async def emit(
        self,
        payload: events.Payload,
        *,
        caused_by: Causes = (),
        attributes: Mapping[str, str] | None = None,
        workspace_id: str = "",
        parent: Mapping[str, str] | None = None,
        wait: bool | None = None,
        timeout: float | None = None,
    ) -> Receipt:
        """Publish an event around any payload that `nervous_system.events` builds.

        Raises:
            SwarmError: only with `wait=True`.
        """
        try:
            sending = self._send(
                payload, caused_by, attributes, workspace_id, parent, wait, timeout
            )
        except InvalidEventError as error:
            return self._emission.lose(events.new_event_id(), error, wait)
        return await sending

    async def _keep(self, before: bytes | None, after: bytes | None, options: EmitOptions) -> bool:
        timeout = options.get("timeout")
        return await self._content.keep(
            before,
            after,
            wait=options.get("wait"),
            timeout=self._timeout if timeout is None else timeout,
        )

    def _lose(self, error: InvalidEventError, options: EmitOptions) -> Receipt:
        return self._emission.lose(events.new_event_id(), error, options.get("wait"))

    @contextmanager
    def span(
        self,
        name: str,
        *,
        attributes: Mapping[str, spans.AttributeValue] | None = None,
        parent: Mapping[str, str] | None = None,
    ) -> Iterator[Span]:
        """Run a block inside a span of the agent's; events made inside carry its ids.

        Args:
            name: of the span.
            attributes: further labels.
            parent: a carrier from another task, process or message, whose span and causes this
                work continues.
        """
        labels = {**self._span_attributes, spans.OPERATION_NAME: spans.INVOKE_AGENT}
        with self._open_span(name, {**labels, **(attributes or {})}, parent) as span:
            yield span

    @contextmanager
    def tool_span(
        self,
        tool: str,
        *,
        call_id: str = "",
        attributes: Mapping[str, spans.AttributeValue] | None = None,
        parent: Mapping[str, str] | None = None,
    ) -> Iterator[Span]:
        """Run a block inside the span of a tool's execution, as `span` does."""
        labels = {
            **self._span_attributes,
            spans.OPERATION_NAME: spans.EXECUTE_TOOL,
            spans.TOOL_NAME: tool,
        }
        if call_id:
            labels[spans.TOOL_CALL_ID] = call_id
        name = f"{spans.EXECUTE_TOOL} {tool}"
        with self._open_span(name, {**labels, **(attributes or {})}, parent) as span:
            yield span

    def carrier(self, *, caused_by: Causes = ()) -> dict[str, str]:
        """Return what work handed over now should take along: trace context, causes and run.

        Put it into the task's record, the message's headers or (`linking.build_environment`) the
        child's environment, and pass it as `parent` where the work goes on.
        """
        causes = event_ids(caused_by) or spans.current_causes.get()
        link = spans.current_link(causes, self.identity.run_id)
        if not link.is_traced and self._origin is not None:
            causes = causes or self._origin.caused_by
            link = replace(self._origin, caused_by=causes, run_id=self.identity.run_id)
        return linking.build_carrier(link)

    async def settle(self) -> None:
        """Publish what is still owed for events that found no room."""
        await self._emission.settle_debts()

    @contextmanager
    def _open_span(
        self,
        name: str,
        attributes: Mapping[str, spans.AttributeValue],
        parent: Mapping[str, str] | None,
    ) -> Iterator[Span]:
        link = linking.read_carrier(parent) if parent is not None else None
        if link is None and not spans.is_inside():
            link = self._origin
        with spans.open_span(
            self._tracer, name, attributes, kind=SpanKind.INTERNAL, parent=link
        ) as span:
            yield span

    def _send(
        self,
        payload: events.Payload,
        caused_by: Causes = (),
        attributes: Mapping[str, str] | None = None,
        workspace_id: str = "",
        parent: Mapping[str, str] | None = None,
        wait: bool | None = None,
        timeout: float | None = None,
    ) -> Coroutine[Any, Any, Receipt]:
        """Build the event around `payload` and return its sending, for the caller to await.

        No coroutine itself: each one between an agent and the bus costs every call of it.

        Raises:
            InvalidEventError: a value does not fit its field.
        """
        link = self._origin if parent is None else linking.read_carrier(parent)
        trace_id, span_id, traceparent = self._trace(link, is_first=parent is not None)
        causes = event_ids(caused_by) if caused_by else spans.current_causes.get()
        if not causes and link is not None:
            causes = link.caused_by
        draft = self._envelope.draft(
            events.kind_of_payload(payload),
            payload,
            event_id=events.new_event_id(),
            time_ns=time.time_ns(),
            trace_id=trace_id,
            span_id=span_id,
            caused_by=causes,
            attributes=attributes,
            workspace_id=workspace_id,
        )
        limit = self._timeout if timeout is None else timeout
        return self._emission.send(draft, traceparent, wait, limit)

    def _trace(self, link: Link | None, *, is_first: bool) -> tuple[str, str, str]:
        """Return the ids of a given link before, or else after, those of the active span."""
        if is_first and link is not None and link.is_traced:
            return _ids(link)
        current = self._current
        if current.refresh():
            return current.trace_id, current.span_id, current.traceparent
        return _ids(link) if link is not None else ("", "", "")


def _ids(link: Link) -> tuple[str, str, str]:
    traceparent = linking.format_traceparent(link.trace_id, link.span_id, link.flags)
    return link.trace_id, link.span_id, traceparent
