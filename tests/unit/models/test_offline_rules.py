"""The offline model's rewrites: what they write, and what they refuse and why."""
# ruff: noqa: E501 - one case a line

import pytest

from cortex.models.offline_rules.surroundings import Surroundings, lowest_python, survey
from tests.support.rewriting import rewritten

REWRITES = [
    ("E711", "if x == None:\n    y()\n", "None", "if x is None:\n    y()\n"),
    ("E711", "assert x!=None  # why\n", "None", "assert x is not None  # why\n"),
    ("E711", "assert None == x\n", "None", "assert None is x\n"),
    ("E711", "assert (é) == (None)\n", "None", "assert (é) is (None)\n"),
    ("E712", "def f(x: bool):\n    return x == True\n", "x == T", "def f(x: bool):\n    return x is True\n"),
    ("E712", "assert isinstance(x, int) != False\n", "isin", "assert isinstance(x, int) is not False\n"),
    ("E722", "try:\n    f()\nexcept :  # why\n    pass\n", "except", "try:\n    f()\nexcept Exception :  # why\n    pass\n"),
    (
        "E722",
        "try:\n    f()\nexcept:\n    undo()\n    raise\n",
        "except",
        "try:\n    f()\nexcept BaseException:\n    undo()\n    raise\n",
    ),
    (
        "B006",
        'def f(x=[]):\n    """Doc."""\n    # about g\n    g(x)\n',
        "[]",
        'def f(x=None):\n    """Doc."""\n    if x is None:\n        x = []\n    # about g\n    g(x)\n',
    ),
    (
        "B006",
        "class C:\n\tdef f(self, *, x: dict[str, int]={}):\n\t\treturn x\n",
        "{}",
        "class C:\n\tdef f(self, *, x: dict[str, int] | None=None):\n\t\tif x is None:\n\t\t\tx = {}\n\t\treturn x\n",
    ),
    ("PLW1514", "open(p)\n", "open", 'open(p, encoding="utf-8")\n'),
    ("PLW1514", "p.read_text()\n", "p.read", 'p.read_text(encoding="utf-8")\n'),
    ("PLW1514", "open((p), )\n", "open", 'open((p), encoding="utf-8" )\n'),
    (
        "PLW1514",
        'open(\n    p,  # why\n    "r",  # how\n)\n',
        "open",
        'open(\n    p,  # why\n    "r",  # how\n    encoding="utf-8",\n)\n',
    ),
    ("F401", "import os\nimport sys\n", "os", "import sys\n"),
    ("F401", "import os, sys\n", "os", "import sys\n"),
    ("F401", "import os, sys\n", "sys", "import os\n"),
    ("F401", "import os  # why\nx = 1\n", "os", "# why\nx = 1\n"),
    ("F401", "def f():\n    import os\n", "os", "def f():\n    pass\n"),
    ("F401", "from m import (\n    a,  # one\n    b,\n)\n", "a,", "from m import (\n    # one\n    b,\n)\n"),
    ("F401", "from m import (\n    a,\n    b,\n)\n", "b", "from m import (\n    a,\n)\n"),
    ("F841", "def f():\n    x = g()\n", "x", "def f():\n    g()\n"),
    ("F841", "async def f():\n    x: int = await g(\n        1,\n    )\n", "x", "async def f():\n    await g(\n        1,\n    )\n"),
    ("F841", "def f():\n    x = 1\n", "x", "def f():\n    pass\n"),
    ("F841", "def f():\n    x = 1  # why\n    g()\n", "x", "def f():\n    # why\n    g()\n"),
    ("F841", "def f():\n    with g() as x:\n        pass\n", "x", "def f():\n    with g():\n        pass\n"),
    (
        "F841",
        "try:\n    f()\nexcept (A, B) as e:\n    pass\n",
        "e:\n    p",
        "try:\n    f()\nexcept (A, B):\n    pass\n",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "before", "at", "after"), REWRITES)
def test_rewrite(rule: str, before: str, at: str, after: str) -> None:
    assert rewritten(rule, before, at).text == after


REFUSALS = [
    ("E711", "import pandas\nx = y == None\n", "None", "imports pandas"),
    ("E711", "q.filter(a == None)\n", "None", "overloaded"),
    ("E711", "x = t[a == None]\n", "None", "overloaded"),
    ("E711", "assert 5 == None\n", "None", "warning of Python itself"),
    ("E711", 'x = f"{a == None}"\n', "None", "f-string"),
    ("E711", "class A:\n    def __eq__(self, o):\n        return 1\nassert a == None\n", "None", "overloads"),
    ("E712", "assert x == True\n", "x ==", "may be 1 or 0"),
    ("E712", "def f(x=True):\n    return x == True\n", "x ==", "may be 1 or 0"),
    ("E722", "import sys\ntry:\n    sys.exit()\nexcept:\n    pass\n", "except", "calls exit"),
    ("E722", "def f():\n    try:\n        yield\n    except:\n        pass\n", "except", "GeneratorExit"),
    ("E722", "Exception = 1\ntry:\n    f()\nexcept:\n    pass\n", "except", "meaning of its own"),
    ("B006", "def f(x=[]): return x\n", "[]", "line of its own"),
    ("B006", "def f(x=[]):\n    if x is None:\n        return 1\n    return x\n", "[]", "meaning already"),
    ("B006", "def f(k, cache={}):\n    cache[k] = 1\n", "{}", "on purpose"),
    ("B006", "def f(k, d={}):\n    if k in d:\n        return d[k]\n    d[k] = 1\n", "{}", "calls share"),
    ("B006", "def f(n=[0]):\n    n[0] += 1\n    return n\n", "[0]", "calls share"),
    ("B006", "@task\ndef f(x=[]):\n    return x\n", "[]", "decorator"),
    ("B006", "def f(x=[g()]):\n    return x\n", "[g", "evaluated once"),
    ("B006", "def f(x=[]):\n    ...\n", "[]", "stub"),
    ("B006", "def f(x: 'list'=[]):\n    return x\n", "[]", "no plain type"),
    ("B006", "h = lambda x=[]: x\n", "[]", "no default of a `def`"),
    ("PLW1514", "open(p, mode)\n", "open", "no literal"),
    ("PLW1514", "open(p, **how)\n", "open", "`**`"),
    ("PLW1514", "open(*how)\n", "open", "`*`"),
    ("PLW1514", "open(p).read()\n", "open", "no call"),
    ("F401", "try:\n    import a\nexcept ImportError:\n    b = 1\n", "a\ne", "can be imported"),
    ("F401", "import a as a\n", "a as", "passed on"),
    ("F401", "import a; b = 1\n", "a;", "shares its line"),
    ("F841", "def f():\n    x = y.z\n", "x", "may fail or run code"),
    ("F841", "def f():\n    x = TemporaryDirectory()\n", "x", "live as long"),
    ("F841", "def f():\n    x = create_task(g())\n", "x", "has to be kept"),
    ("F841", "def f():\n    x = 1\n    return locals()\n", "x", "other ways than names"),
    ("F841", "def f():\n    x = y = 1\n    return y\n", "x", "other names"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "text", "at", "reason"), REFUSALS)
def test_unsafe_rewrite_is_refused_with_its_reason(
    rule: str, text: str, at: str, reason: str
) -> None:
    result = rewritten(rule, text, at)
    assert result.text == text
    assert reason in result.refused[0].reason


def test_two_defaults_are_made_in_their_order() -> None:
    result = rewritten("B006", "def f(a=[], b={}):\n    g(a, b)\n", "[]", "{}")
    body = result.text.splitlines()[1:5]
    assert [line.strip() for line in body] == ["if a is None:", "a = []", "if b is None:", "b = {}"]


def test_several_names_of_one_import_go_together() -> None:
    result = rewritten("F401", "from m import a, bb, cc\n", "bb", "cc")
    assert result.text == "from m import a\n"


def test_block_of_unused_variables_keeps_a_pass() -> None:
    result = rewritten("F841", "def f():\n    aa = 1\n    bb = 2\n", "aa", "bb")
    assert result.text == "def f():\n    pass\n"


def test_windows_line_ends_stay() -> None:
    result = rewritten("B006", "def f(x=[]):\r\n    return x\r\n", "[]")
    assert result.text.count("\r\n") == result.text.count("\n") == 4


def test_file_without_a_last_line_end_stays_without() -> None:
    assert rewritten("F401", "x = 1\nimport os", "os").text == "x = 1"


def test_name_that_another_file_takes_is_not_removed() -> None:
    around = survey("pkg/a.py", {"pkg/b.py": b"from pkg.a import join\n"})
    result = rewritten("F401", "from os.path import join\n", "join", around=around)
    assert "another file takes `join`" in result.refused[0].reason


def test_name_that_a_test_patches_is_not_removed() -> None:
    around = survey("a.py", {"t.py": b"patch('pkg.a.join')\n"})
    assert "join" in around.names_taken


@pytest.mark.parametrize(
    ("other", "text"),
    [
        ("pkg/b.py", "from . import a\nprint(a.join)\n"),
        ("pkg/b.py", "import pkg.a\npkg.a.join()\n"),
        ("pkg/sub/b.py", "from .. import join\n"),
        ("a/b.py", "from . import join\n"),
        ("b.py", "from pkg.a import *\n"),
    ],
)
def test_names_that_others_take_are_known(other: str, text: str) -> None:
    taken = survey("pkg/a.py", {other: text.encode(), "pkg/a.py": b"a.own\n"}).names_taken
    assert taken & {"join", "*"}
    assert "own" not in taken


def test_module_that_acts_when_imported_is_not_removed() -> None:
    others = {"pkg/plugins.py": b"register('x')\n", "pkg/plain.py": b"x = 1\n"}
    around = survey("a.py", others)
    text = "from pkg import plugins\nimport pkg.plain\n"
    result = rewritten("F401", text, "plugins", "pkg.plain", around=around)
    assert "importing `plugins` does something" in result.refused[0].reason
    assert result.text == "from pkg import plugins\n"


def test_fixture_that_a_parameter_names_is_not_removed() -> None:
    result = rewritten("F401", "from fixtures import db\ndef test(db):\n    pass\n", "db")
    assert "a parameter is named `db`" in result.refused[0].reason


def test_package_may_offer_what_it_imports() -> None:
    around = Surroundings(path="pkg/__init__.py")
    result = rewritten("F401", "from os.path import join\n", "join", around=around)
    assert "import the package" in result.refused[0].reason


def test_union_with_none_needs_a_python_that_has_it() -> None:
    around = Surroundings(lowest_python=(3, 9))
    result = rewritten("B006", "def f(x: list = []):\n    return x\n", "[]", around=around)
    assert "Python 3.9" in result.refused[0].reason


@pytest.mark.parametrize(
    ("required", "lowest"), [(">=3.8,<4", (3, 8)), ("~=3.12", (3, 12)), ("", (3, 10))]
)
def test_lowest_python_is_read_from_the_project(required: str, lowest: tuple[int, int]) -> None:
    assert lowest_python(f'[project]\nrequires-python = "{required}"\n'.encode()) == lowest


def test_finding_that_is_nowhere_is_refused() -> None:
    result = rewritten("E711", "x = 1\n", "x")
    assert "no comparison" in result.refused[0].reason
