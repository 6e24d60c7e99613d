"""A local HTTP server that makes vectors as OpenAI's `/embeddings` does, for other processes.

Words of the same theme point the same way, so that a test knows what is near to what.
"""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DIMENSION = 1536
"""As of the models that are used most."""


@dataclass(slots=True)
class EmbeddingServer:
    """A running server."""

    url: str
    themes: Sequence[Sequence[str]]
    inputs: list[list[str]] = field(default_factory=list)
    """The texts of each request."""

    def vector(self, text: str) -> list[float]:
        said = [sum(text.lower().count(word) for word in theme) for theme in self.themes]
        return [*map(float, said), *(0.01 for _ in range(DIMENSION - len(said)))]


@contextmanager
def running_embedding_server(*themes: Sequence[str]) -> Iterator[EmbeddingServer]:
    """Serve on a free port of loopback."""
    server = EmbeddingServer("", themes)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            server.inputs.append(asked["input"])
            data = [
                {"object": "embedding", "index": place, "embedding": server.vector(text)}
                for place, text in enumerate(asked["input"])
            ]
            usage = {"prompt_tokens": 5, "total_tokens": 5}
            body = {"object": "list", "data": data, "model": asked["model"], "usage": usage}
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listening.server_port}/v1"
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()
