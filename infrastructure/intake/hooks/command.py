"""The command that a harness runs at each of its hooks; it must cost the agent next to nothing.

    python -I -S command.py HARNESS HOME [gate POLICY]

Run by a bare interpreter: nothing of ours is imported, and of the library only what is written in
C, for a cold start has 60 ms. The payload on standard input goes as it is to the receiver of the
home's stack; where that is away, or late, into a file of the home, from which the receiver takes it
later. Whatever happens, the agent goes on, unless a gate was asked for: then nothing but an answer
of the receiver lets the tool run, and every failure blocks it.
"""

import _socket
import fcntl
import os
import sys
import time

DEADLINE_SECONDS = 0.04
"""How long the receiver may take without a gate; then the payload is kept for later."""
GATE_DEADLINE_SECONDS = 4.0
"""How long an answer of the gate may take; shorter than the harness waits for the hook."""
MAX_PENDING_BYTES = 64 * 1024 * 1024
"""Room for payloads that wait for the receiver; further ones are counted and dropped."""
BLOCKED = 2
"""Exit code by which a hook stops a tool."""


def main(arguments: list[str]) -> int:
    """Deliver the payload on standard input; return the exit code."""
    if len(arguments) < 2:
        return BLOCKED if "gate" in arguments else 0
    harness, home = arguments[0], arguments[1]
    is_gate = "gate" in arguments[2:3]
    policy = arguments[3] if is_gate and len(arguments) > 3 else ""
    at_ns = time.time_ns()
    delivery = os.urandom(16).hex()
    try:
        payload = read_all(0)
    except OSError:
        payload = b""
    try:
        answer = deliver(home, harness, delivery, payload, policy if is_gate else None)
    except Exception:  # noqa: BLE001 - whatever it is, the agent must not notice
        answer = None
    if answer is not None:
        write_all(1, answer)
        return 0
    try:  # noqa: SIM105 - importing `contextlib` takes longer than all of this
        keep(home, header(delivery, at_ns, harness, is_gate, len(payload)), payload)
    except Exception:  # noqa: BLE001, S110 - as above
        pass
    if not is_gate:
        return 0
    write_all(
        2, b"swarm gate: no decision could be had, so the tool is not run: see `swarm status`\n"
    )
    return BLOCKED


def read_all(descriptor: int) -> bytes:
    """Read until the end."""
    pieces = []
    while piece := os.read(descriptor, 1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything."""
    while data:
        data = data[os.write(descriptor, data) :]


def deliver(
    home: str, harness: str, delivery: str, payload: bytes, policy: str | None
) -> bytes | None:
    """Hand the payload to the receiver; return what the harness is to be told, None: no answer."""
    port = receiver_port(home)
    if not port:
        return None
    limit = DEADLINE_SECONDS if policy is None else GATE_DEADLINE_SECONDS
    deadline = time.monotonic() + limit
    gate = (
        "" if policy is None else "&gate=" + "".join(f"%{one:02X}" for one in os.fsencode(policy))
    )
    path = f"/v1/hooks/{harness}?delivery={delivery}{gate}"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(payload)}\r\nConnection: close\r\n\r\n"
    )
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        connection.settimeout(limit)
        connection.connect(("127.0.0.1", port))
        connection.sendall(head.encode() + payload)
        answer = b""
        while True:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            piece = connection.recv(1 << 16)
            if not piece:
                break
            answer += piece
            if time.monotonic() > deadline:
                return None
    finally:
        connection.close()
    status, _, body = answer.partition(b"\r\n\r\n")
    return body if status.startswith(b"HTTP/1.1 200 ") and is_whole(status, body) else None


def is_whole(head: bytes, body: bytes) -> bool:
    """Whether an answer came to its end."""
    _, _, rest = head.lower().partition(b"content-length:")
    length = rest.split(b"\r\n")[0].strip()
    return length.isdigit() and len(body) == int(length)


def receiver_port(home: str) -> int:
    """Return where the running stack of the home listens, 0: none runs."""
    try:
        descriptor = os.open(f"{home}/stack.json", os.O_RDONLY)
    except OSError:
        return 0
    try:
        record = os.read(descriptor, 1 << 16)
    finally:
        os.close(descriptor)
    # `json` would take longer to import than everything else here
    _, _, rest = record.partition(b'"otlp_url"')
    url = rest.split(b'"')[1] if rest.count(b'"') > 1 else b""
    port = url.rpartition(b":")[2]
    return int(port) if port.isdigit() else 0


def header(delivery: str, at_ns: int, harness: str, is_gate: bool, size: int) -> bytes:
    """Return the line that stands before a kept payload."""
    gate = ',"gate":true' if is_gate else ""
    text = f'{{"delivery":"{delivery}","at_ns":{at_ns},"harness":"{harness}"{gate},"size":{size}}}'
    return text.encode() + b"\n"


def keep(home: str, head: bytes, payload: bytes) -> None:
    """Append a payload to what waits for the receiver, whole; there is a bound."""
    folder = f"{home}/hooks"
    os.makedirs(folder, 0o700, exist_ok=True)
    descriptor = open_locked(f"{folder}/pending")
    try:
        if os.fstat(descriptor).st_size + len(payload) > MAX_PENDING_BYTES:
            count_dropped(folder)
            return
        write_all(descriptor, head + payload + b"\n")
    finally:
        os.close(descriptor)


def open_locked(path: str) -> int:
    """Open the file that has the name now, for this process alone: the receiver moves it away."""
    while True:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            if os.stat(path).st_ino == os.fstat(descriptor).st_ino:
                return descriptor
        except FileNotFoundError:
            pass
        os.close(descriptor)


def count_dropped(folder: str) -> None:
    """Note that a payload found no room: one byte each."""
    descriptor = os.open(f"{folder}/dropped", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, b".")
    os.close(descriptor)


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except BaseException:  # noqa: BLE001 - a gate fails closed
        code = BLOCKED if "gate" in sys.argv[3:] else 0
    os._exit(code)  # nothing is buffered, and an orderly end takes a third of the time
