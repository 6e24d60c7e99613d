"""Turns what a transcript says into events of the swarm.

Pure. A mapper is fed the units of one source in order; the events that it plans follow from the
units alone, ids included, so that reading a source again plans the same events again. What cannot
be known before later units have come (whether a call is answered, what a message takes in the end)
waits; `settle` says what is due where the source ends for now.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final

from infrastructure.intake.sessions.file_changes import FileStates
from infrastructure.intake.sessions.identity import Identity, event_id
from infrastructure.intake.sessions.reader import Reader
from infrastructure.intake.sessions.records import (
    Answered,
    AnyRecord,
    Called,
    Edited,
    Noted,
    Said,
    Used,
)
from infrastructure.intake.sessions.units import Unit, parts_of
from nervous_system import events
from nervous_system.payloads import Payload, build_message
from nervous_system.schemas import ToolCall

PART_BYTES: Final = 4 * 1024 * 1024
"""Of a line in one message."""
MAX_TEXT_CHARACTERS: Final = 256 * 1024
"""Of a decision or an argument; the line has all of it."""
TRIGGER_CHARACTERS: Final = 200
LATE_AT_ONCE: Final = 400
"""Late records that are settled together: a settlement is one batch."""
MICRO: Final = 1_000_000
MALFORMED = "malformed"

Build = Callable[[], Payload]
Price = Callable[[str, Used], int | None]
"""Millionths of a US dollar that tokens of a model cost; None: not known."""


def no_price(model: str, used: Used) -> int | None:
    """Nothing is known of prices."""
    del model, used
    return None


@dataclass(slots=True, kw_only=True)
class Planned:
    """An event that is to be published, all but its bytes."""

    event_id: str
    build: Build
    at_ns: int
    attributes: Mapping[str, str]
    caused_by: tuple[str, ...] = ()
    redactions: Mapping[str, int] = field(default_factory=dict)
    contents: tuple[bytes, ...] = ()
    """What is to lie in the store of contents before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What was published where the source ended for a while, before its time had come."""

    calls: tuple[str, ...] = ()
    """Ids of calls that had no answer yet."""
    late: Mapping[str, int] = field(default_factory=dict)
    """How many late records of each kind."""
    usage: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Figures by key."""
    marks: tuple[str, ...] = ()
    """Ids of marks."""

    def as_document(self) -> dict[str, Any]:
        """Return what JSON holds of it; `settled_of` is the inverse."""
        found = {
            "calls": list(self.calls),
            "late": dict(self.late),
            "usage": {key: list(figures) for key, figures in self.usage.items()},
            "marks": list(self.marks),
        }
        return {name: one for name, one in found.items() if one}


def settled_of(document: Mapping[str, Any]) -> Settled:
    """Return what a document says."""
    return Settled(
        calls=tuple(document.get("calls", ())),
        late=document.get("late", {}),
        usage={key: tuple(one) for key, one in document.get("usage", {}).items()},
        marks=tuple(document.get("marks", ())),
    )


class Mapper:
    """Plans the events of one source."""

    def __init__(
        self,
        identity: Identity,
        reader: Reader,
        *,
        price: Price = no_price,
        begun_ns: int = 0,
    ) -> None:
        self.identity = identity
        self.reader = reader
        self.settled = Settled()
        self._price = price
        self._attributes = identity.attributes
        self._key = identity.key
        self._seen: dict[bytes, int] = {}
        self._clock_ns = begun_ns
        self._files = FileStates()
        self._prompt = ""
        self._prompt_id = ""
        self._decision_id = ""
        self._children: set[str] = set()
        """Sub-agents that were named."""
        self._open: dict[str, tuple[str, Called, tuple[str, ...]]] = {}
        self._call_ids: dict[str, str] = {}
        self._pending: set[str] = set()
        self._late: dict[str, list[Planned]] = {}
        self._due: dict[str, Used] = {}
        """What is to be told of usage."""
        self._told: dict[str, tuple[int, ...]] = {}
        self._planned: list[Planned] = []
        self._digest = b""
        self._occurrence = 0
        self._number = ""
        self.first_ns = 0
        self.last_ns = 0

    @property
    def span_ns(self) -> tuple[int, int]:
        """When the session began and was last heard of, in nanoseconds since 1970.

        Of a transcript that tells no time: when its file was written, so far as that is known.
        """
        return self.first_ns or self._clock_ns, self.last_ns or self._clock_ns

    def plan(self, unit: Unit) -> list[Planned]:
        """Return the events of a unit, in order."""
        self._planned = []
        self._digest = unit.digest
        self._occurrence = self._seen.get(unit.digest, 0)
        self._seen[unit.digest] = self._occurrence + 1
        self._number = str(unit.number) if unit.is_line else ""
        kinds: list[str] = []
        derived: list[tuple[str, AnyRecord]] = []
        if unit.is_malformed:
            self.reader.counts["malformed_lines"] += 1
            self.reader.counts["recovered_records"] += len(unit.objects)
        for number, value in enumerate(unit.objects):
            kind, records = self.reader.read(value)
            kinds.append(kind)
            derived += [(f"{number}.{index}", one) for index, one in enumerate(records)]
        self._tick(derived)
        if unit.is_line:
            self._plan_line(unit, kinds[0] if kinds and not unit.is_malformed else "")
        for name, record in derived:
            self._plan_record(name, record)
        return self._planned

    def resume(self, settled: Settled) -> None:
        """Take over what was published early by whoever read up to here before."""
        self.settled = settled
        self._pending.update(settled.calls)
        for key, figures in settled.usage.items():
            self._told[key] = _most(self._told.get(key, ()), figures)

    def settle(
        self, late_objects: Iterable[Mapping[str, Any]] = (), *, is_quiet: bool = True
    ) -> list[Planned]:
        """Return what is due where the source ends for now; `settled` says so afterwards.

        Args:
            late_objects: What the source says of the whole session by now.
            is_quiet: It has ended, or nothing has come for a while: what is told twice, or grows
                while it is told, is complete. Without it only calls are due.
        """
        self._planned = []
        self._settle_objects(late_objects)
        told = dict(self.settled.late)
        for kind in sorted(self.reader.late_kinds if is_quiet else ()):
            begin = told.get(kind, 0)
            due = self._late.get(kind, [])[begin : begin + LATE_AT_ONCE - len(self._planned)]
            self._planned += due
            told[kind] = begin + len(due)
        for call_id, (made_id, called, causes) in self._open.items():
            if call_id not in self._pending:
                self._planned.append(self._call_event(made_id, called, None, causes))
                self._pending.add(call_id)
        if is_quiet:
            self._tell_usage(except_key=None)
        self.settled = Settled(
            calls=tuple(one for one in self._open if one in self._pending),
            late=told,
            usage={key: self._told[key] for key in _newest(self._told)},
            marks=self.settled.marks,
        )
        return self._planned

    # --- lines

    def _tick(self, derived: Iterable[tuple[str, AnyRecord]]) -> None:
        now = self.reader.now_ns or max((one.at_ns for _, one in derived), default=0)
        if now:
            self._clock_ns = now
            self.first_ns = min(self.first_ns or now, now)
            self.last_ns = max(self.last_ns, now)

    def _plan_line(self, unit: Unit, kind: str) -> None:
        kind = kind or (MALFORMED if unit.is_malformed else "")
        attributes = dict(self._attributes)
        if unit.file:
            attributes["file"] = unit.file
        if not unit.is_terminated:
            attributes["unterminated"] = "1"
        if unit.left_out_bytes:
            attributes["left_out_bytes"] = str(unit.left_out_bytes)
        parts = list(parts_of(unit, PART_BYTES))
        for number, (offset, part) in enumerate(parts):
            if len(parts) > 1:
                attributes = {**attributes, "part": f"{number + 1}/{len(parts)}"}
            self._planned.append(
                Planned(
                    event_id=self._made_id("line" if not number else f"line.{number}"),
                    build=_line_payload(self.identity, unit, offset, part, kind),
                    at_ns=self._clock_ns,
                    attributes=attributes,
                    redactions=unit.redactions if not number else {},
                )
            )

    def _made_id(self, name: str) -> str:
        return event_id(self._key, self._digest, self._occurrence, name)

    # --- records

    def _plan_record(self, name: str, record: AnyRecord) -> None:
        made_id = self._made_id(name)
        match record:
            case Said():
                self._plan_said(made_id, record)
            case Called():
                self._plan_call(made_id, record)
            case Answered():
                self._plan_answer(made_id, record)
            case Edited():
                self._plan_edit(made_id, record)
            case Used():
                self._take_usage(record)
            case Noted(type="subagent"):
                self._plan_child(made_id, record)
            case Noted():
                self._planned.append(self._note_event(made_id, record))

    def _event(
        self,
        made_id: str,
        record: AnyRecord,
        build: Build,
        causes: tuple[str, ...] = (),
        **attributes: str,
    ) -> Planned:
        extra = {name: value for name, value in attributes.items() if value}
        if self._number:
            extra["line"] = self._number
        return Planned(
            event_id=made_id,
            build=build,
            at_ns=record.at_ns or self._clock_ns,
            attributes={**self._attributes, **extra},
            caused_by=tuple(one for one in causes if one),
        )

    def _present_causes(self) -> tuple[str, ...]:
        return (self._decision_id or self._prompt_id or self.identity.begun_by,)

    def _plan_said(self, made_id: str, said: Said) -> None:
        if said.speech == "prompt":
            begun_by = "" if self._prompt_id else self.identity.begun_by
            planned = self._event(made_id, said, _prompt_payload(said.text), (begun_by,))
            if not said.is_late:
                self._prompt, self._prompt_id = said.text[:TRIGGER_CHARACTERS], made_id
                self._decision_id = ""
        else:
            planned = self._event(
                made_id,
                said,
                _decision_payload(said.text, self._prompt),
                (self._prompt_id or self.identity.begun_by,),
                speech=said.speech,
                message_id=said.message_id,
            )
            if not said.is_late:
                self._decision_id = made_id
        if said.is_late:
            self._late.setdefault(said.speech, []).append(planned)
        else:
            self._planned.append(planned)

    def _plan_call(self, made_id: str, called: Called) -> None:
        before = self._open.pop(called.call_id, None)
        if before is not None and called.call_id not in self._pending:
            # Its id is used again: whatever answers now is for the later one.
            self._planned.append(self._call_event(before[0], before[1], None, before[2]))
        self._pending.discard(called.call_id)
        self._open[called.call_id] = (made_id, called, self._present_causes())
        self._call_ids[called.call_id] = made_id

    def _plan_answer(self, made_id: str, answer: Answered) -> None:
        found = self._open.pop(answer.call_id, None)
        if found is None:
            document = {"tool_call_id": answer.call_id, "outcome": answer.outcome}
            self._planned.append(
                self._note_event(
                    made_id,
                    Noted(type="result", text=answer.text, document=document, at_ns=answer.at_ns),
                )
            )
            return
        call_event, called, causes = found
        if answer.call_id in self._pending:
            self._pending.discard(answer.call_id)
            made, causes = made_id, (call_event,)
        else:
            made = call_event
        self._planned.append(self._call_event(made, called, answer, causes))

    def _call_event(
        self, made_id: str, called: Called, answer: Answered | None, causes: tuple[str, ...]
    ) -> Planned:
        return self._event(
            made_id,
            called,
            _call_payload(called, answer),
            causes,
            message_id=called.message_id,
            child_agent=answer.child if answer else "",
        )

    def _plan_edit(self, made_id: str, edited: Edited) -> None:
        change = self._files.change(edited, self.reader.facts.get("cwd", ""))
        planned = self._event(
            made_id,
            edited,
            change.build,
            (self._call_ids.get(edited.call_id, "") or self._decision_id,),
            tool_call_id=edited.call_id,
            states=change.states,
        )
        planned.contents = change.contents
        if edited.is_late:
            self._late.setdefault("edit", []).append(planned)
        else:
            self._planned.append(planned)

    def _plan_child(self, made_id: str, noted: Noted) -> None:
        """Name a sub-agent: what it does first was caused by that, and that by the call."""
        if noted.text not in self._children:
            self._children.add(noted.text)
            has_session = self.reader.has_child_sessions
            made_id = self.identity.child(noted.text, has_session=has_session).begun_by
        self._planned.append(self._note_event(made_id, noted))

    def _note_event(self, made_id: str, noted: Noted) -> Planned:
        causes: tuple[str, ...] = (self.identity.begun_by,) if noted.type == "start" else ()
        call_id = noted.document.get("tool_call_id")
        if isinstance(call_id, str):
            causes = (self._call_ids.get(call_id, ""),)
        return self._event(made_id, noted, _note_payload(noted), causes)

    def _settle_objects(self, objects: Iterable[Mapping[str, Any]]) -> None:
        """Read what is said of the whole session, which changes while it goes on."""
        marks = set(self.settled.marks)
        for value in objects:
            _, records = self.reader.read(value)
            for record in records:
                if isinstance(record, Used):
                    self._due[record.key] = record
                elif isinstance(record, Noted):
                    text = json.dumps([record.type, record.text, record.at_ns])
                    made = event_id(self._key, sha256(text.encode()).digest(), 0, "mark")
                    if made not in marks:
                        marks.add(made)
                        self._planned.append(self._note_event(made, record))
        self.settled = replace(self.settled, marks=tuple(sorted(marks)))

    # --- usage

    def _take_usage(self, used: Used) -> None:
        before = self._due.get(used.key)
        self._due[used.key] = used if before is None else _larger(before, used)
        # What other messages took is complete now; of running totals each step is told.
        self._tell_usage(except_key=None if used.is_total else used.key)

    def _tell_usage(self, except_key: str | None) -> None:
        for key in [one for one in self._due if one != except_key]:
            used = self._due.pop(key)
            figures, told = _figures(used), self._told.get(key)
            before = told or (0,) * len(figures)
            steps = tuple(max(0, new - old) for new, old in zip(figures, before, strict=True))
            if told is not None and not any(steps):
                continue
            self._told[key] = _most(before, figures)
            self._planned.append(self._usage_event(used, steps))

    def _usage_event(self, used: Used, steps: tuple[int, ...]) -> Planned:
        text = f"{used.key}\0{','.join(map(str, self._told[used.key]))}"
        made = event_id(self._key, sha256(text.encode("utf-8", "replace")).digest(), 0, "usage")
        step = Used(
            key=used.key,
            model=used.model,
            input_tokens=steps[0],
            output_tokens=steps[1],
            cache_read_tokens=steps[2],
            cache_write_tokens=steps[3],
            counts_cached=used.counts_cached,
            at_ns=used.at_ns,
        )
        cost = steps[4] if used.cost_usd is not None else self._price(used.model, step)
        return self._event(
            made,
            used,
            _usage_payload(step, cost or 0),
            (self._decision_id,),
            message_id="" if used.is_total else used.key,
            cache_read_tokens=str(steps[2]) if steps[2] else "",
            cache_write_tokens=str(steps[3]) if steps[3] else "",
            cost="" if cost is None else "transcript" if used.cost_usd is not None else "listed",
        )


def _figures(used: Used) -> tuple[int, ...]:
    return (
        used.input_tokens,
        used.output_tokens,
        used.cache_read_tokens,
        used.cache_write_tokens,
        int((used.cost_usd or 0) * MICRO + 0.5),
    )


def _larger(before: Used, after: Used) -> Used:
    """Return the greater figures: a message's own grow while it is written."""
    costs = [one for one in (before.cost_usd, after.cost_usd) if one is not None]
    return Used(
        key=after.key,
        model=after.model or before.model,
        input_tokens=max(before.input_tokens, after.input_tokens),
        output_tokens=max(before.output_tokens, after.output_tokens),
        cache_read_tokens=max(before.cache_read_tokens, after.cache_read_tokens),
        cache_write_tokens=max(before.cache_write_tokens, after.cache_write_tokens),
        cost_usd=max(costs, default=None),
        counts_cached=after.counts_cached,
        is_total=after.is_total,
        at_ns=after.at_ns,
    )


def _most(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    if not one or not other:
        return one or other
    return tuple(max(pair) for pair in zip(one, other, strict=True))


def _newest(told: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Return the keys that may still get other figures."""
    return list(told)[-8:]


def _line_payload(identity: Identity, unit: Unit, offset: int, part: bytes, kind: str) -> Build:
    return lambda: events.session_line(
        part,
        source=identity.source,
        number=unit.number,
        offset=offset,
        digest=unit.original_digest,
        type=kind,
    )


def _decision_payload(text: str, prompt: str) -> Build:
    return lambda: events.decision(rationale=_cut(text), input_trigger=prompt)


def _prompt_payload(text: str) -> Build:
    return lambda: events.session_mark("prompt", text=_cut(text))


def _note_payload(noted: Noted) -> Build:
    document = {name: one for name, one in noted.document.items() if one not in ("", None)}
    text = json.dumps(document, ensure_ascii=False, default=str) if document else ""
    if len(text) > MAX_TEXT_CHARACTERS:
        text = json.dumps({"left_out_characters": len(text)})
    return lambda: events.session_mark(noted.type, text=_cut(noted.text), document=text)


def _call_payload(called: Called, answer: Answered | None) -> Build:
    arguments = _arguments(called.arguments)
    if answer is None:  # what came of it is not known yet
        return lambda: build_message(
            ToolCall,
            tool_name=called.name,
            tool_call_id=called.call_id,
            tool_arguments=arguments,
        )
    duration = answer.duration_us or max(0, answer.at_ns - called.at_ns) // 1000
    if not (answer.at_ns and called.at_ns) and not answer.duration_us:
        duration = 0
    return lambda: events.tool_call(
        called.name,
        call_id=called.call_id,
        arguments=arguments,
        result=answer.text,
        outcome=answer.outcome,
        duration_us=duration,
    )


def _usage_payload(step: Used, cost: int) -> Build:
    return lambda: events.model_call(
        step.model or "unknown",
        input_tokens=step.input_tokens,
        output_tokens=step.output_tokens,
        cost_microusd=cost,
    )


def _arguments(value: Any) -> str:
    """Return arguments as the JSON object that events hold."""
    if isinstance(value, str):
        text = value if value.lstrip().startswith("{") and _is_object(value) else ""
        text = text or json.dumps({"input": value}, ensure_ascii=False)
    elif isinstance(value, Mapping):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = "{}" if value is None else json.dumps({"input": value}, ensure_ascii=False)
    if len(text) > MAX_TEXT_CHARACTERS:
        return json.dumps({"left_out_characters": len(text)})
    return text


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _cut(text: str) -> str:
    if len(text) <= MAX_TEXT_CHARACTERS:
        return text
    return f"{text[:MAX_TEXT_CHARACTERS]}\n[{len(text) - MAX_TEXT_CHARACTERS} more characters]"
