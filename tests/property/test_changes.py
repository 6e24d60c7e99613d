"""A patch is what an ordinary tool makes the new content of the old with."""

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from nervous_system.changes import unified_diff

lines = st.sampled_from(["a\n", "b\n", "c\n", "\n", "\x0cd\n", "é\u2028\n", "+x\n", "-y\n", "e"])
contents = st.lists(lines, max_size=14).map(lambda parts: "".join(parts).encode())


@settings(max_examples=60)
@given(contents, contents)
def test_git_makes_the_new_content_of_the_old(before: bytes, after: bytes) -> None:
    patch = unified_diff("f.txt", "f.txt", before, after)
    if before == after:
        assert patch == ""
        return
    with TemporaryDirectory() as folder:
        path = Path(folder) / "f.txt"
        path.write_bytes(before)
        subprocess.run(
            ["git", "apply", "--unidiff-zero", "--whitespace=nowarn", "-"],
            cwd=folder,
            input=patch.encode(),
            check=True,
            env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_CEILING_DIRECTORIES": folder},
        )
        assert path.read_bytes() == after
