"""Messages as they are handed from reading to comparing."""

from dataclasses import dataclass


@dataclass(slots=True)
class Messages:
    """Messages of a stream, parallel lists in stream order."""

    sequences: list[int]
    subjects: list[bytes]
    payloads: list[bytes]

    def __len__(self) -> int:
        return len(self.sequences)
