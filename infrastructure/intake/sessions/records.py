"""The neutral model: what any harness's transcript says, whatever its format.

Pure. Readers turn the bytes of a format into these records; `mapping` turns them into events of the
swarm. A record says nothing that its format does not: what is unknown is empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

COUNTS: Final = (
    *("assistant_text", "thinking", "user_prompts", "tool_calls", "tool_results"),
    *("unanswered_calls", "orphan_results", "edit_calls", "file_edits", "errors", "nonzero_exit"),
    *("api_errors", "malformed_lines", "recovered_records", "subagent_calls"),
)
"""What is counted of every session; `decisions` is `assistant_text` and `thinking` together."""

Speech = Literal["text", "thinking", "prompt"]
Outcome = Literal["ok", "refused", "failed", "timed_out"]


@dataclass(slots=True, kw_only=True)
class Record:
    """What every record carries."""

    at_ns: int = 0
    """When, in nanoseconds since 1970; 0: the format does not say."""


@dataclass(slots=True, kw_only=True)
class Said(Record):
    """Somebody said something: the model (text, thinking) or whoever asks it (prompt)."""

    speech: Speech
    text: str
    message_id: str = ""
    is_late: bool = False
    """Counts only if the transcript has no better record of the same thing."""


@dataclass(slots=True, kw_only=True)
class Called(Record):
    """The model asked for a tool."""

    call_id: str
    name: str
    arguments: Any = None
    """As JSON has them, or the text that the model wrote."""
    message_id: str = ""


@dataclass(slots=True, kw_only=True)
class Answered(Record):
    """A tool answered."""

    call_id: str
    text: str
    outcome: Outcome = "ok"
    name: str = ""
    """Of the tool, where the answer says it."""
    child: str = ""
    """The sub-agent that did the work."""
    duration_us: int = 0


@dataclass(slots=True, kw_only=True)
class Edited(Record):
    """A file was changed, as the answer of a tool proves."""

    path: str
    call_id: str = ""
    before: str | None = None
    """Content before; None: not in the transcript, or there was none (see `is_new`)."""
    after: str | None = None
    """Content after; None: not in the transcript, or there is none (see `is_gone`)."""
    patch: str = ""
    """Unified diff, with or without a header."""
    is_new: bool = False
    is_gone: bool = False
    moved_from: str = ""
    is_late: bool = False
    """Counts only if the transcript has no better record of the same thing."""


@dataclass(slots=True, kw_only=True)
class Used(Record):
    """What a call to a model took; later records of the same key replace smaller figures."""

    key: str
    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None
    """None: the transcript does not say."""
    counts_cached: bool = False
    """Tokens of the cache are among the input tokens."""
    is_total: bool = False
    """The figures are those of the whole session up to here."""


@dataclass(slots=True, kw_only=True)
class Noted(Record):
    """Something that is no speech, call or change: a start, a compaction, an error of the API."""

    type: str
    text: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)


AnyRecord = Said | Called | Answered | Edited | Used | Noted
