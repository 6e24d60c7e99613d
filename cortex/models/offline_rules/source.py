"""Python source as text and back, byte by byte the same where nothing was changed."""

import io
import tokenize
from codecs import BOM_UTF8
from dataclasses import dataclass

from cortex.errors import CortexError


class UnreadableSourceError(CortexError):
    """The bytes of a file cannot be worked on as Python source."""

    def __init__(self, *, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file, and how it was written down."""

    text: str
    """With its own line ends, without a byte order mark."""
    encoding: str
    has_bom: bool

    def with_text(self, text: str) -> "Source":
        """The same file with other text."""
        return Source(text, self.encoding, self.has_bom)

    def to_bytes(self) -> bytes:
        """The content of the file.

        Raises:
            UnreadableSourceError: the text has characters that the file's encoding lacks.
        """
        try:
            encoded = self.text.encode(self.encoding)
        except UnicodeEncodeError as error:
            raise UnreadableSourceError(
                reason=f"its encoding {self.encoding} has no {error.object[error.start]!r}"
            ) from error
        return (BOM_UTF8 if self.has_bom else b"") + encoded


def parse_source(content: bytes) -> Source:
    """Read the content of a file, by its byte order mark or coding line (PEP 263), else as UTF-8.

    Raises:
        UnreadableSourceError: it is no text in the encoding that it names, or cannot be edited.
    """
    if b"\0" in content:
        raise UnreadableSourceError(reason="it has NUL bytes, so it is no Python source")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError as error:
        raise UnreadableSourceError(reason=f"its encoding cannot be told: {error.msg}") from error
    has_bom = content.startswith(BOM_UTF8)
    codec = "utf-8" if encoding == "utf-8-sig" else encoding
    try:
        text = content[len(BOM_UTF8) if has_bom else 0 :].decode(codec)
    except UnicodeDecodeError as error:
        raise UnreadableSourceError(
            reason=f"byte {error.start} is not {codec}, the encoding that the file has by PEP 263"
        ) from error
    if text.replace("\r\n", "").count("\r"):
        raise UnreadableSourceError(reason="it has lines that end in a lone carriage return")
    source = Source(text, codec, has_bom)
    if source.to_bytes() != content:
        raise UnreadableSourceError(reason=f"its bytes do not survive a round trip in {codec}")
    return source
