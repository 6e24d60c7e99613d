"""The built pages: hashed assets that never change, and one page for every path of the app.

The build writes compressed copies beside its files; who takes them gets them as they are.
"""

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib import resources
from pathlib import Path

from starlette.responses import FileResponse, Response

FOREVER = "public, max-age=31536000, immutable"
ANEW = "no-cache"
INDEX = "index.html"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_TYPES = {".js": "text/javascript", ".mjs": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFiles:
    """The files of a web build below `root`."""

    root: Path

    @property
    def is_built(self) -> bool:
        """Whether there is a build."""
        return (self.root / INDEX).is_file()

    def answer(self, path: str, headers: Mapping[str, str]) -> Response | None:
        """Return the file at `path`; None where there is none."""
        file = self._file(path)
        if file is None:
            return None
        is_hashed = path.startswith("assets/")
        answer = _compressed(file, headers.get("accept-encoding", ""))
        answer.headers["cache-control"] = FOREVER if is_hashed else ANEW
        return answer

    def page(self) -> Response:
        """Return the app's one page; never kept, so that it names the newest assets."""
        content = (self.root / INDEX).read_bytes()
        return Response(
            content,
            media_type="text/html",
            headers={"cache-control": "no-store", "x-build": _digest(content)},
        )

    def _file(self, path: str) -> Path | None:
        """Return the file, if it is one below the root and not one of those beside it."""
        parts = path.split("/")
        if any(part in {"", ".", ".."} or part.startswith(".") for part in parts):
            return None
        if "\0" in path or "\\" in path:
            return None
        file = self.root.joinpath(*parts)
        is_own = file.resolve().is_relative_to(self.root.resolve())
        return file if is_own and file.is_file() else None


def packaged_files() -> StaticFiles:
    """Return the build that the package ships."""
    return StaticFiles(Path(str(resources.files("mission_control.server") / "static")))


def _compressed(file: Path, accepted: str) -> Response:
    kind = media_type(file.name)
    taken = {part.partition(";")[0].strip().lower() for part in accepted.split(",")}
    for encoding, suffix in _ENCODINGS:
        beside = file.with_name(file.name + suffix)
        if encoding in taken and beside.is_file():
            headers = {"content-encoding": encoding, "vary": "accept-encoding"}
            return FileResponse(beside, media_type=kind, headers=headers)
    return FileResponse(file, media_type=kind, headers={"vary": "accept-encoding"})


def media_type(name: str) -> str:
    """Return the type of a file by its name, whatever this machine is set up to think."""
    suffix = Path(name).suffix
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"


@cache
def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()[:16]
