"""What all readers of transcripts share: records come out, and everything is counted once.

Pure. A reader is fed the objects of one session in order and answers with records. It keeps what it
has to remember of earlier objects, so that feeding the same objects again gives the same records.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from infrastructure.intake.sessions.records import (
    COUNTS,
    Answered,
    AnyRecord,
    Called,
    Edited,
    Noted,
    Outcome,
    Said,
    Used,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND, _SECOND = 1_000_000, 1_000_000_000
_LATEST_NS = 253_402_300_799 * _SECOND


class Reader:
    """Base of the readers; one reads one session from one source."""

    edit_tools: frozenset[str] = frozenset()
    """Names of tools that change files."""
    subagent_tools: frozenset[str] = frozenset()
    """Names of tools that start another agent."""
    has_child_sessions = True
    """Sub-agents have sessions of their own."""
    is_paired = True
    """Calls and answers have ids by which each finds the other."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = dict.fromkeys(COUNTS, 0)
        self.drift: dict[str, int] = {}
        """Types that this reader does not know, and how often they came."""
        self.facts: dict[str, str] = {}
        """What the transcript says of the whole session: cwd, version, model, title, parent."""
        self._out: list[AnyRecord] = []
        self._now_ns = 0
        self._calls: dict[str, Called] = {}
        self._answered: set[str] = set()
        self._has_started = False

    def read(self, value: Mapping[str, Any]) -> tuple[str, list[AnyRecord]]:
        """Return an object's own name for what it is, and the records in it.

        What is not as it should be in an object ends the reading of this object, of nothing else.
        """
        self._out = []
        try:
            kind = self._read(value)
        except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
            kind = self._unknown(str(value.get("type") or value.get("role") or "record"))
            self._drift(f"unreadable:{type(error).__name__}")
        return kind, self._out

    def totals(self) -> dict[str, int]:
        """Return what was counted so far, by the names of COUNTS and those of the format."""
        counted = dict(self.counts)
        if self.is_paired:
            counted["unanswered_calls"] += len(self._calls.keys() - self._answered)
            counted["orphan_results"] += len(self._answered - self._calls.keys())
        counted["decisions"] = counted["assistant_text"] + counted["thinking"]
        return counted

    @property
    def now_ns(self) -> int:
        """When what was read last happened, in nanoseconds since 1970; 0: it did not say."""
        return self._now_ns

    @property
    def late_kinds(self) -> frozenset[str]:
        """Which late records count: there is no better record of `text`, `edit`, and so on."""
        return frozenset()

    def _read(self, value: Mapping[str, Any]) -> str:
        raise NotImplementedError

    # --- what readers say

    def _text(self, text: object, message_id: str = "") -> None:
        """The model wrote a text; white space is none."""
        if str(text or "").strip():
            self.counts["assistant_text"] += 1
            self._add(Said(speech="text", text=str(text), message_id=message_id))

    def _thought(self, text: object, message_id: str = "") -> None:
        self.counts["thinking"] += 1
        self._add(Said(speech="thinking", text=str(text or ""), message_id=message_id))

    def _prompt(self, text: object) -> None:
        self.counts["user_prompts"] += 1
        self._add(Said(speech="prompt", text=str(text or "")))

    def _call(
        self,
        call_id: object,
        name: object,
        arguments: Any,
        message_id: str = "",
        *,
        is_edit: bool | None = None,
    ) -> Called:
        named = str(name or "")
        self.counts["tool_calls"] += 1
        if (named in self.edit_tools) if is_edit is None else is_edit:
            self.counts["edit_calls"] += 1
        if named in self.subagent_tools:
            self.counts["subagent_calls"] += 1
        key = "" if call_id is None else str(call_id)
        call = Called(call_id=key, name=named, arguments=arguments, message_id=message_id)
        self._calls[key] = call
        self._add(call)
        return call

    def _result(
        self,
        call_id: object,
        text: str,
        outcome: Outcome = "ok",
        *,
        name: str = "",
        child: str = "",
        duration_us: int = 0,
    ) -> Called | None:
        """A tool answered; return what it was asked."""
        key = "" if call_id is None else str(call_id)
        self.counts["tool_results"] += 1
        if outcome != "ok":
            self.counts["errors"] += 1
        self._answered.add(key)
        call = self._calls.get(key)
        self._add(
            Answered(
                call_id=key,
                text=text,
                outcome=outcome,
                name=name or (call.name if call else ""),
                child=child,
                duration_us=duration_us,
            )
        )
        return call

    def _edit(self, edited: Edited) -> None:
        self.counts["file_edits"] += 1
        self._add(edited)

    def _used(self, used: Used) -> None:
        self._add(used)

    def _failed(self, text: str, document: Mapping[str, Any] | None = None) -> None:
        """The model could not be asked."""
        self.counts["api_errors"] += 1
        self._note("notice", text, {"level": "error", **(document or {})})

    def _note(self, type: str, text: str = "", document: Mapping[str, Any] | None = None) -> None:  # noqa: A002 # as the field of the event
        self._add(Noted(type=type, text=text, document=document or {}))

    def _start(self, document: Mapping[str, Any]) -> None:
        """The session began; only the first to say so counts."""
        if not self._has_started:
            self._has_started = True
            self._note("start", "", {key: one for key, one in document.items() if one})

    def _fact(self, name: str, value: object) -> None:
        """Remember what is said first of the whole session."""
        if isinstance(value, str) and value:
            self.facts.setdefault(name, value)

    def _unknown(self, kind: str) -> str:
        self._drift(kind)
        return f"unknown:{kind}"

    def _drift(self, name: str) -> None:
        self.drift[name] = self.drift.get(name, 0) + 1

    def _count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by

    def _at(self, value: object) -> None:
        """What follows happened then, or, if nobody can read that, at an unknown time."""
        self._now_ns = parse_time(value)

    def _add(self, record: AnyRecord) -> None:
        if not record.at_ns:
            record.at_ns = self._now_ns
        self._out.append(record)


ReaderFactory = Callable[[], Reader]


def parse_time(value: object) -> int:
    """Return nanoseconds since 1970 from ISO 8601, seconds or milliseconds; 0: none of these."""
    if isinstance(value, bool) or value is None:
        return 0
    if isinstance(value, int | float):
        found = value * (_MILLISECOND if abs(value) > 1e11 else _SECOND)
        return int(found) if 0 < found < _LATEST_NS else 0
    if not isinstance(value, str):
        return 0
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    try:
        return max(0, (moment - _EPOCH) // timedelta(microseconds=1) * 1000)
    except OverflowError:
        return 0


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or blocks of which some are text."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    texts = []
    for block in content:
        if isinstance(block, str):
            texts.append(block)
        elif isinstance(block, Mapping):
            found = block.get("text")
            texts.append(found if isinstance(found, str) else f"[{block.get('type', 'block')}]")
    return "\n".join(texts)


def mapping_of(value: object) -> Mapping[str, Any]:
    """Return `value` if it is an object, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> list[Any]:
    """Return `value` if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def whole(value: object) -> int:
    """Return a number of tokens; what is none counts as 0."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(value) if 0 <= value < 2**53 else 0


def parse_json(text: object) -> Any:
    """Return what a text says in JSON; None: nothing."""
    if not isinstance(text, str):
        return None
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
