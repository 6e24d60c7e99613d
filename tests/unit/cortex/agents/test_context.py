"""What a coder's model may read besides the files that it may change."""

from pathlib import Path

from cortex.agents.coder import context_of


def test_settings_are_shown_with_the_code(tmp_path: Path) -> None:
    """The lowest Python that a repository runs on stands there."""
    for name in ("pyproject.toml", "a.py", "b.py", "notes.txt"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "setup.py").symlink_to("a.py")
    assert context_of(tmp_path, frozenset({"a.py"})) == {
        "pyproject.toml": b"pyproject.toml",
        "b.py": b"b.py",
    }
