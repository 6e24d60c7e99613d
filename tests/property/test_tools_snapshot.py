"""A snapshot that remembers the last one says the same as one that knows nothing."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from cortex.tools.contents import Contents
from cortex.tools.snapshot import Snapshotter

names = st.sampled_from(["a", "b", "d/a", "d/b"])
contents = st.sampled_from([b"", b"xx", b"yy"])
steps = st.one_of(
    st.tuples(st.just("write"), names, contents),
    st.tuples(st.just("write_keeping_time"), names, contents),
    st.tuples(st.just("replace"), names, contents),
    st.tuples(st.just("delete"), names, contents),
    st.tuples(st.just("mode"), names, contents),
    st.tuples(st.just("link"), names, contents),
    st.tuples(st.just("look"), names, contents),
)


def do(root: Path, kind: str, path: Path, content: bytes) -> None:
    if kind == "write" and not path.is_symlink():
        path.write_bytes(content)
    elif kind == "write_keeping_time" and path.is_file() and not path.is_symlink():
        status = path.stat()
        path.write_bytes(content)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    elif kind == "replace":
        (root / "next").write_bytes(content)
        (root / "next").replace(path)
    elif kind == "delete":
        path.unlink(missing_ok=True)
    elif kind == "mode" and path.is_file() and not path.is_symlink():
        path.chmod(path.stat().st_mode ^ 0o111)
    elif kind == "link":
        with suppress(FileExistsError):
            path.symlink_to("a")


@settings(max_examples=60)
@given(st.lists(steps, max_size=25))
def test_remembering_snapshot_misses_no_change(history: list[tuple[str, str, bytes]]) -> None:
    with TemporaryDirectory() as made:
        root = Path(made) / "root"
        (root / "d").mkdir(parents=True)
        kept = Contents(Path(made) / "contents")
        remembering = Snapshotter(root, kept)
        for kind, name, content in history:
            do(root, kind, root / name, content)
            if kind == "look":
                assert remembering.take() == Snapshotter(root, kept).take()
        last = remembering.take()
        assert last == Snapshotter(root, kept).take()
        for entry in last.files.values():
            assert len(kept.get(entry.digest)) == entry.size_bytes
