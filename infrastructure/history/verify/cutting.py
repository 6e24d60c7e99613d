"""Cuts what is read of a stream into stretches of a bounded size that end where spans end; pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from infrastructure.history.verify.messages import Messages
from infrastructure.history.verify.span import Span

MAX_MESSAGES = 16_000
"""Messages of one stretch."""
MAX_BYTES = 20 * 1024 * 1024
"""Raw bytes of one stretch, by which memory is bounded."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The messages of some sequences that follow those of the cut before."""

    span: Span
    """Where the sequences lie."""
    first: int
    last: int
    messages: Messages

    @property
    def ends_span(self) -> bool:
        """Whether this is the last of its span."""
        return self.last == self.span.last


class Cutter:
    """Every sequence of the spans lies in exactly one cut, whether there is a message at it or not.

    `add` what comes in order, then `finish`.
    """

    def __init__(self, spans: Iterator[Span]) -> None:
        self._spans = spans
        self._span = next(spans, None)
        self._next = self._span.first if self._span else 0
        self._messages = Messages()
        self._size_bytes = 0

    def add(self, messages: Messages) -> Iterator[Cut]:
        """Take messages and yield the cuts that are whole."""
        while (span := self._span) is not None and messages.sequences:
            head, messages = messages.split(span.last)
            self._messages.join(head)
            self._size_bytes += sum(map(len, head.payloads))
            if messages.sequences:
                yield self._cut(span, span.last)
            elif len(self._messages) >= MAX_MESSAGES or self._size_bytes >= MAX_BYTES:
                yield self._cut(span, self._messages.sequences[-1])

    def finish(self) -> Iterator[Cut]:
        """Yield what is left when everything has been read."""
        while (span := self._span) is not None:
            yield self._cut(span, span.last)

    def _cut(self, span: Span, last: int) -> Cut:
        cut = Cut(span, self._next, last, self._messages)
        self._messages, self._size_bytes, self._next = Messages(), 0, last + 1
        if cut.ends_span:
            self._span = next(self._spans, None)
        return cut
