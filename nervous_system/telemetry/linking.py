"""Links between pieces of work: trace context and causes as strings that travel with it.

Context variables get lost where work crosses a queue, a thread pool, a process or a model's reply.
A carrier is a flat mapping of strings that fits into a task's record, message headers or a child's
environment. Pure.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from nervous_system.events import is_event_id

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
CAUSED_BY = "swarm-caused-by"
RUN = "swarm-run"
MESSAGE_ID = "nats-msg-id"
SAMPLED = 1

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Where work comes from."""

    trace_id: str = ""
    """32 hex digits; empty: not traced."""
    span_id: str = ""
    """16 hex digits of the span that handed the work over."""
    flags: int = SAMPLED
    tracestate: str = ""
    caused_by: tuple[str, ...] = ()
    """Ids of the events that led to the work."""
    run_id: str = ""

    @property
    def is_traced(self) -> bool:
        """Whether there is a span to be a child of."""
        return bool(self.trace_id)


def format_traceparent(trace_id: str, span_id: str, flags: int = SAMPLED) -> str:
    """Return W3C's form of a span's context; empty outside a span."""
    return f"00-{trace_id}-{span_id}-{flags:02x}" if trace_id and span_id else ""


def parse_traceparent(text: str) -> tuple[str, str, int] | None:
    """Return trace id, span id and flags; None where `text` is no valid traceparent."""
    match = _TRACEPARENT.fullmatch(text.strip())
    if match is None or match[1] == "ff" or (match[1] == "00" and match[5]):
        return None
    if not int(match[2], 16) or not int(match[3], 16):
        return None
    return match[2], match[3], int(match[4], 16)


def build_carrier(link: Link) -> dict[str, str]:
    """Return `link` as strings; `read_carrier` is the inverse."""
    carrier = {
        TRACEPARENT: format_traceparent(link.trace_id, link.span_id, link.flags),
        TRACESTATE: link.tracestate,
        CAUSED_BY: ",".join(link.caused_by),
        RUN: link.run_id,
    }
    return {name: value for name, value in carrier.items() if value}


def build_environment(carrier: Mapping[str, str]) -> dict[str, str]:
    """Return `carrier` as environment variables for a child process (`TRACEPARENT`, ...)."""
    return {name.upper().replace("-", "_"): value for name, value in carrier.items()}


def read_carrier(carrier: Mapping[str, str]) -> Link:
    """Return the link in a carrier, in headers of a message or in an environment.

    Names are compared without case and with `_` for `-`. A message's id is a cause of what its
    reader does. What is malformed is left out: a broken link must not break the work.
    """
    values = {name.lower().replace("_", "-"): value for name, value in carrier.items()}
    parsed = parse_traceparent(values.get(TRACEPARENT, ""))
    trace_id, span_id, flags = parsed or ("", "", SAMPLED)
    named = values.get(CAUSED_BY, "").split(",")
    causes = _event_ids([*named, values.get(MESSAGE_ID, "")])
    return Link(
        trace_id=trace_id,
        span_id=span_id,
        flags=flags,
        tracestate=values.get(TRACESTATE, "") if parsed else "",
        caused_by=causes,
        run_id=values.get(RUN, ""),
    )


def _event_ids(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in map(str.strip, texts) if is_event_id(text)))
