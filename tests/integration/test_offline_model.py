"""The offline model with the real ruff: plans, changes and reviews of small repositories."""

import ast
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from cortex.errors import TaskRefusedError, ToolFailedError
from cortex.models.choose import open_model
from cortex.models.config import ModelConfig
from cortex.models.offline import OfflineModel
from cortex.models.port import (
    ChangeRequest,
    ChangeSet,
    CheckResult,
    FileEntry,
    Finding,
    Plan,
    PlanRequest,
    ReviewRequest,
)
from cortex.models.ruff import RuffLinter

SETTINGS = '[lint]\nselect = ["F", "E7", "E9", "B006", "I001"]\n'
APP = '''"""An application."""
import sys, os
import json


def greet(names=[]):  # whom
    if names == None:
        return None
    unused = print("greeting")
    try:
        return ", ".join(names)
    except:
        return sys.path
'''


class Repository:
    """Files on disk, and the model at work on them."""

    def __init__(self, root: Path, files: Mapping[str, bytes], settings: str = SETTINGS) -> None:
        self.root = root
        self.files = dict(files)
        self.linter = RuffLinter()
        self.model = OfflineModel(self.linter)
        (root / "ruff.toml").write_text(settings, encoding="utf-8")

    async def findings(self, *rules: str) -> tuple[Finding, ...]:
        found: set[Finding] = set()
        for path, content in self.files.items():
            text = content.decode()
            found |= set(await self.linter.check(self.root, path, text, None))
            if rules:
                found |= set(await self.linter.check(self.root, path, text, rules))
        return tuple(sorted(found, key=lambda one: (one.path, one.row, one.column, one.rule)))

    async def plan(self, task: str) -> Plan:
        found = await self.findings(*self.model.rules_for(task))
        files = tuple(FileEntry(path=path, size_bytes=1) for path in self.files)
        return await self.model.plan(PlanRequest(task=task, files=files, findings=found))

    async def work(self, task: str, *, refusals: tuple[str, ...] = ()) -> list[ChangeSet]:
        """Plan, and carry out what is planned."""
        changes = []
        for planned in (await self.plan(task)).tasks:
            change = await self.model.change(
                ChangeRequest(
                    task=task,
                    planned=planned,
                    contents={path: self.files[path] for path in planned.paths},
                    context=self.files,
                    root=self.root,
                    refusals=refusals,
                )
            )
            changes.append(change)
            for edit in change.edits:
                assert edit.new_content is not None
                self.files[edit.path] = edit.new_content
        return changes


async def test_all_findings_of_a_file_are_resolved(tmp_path: Path) -> None:
    """Every rule that can be rewritten is gone afterwards, and the file still parses."""
    repository = Repository(
        tmp_path, {"app.py": APP.replace("names == None", "not names").encode()}
    )
    changes = await repository.work("Fix all lint findings")
    assert await repository.findings() == ()
    assert [one.unresolved for one in changes] == [(), ()]
    text = repository.files["app.py"].decode()
    assert ast.parse(text)
    assert 'print("greeting")' in text
    assert "# whom" in text


async def test_named_rule_is_looked_for_though_not_configured(tmp_path: Path) -> None:
    """The words of the task reach the linter."""
    repository = Repository(tmp_path, {"a.py": b"print(open('x').read())\n"})
    [change] = await repository.work("fix missing encodings")
    assert repository.files["a.py"] == b"print(open('x', encoding=\"utf-8\").read())\n"
    assert "PLW1514" in change.rationale
    assert "locale" in change.rejected_alternatives[0]


async def test_encoding_goes_to_the_call_that_reads(tmp_path: Path) -> None:
    """Not to another that begins at the same place."""
    content = (
        "from pathlib import Path\nPath('x').read_text()\nPath(Path('y').read_text()).read_text()\n"
    )
    repository = Repository(tmp_path, {"a.py": content.encode()})
    [change] = await repository.work("fix missing encodings")
    done = content.replace(".read_text()", '.read_text(encoding="utf-8")')
    assert repository.files["a.py"].decode() == done
    assert change.unresolved == ()


async def test_rewrite_that_the_linter_does_not_honour_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Work that leaves the finding where it was is no work."""
    monkeypatch.setattr("cortex.models.offline_rules.encodings._KEYWORD", "errors=None")
    content = b"open('x')\nopen('y')\n"
    repository = Repository(tmp_path, {"a.py": content})
    [change] = await repository.work("fix missing encodings")
    assert repository.files["a.py"] == content
    assert [one.rpartition(": ")[2] for one in change.unresolved] == [
        "the linter would report it as before"
    ] * 2


async def test_only_the_named_rule_is_touched(tmp_path: Path) -> None:
    """The rest stays as it is, byte by byte."""
    repository = Repository(tmp_path, {"app.py": APP.encode()})
    await repository.work("fix bare excepts")
    assert repository.files["app.py"].decode() == APP.replace("except:", "except Exception:")


async def test_default_that_none_means_something_for_is_left(tmp_path: Path) -> None:
    """The refusal names the line and the reason."""
    repository = Repository(tmp_path, {"app.py": APP.encode()})
    changes = await repository.work("fix mutable defaults")
    assert changes[0].edits == ()
    assert "app.py:6: B006: the body asks whether `names` is None" in changes[0].unresolved[0]


async def test_rewrite_that_would_bring_another_finding_is_left(tmp_path: Path) -> None:
    """A line that would grow too long is not written."""
    settings = 'line-length = 30\n[lint]\nselect = ["E501", "PLW1514"]\npreview = true\n'
    content = b"print(open('abcde').read())\nopen('a')\n"
    repository = Repository(tmp_path, {"a.py": content}, settings)
    [change] = await repository.work("fix missing encodings")
    assert repository.files["a.py"] == content.replace(b"'a'", b"'a', encoding=\"utf-8\"")
    assert "it would bring E501" in change.unresolved[0]


async def test_bare_except_gives_way_where_blind_ones_are_reported(tmp_path: Path) -> None:
    """One finding takes the place of a worse one, and that is said."""
    settings = '[lint]\nselect = ["E722", "BLE001"]\n'
    content = b"try:\n    f()\nexcept:\n    pass\n"
    repository = Repository(tmp_path, {"a.py": content}, settings)
    [change] = await repository.work("fix bare excepts")
    assert b"except Exception:" in repository.files["a.py"]
    assert "BLE001 (1): takes the place of a worse finding" in change.unresolved[0]


async def test_riskiest_rule_is_given_up_after_a_refusal(tmp_path: Path) -> None:
    """The next attempt is not the same one again."""
    repository = Repository(tmp_path, {"app.py": APP.encode()})
    changes = await repository.work("fix E722 and F841", refusals=("tests fail",))
    assert b"except:" in repository.files["app.py"]
    assert b"unused" not in repository.files["app.py"]
    assert (
        "E722: given up, since an attempt with it was sent back: tests fail"
        in changes[0].unresolved
    )


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfimport os\r\nx = 1\r\n",
        b"import os\nx = 1",
        "import os\nx = 'é'\n".encode(),
    ],
)
async def test_file_stays_as_it_was_written(content: bytes, tmp_path: Path) -> None:
    """Byte order mark, line ends, and the missing last line end."""
    repository = Repository(tmp_path, {"a.py": content})
    await repository.work("remove unused imports")
    line_end = b"\r\n" if b"\r\n" in content else b"\n"
    assert repository.files["a.py"] == content.replace(b"import os" + line_end, b"")


async def test_columns_count_characters(tmp_path: Path) -> None:
    """Ruff, ast and the text agree on places behind what is not ASCII."""
    content = "a = {'é𝄞': x == None}; y = 'é' != None\n".encode()
    repository = Repository(tmp_path, {"a.py": b"x = 1\n" + content})
    await repository.work("fix E711")
    assert b"x is None}" in repository.files["a.py"]


async def test_file_in_another_encoding_is_worked_on_in_it(tmp_path: Path) -> None:
    """A coding line counts, though ruff itself only reads UTF-8."""
    content = "# coding: latin-1\nimport os\nx = 'é'\n".encode("latin-1")
    repository = Repository(tmp_path, {"a.py": b"import os\n"})
    [planned] = (await repository.plan("fix F401")).tasks
    change = await repository.model.change(
        ChangeRequest(task="fix F401", planned=planned, contents={"a.py": content}, root=tmp_path)
    )
    assert change.edits[0].new_content == content.replace(b"import os\n", b"")


async def test_file_that_does_not_parse_is_left_with_the_line(tmp_path: Path) -> None:
    """The others are worked on."""
    repository = Repository(tmp_path, {"a.py": b"import os\n", "b.py": b"def f(:\n"})
    plan = await repository.plan("fix all lint findings")
    assert [one.paths for one in plan.tasks] == [("a.py",)]
    assert "b.py does not parse: line 2" in plan.left_out[0].reason


async def test_file_that_went_away_is_left(tmp_path: Path) -> None:
    """Somebody deleted it since the plan."""
    repository = Repository(tmp_path, {"a.py": b"import os\n"})
    [planned] = (await repository.plan("fix F401")).tasks
    change = await repository.model.change(
        ChangeRequest(task="fix F401", planned=planned, contents={}, root=tmp_path)
    )
    assert change.unresolved == ("a.py: it is not there any more",)


async def test_other_task_is_refused_before_anything_is_linted(tmp_path: Path) -> None:
    """From the words alone."""
    with pytest.raises(TaskRefusedError, match="not understood: `Write`, `poem`"):
        Repository(tmp_path, {}).model.rules_for("Write a poem")


async def test_repository_reached_over_a_link_keeps_its_names(tmp_path: Path) -> None:
    """Findings are named from the root as it was given."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    repository = Repository(tmp_path / "link", {"pkg/a.py": b"import os\n"})
    assert [one.path for one in await repository.findings()] == ["pkg/a.py"]


async def test_module_named_ruff_in_the_repository_is_not_run(tmp_path: Path) -> None:
    """Work on a repository never runs its code by accident."""
    (tmp_path / "ruff.py").write_text("raise SystemExit('taken')", encoding="utf-8")
    linter = RuffLinter((sys.executable, "-I", "-m", "ruff"))
    assert await linter.check(tmp_path, "a.py", "x = 1\n", None) == ()


async def test_rule_that_ruff_does_not_have_is_an_error(tmp_path: Path) -> None:
    """Ruff's own words say which."""
    repository = Repository(tmp_path, {"a.py": b"x = 1\n"})
    with pytest.raises(ToolFailedError, match="Unknown rule selector `XYZ999`"):
        await repository.findings("XYZ999")


async def test_work_of_the_model_passes_its_own_review(tmp_path: Path) -> None:
    """As the reviewer sees it: findings before and after, and the checks."""
    repository = Repository(tmp_path, {"app.py": APP.encode()})
    [planned] = (await repository.plan("fix unused variables")).tasks
    before = await repository.findings()
    await repository.work("fix unused variables")
    review = await repository.model.review(
        ReviewRequest(
            task="fix unused variables",
            planned=planned,
            diff="-unused\n",
            changed_paths=("app.py",),
            findings_before=before,
            findings_after=await repository.findings(),
            checks=(CheckResult(name="compileall", passed_before=True, passed_after=True),),
        )
    )
    assert review.accepted, review.reasons


async def test_offline_model_is_the_default() -> None:
    """It says that it costs nothing."""
    async with open_model(ModelConfig.from_env({"OPENAI_API_KEY": "sk"})) as model:
        assert model.name == "offline"
        assert "no network, no cost" in model.description


async def test_listed_price_is_shown_and_an_unknown_one_refuses_a_money_limit() -> None:
    """A limit that cannot be kept is not accepted in silence."""
    listed = ModelConfig(name="openai:gpt-4o", api_key="sk")
    async with open_model(listed) as model:
        assert "$2.5" in model.description
    unknown = ModelConfig.from_env({"ANTHROPIC_API_KEY": "k"}, model="anthropic:none", max_cost="1")
    with pytest.raises(ValueError, match="whose price is known"):
        await open_model(unknown).__aenter__()
