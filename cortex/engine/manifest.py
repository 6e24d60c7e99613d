"""Manifests: what a workspace started from, as content that its digest names.

Pure. One line of JSON per file, sorted by path: `{"digest": ..., "mode": ..., "path": ...,
"size": ...}` with sorted keys and no spaces. A path that is not UTF-8 is written as
`{"base64": ...}`. The same files always give the same bytes.
"""

import base64
import binascii
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cortex.errors import ManifestError


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestEntry:
    """One file of a workspace."""

    path: bytes
    """Within the workspace, `/` between its parts."""
    mode: int
    """Permission bits; 0: unknown."""
    digest: str
    """Hex SHA-256 of its content."""
    size_bytes: int


def format_manifest(entries: Iterable[ManifestEntry]) -> bytes:
    """Return the manifest of these files, which need not be sorted."""
    ordered = sorted(entries, key=lambda entry: entry.path)
    return b"".join(_line(entry) for entry in ordered)


def parse_manifest(content: bytes) -> list[ManifestEntry]:
    """Return the files of a manifest.

    Raises:
        ManifestError: a line is not one of a manifest.
    """
    lines = content.split(b"\n")
    return [_entry(number, line) for number, line in enumerate(lines, start=1) if line]


def _line(entry: ManifestEntry) -> bytes:
    fields = {
        "digest": entry.digest,
        "mode": entry.mode,
        "path": _encoded(entry.path),
        "size": entry.size_bytes,
    }
    text = json.dumps(fields, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


def _entry(number: int, line: bytes) -> ManifestEntry:
    try:
        fields = json.loads(line)
        return ManifestEntry(
            path=_decoded(fields["path"]),
            mode=int(fields["mode"]),
            digest=str(fields["digest"]),
            size_bytes=int(fields["size"]),
        )
    except (ValueError, TypeError, KeyError, binascii.Error) as error:
        raise ManifestError(line=number, reason=f"{type(error).__name__}: {error}") from error


def _encoded(path: bytes) -> str | dict[str, str]:
    try:
        return path.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(path).decode("ascii")}


def _decoded(path: Any) -> bytes:
    if isinstance(path, str):
        return path.encode()
    return base64.b64decode(path["base64"], validate=True)
