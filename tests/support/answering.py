"""A process that answers 200 on a port until it is told to end: `python answering.py PORT`.

What the supervisor's tests start instead of whole servers. SIGTERM ends it with 0 and a last word.
"""

import http.server
import signal
import sys
from types import FrameType


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        pass


def end(number: int, frame: FrameType | None) -> None:
    print("drained", flush=True)
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
