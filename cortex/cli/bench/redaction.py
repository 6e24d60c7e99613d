"""How fast secrets are found in transcripts, beside one expression made of all patterns."""

import json
import os
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from nervous_system.telemetry.redaction import redact_line

MEGABYTE = 1_000_000
SECRET_EVERY = 200
"""One line in so many holds a secret."""
_LINES_OF_A_FILE = 60
_NAIVE = re.compile(
    rb"(?i)(AKIA[A-Z0-9]{16}|sk-[a-z0-9_-]{20,}|AIza[a-z0-9_-]{35}|hf_[a-z0-9]{30,}"
    rb"|gh[pousr]_[a-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20,}|xox[a-z]-[a-z0-9-]{10,}"
    rb"|[sr]k_(?:live|test)_[a-z0-9]{10,}|npm_[a-z0-9]{36}|pypi-[\w-]{40,}"
    rb"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+|bearer\s+[\w.~+/-]{8,}"
    rb"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^\"]*|\w+://[^\s:@/]+:[^\s@/]+@"
    rb"|\w*(?:passw(?:or)?d|secret|token|api_?key)\w*[\"']?\s*[:=]\s*[\"']?[^\s\"',;]{4,})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactionFigures:
    """Rates in megabytes of transcript a second of CPU time, a figure per round."""

    ours: Sequence[float]
    naive: Sequence[float]
    size_bytes: int
    planted: int
    missed: int
    """Planted secrets that are still there."""
    taken_for_secrets: int
    """Finds beside the planted secrets."""

    @property
    def ratio(self) -> float:
        """How many times faster than the plain way."""
        return max(self.ours) / max(self.naive)


def measure_redaction(size_bytes: int, rounds: int) -> RedactionFigures:
    """Measure with transcripts that are made of the library's sources, in turn both ways."""
    lines, secrets = transcript(size_bytes)
    size = sum(map(len, lines))
    ours, naive = [], []
    for _ in range(rounds):
        ours.append(_rate(lambda line: redact_line(line, {}), lines, size))
        few = lines[: max(1, len(lines) // 8)]
        naive.append(_rate(lambda line: _NAIVE.sub(b"x", line), few, sum(map(len, few))))
    counts: dict[str, int] = {}
    cleaned = b"".join(redact_line(line, counts) for line in lines)
    missed = sum(secret in cleaned for secret in secrets)
    return RedactionFigures(
        ours=ours,
        naive=naive,
        size_bytes=size,
        planted=len(secrets),
        missed=missed,
        taken_for_secrets=sum(counts.values()) - (len(secrets) - missed),
    )


def transcript(size_bytes: int) -> tuple[list[bytes], list[bytes]]:
    """Return lines as coding agents leave them, and the secrets that some of them hold."""
    dice = random.Random(11)  # noqa: S311 - the same text each time
    lines: list[bytes] = []
    secrets: list[bytes] = []
    size = 0
    for number, content in enumerate(_contents()):
        secret = ""
        if number % SECRET_EVERY == 0:
            secret = "ghp" + "_" + "".join(dice.choices("abcdefghijklmnop0123456789", k=36))
            secrets.append(secret.encode())
        line = _line(number, f"{content}\nexport X={secret}\n" if secret else content)
        lines.append(line)
        size += len(line)
        if size >= size_bytes:
            return lines, secrets
    return lines, secrets


def _contents() -> "islice[str] | cycle[str]":
    library = Path(os.__file__).parent
    pieces = []
    for path in sorted(library.glob("*.py")):
        source = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        for start in range(0, len(source), _LINES_OF_A_FILE):
            pieces.append("".join(source[start : start + _LINES_OF_A_FILE]))
    return cycle(pieces)


def _line(number: int, content: str) -> bytes:
    call = f"toolu_{number:024d}"
    value = {
        "parentUuid": f"{number:08x}-0000-4000-8000-{number:012x}",
        "sessionId": "4d5611e5-241a-462a-8d15-5122611a9569",
        "type": "user",
        "timestamp": "2026-02-10T21:11:52.438Z",
        "message": {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": call, "content": content}],
        },
        "toolUseResult": {"type": "text", "file": {"filePath": "/w/a.py", "content": content}},
        "usage": {"input_tokens": number, "cache_read_input_tokens": 7 * number},
    }
    return json.dumps(value, ensure_ascii=False).encode() + b"\n"


def _rate(function: Callable[[bytes], bytes], lines: Sequence[bytes], size: int) -> float:
    began = time.process_time()
    for line in lines:
        function(line)
    return size / MEGABYTE / (time.process_time() - began)
