"""What httptools finds in a request: its head, and the pieces of a chunked body."""

import httptools


class BadRequestError(Exception):
    """Bytes that are not a request we answer; the connection is closed after saying so."""

    def __init__(self, status: int, reason: str) -> None:
        self.status = status
        super().__init__(reason)


class Head:
    """Collects what httptools finds in a request's head."""

    def __init__(self) -> None:
        self.max_body_bytes = 0
        """Larger bodies are refused with 413; set when the head has told whose it is."""
        self.url = b""
        self.headers: dict[str, str] = {}
        self.is_complete = False
        self.chunks: list[bytes] = []
        self.chunk_bytes = 0

    def on_url(self, url: bytes) -> None:
        """Take a piece of the request target."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Take a piece of a chunked body."""
        self.chunk_bytes += len(body)
        if self.chunk_bytes > self.max_body_bytes:
            raise BadRequestError(413, "the body is too large")
        self.chunks.append(body)

    def on_message_complete(self) -> None:
        """Take note of the end of a chunked body."""
        self.is_complete = True


def feed(parser: httptools.HttpRequestParser, data: bytes) -> None:
    """Hand bytes to httptools.

    Raises:
        BadRequestError: they are not HTTP/1.1, or ask for what is not offered.
    """
    try:
        parser.feed_data(data)
    except httptools.HttpParserUpgrade as error:
        raise BadRequestError(400, "no upgrade is offered") from error
    except httptools.HttpParserCallbackError as error:
        if isinstance(error.__context__, BadRequestError):
            raise error.__context__ from error
        raise BadRequestError(400, "not HTTP/1.1") from error
    except httptools.HttpParserError as error:
        raise BadRequestError(400, "not HTTP/1.1") from error
