"""Messages as they are handed from reading to comparing."""

from bisect import bisect_right
from dataclasses import dataclass, field


@dataclass(slots=True)
class Messages:
    """Messages of a stream, parallel lists in stream order."""

    sequences: list[int] = field(default_factory=list)
    subjects: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.sequences)

    def join(self, more: "Messages") -> None:
        """Append messages that come after these."""
        self.sequences += more.sequences
        self.subjects += more.subjects
        self.payloads += more.payloads

    def split(self, sequence: int) -> "tuple[Messages, Messages]":
        """Return the messages up to a sequence, and those after it."""
        at = bisect_right(self.sequences, sequence)
        if at == len(self.sequences):
            return self, Messages()
        return (
            Messages(self.sequences[:at], self.subjects[:at], self.payloads[:at]),
            Messages(self.sequences[at:], self.subjects[at:], self.payloads[at:]),
        )
