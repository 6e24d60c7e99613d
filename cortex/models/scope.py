"""Which of the linter's findings a task's words name.

Every word has to be understood: a text with a word left over asks for something else as well, and
is refused instead of done in part. Pure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cortex.errors import TaskRefusedError
from cortex.models.port import Finding

ABILITIES = (
    "the offline model fixes lint findings: all of them (`fix all lint findings`), those of rules "
    "(`fix E711`, `bare excepts`, `unused imports`) or in files (`fix F401 in src/**/*.py`); "
    "for anything else choose a language model with --model"
)

_PHRASES = {
    "F401": r"unused[ -]imports?|imports? (?:that|which) (?:are|is) (?:unused|not used)",
    "F841": r"unused (?:local )?variables?|unused[ -]variables?|unused locals?",
    "E722": r"(?:bare|naked)[ -]`?excepts?:?`?(?: clauses?| handlers?| statements?)?",
    "B006": r"mutable[ -](?:argument[ -])?defaults?(?: arguments?| parameters?| values?)?"
    r"|mutable default",
    "E711": r"(?:comparisons?|comparing|compares?) (?:with|to|against) `?none`?"
    r"|`?none`?[ -]comparisons?|`?[=!]= ?none`?",
    "E712": r"(?:comparisons?|comparing|compares?) (?:with|to|against) "
    r"(?:`?(?:true|false)`?(?:(?: and | or |/)`?(?:true|false)`?)?|booleans?)"
    r"|`?[=!]= ?(?:true|false)`?(?:(?: and | or |/)`?[=!]= ?(?:true|false)`?)?",
    "PLW1514": r"(?:missing|unspecified|no) (?:explicit )?`?encodings?=?`?(?: arguments?)?"
    r"(?: (?:on|in|of) `?open(?:\(\))?`?(?: calls?)?)?|unspecified-encoding",
    "I001": r"(?:unsorted|unordered)[ -]imports?|import (?:order|sorting)",
    "F541": r"f-strings? without (?:any )?placeholders?",
}
_RULE = re.compile(r"[A-Z]{1,5}[0-9]{1,5}")
_FIXING = {
    "fix", "fixes", "fixing", "fixed", "clean", "resolve", "repair", "correct", "tidy", "replace",
    "address", "solve", "make", "rewrite",
}  # fmt: skip
_REMOVING = {"remove", "removing", "delete", "drop", "eliminate", "rid", "purge"}
_ANCHORS = {
    "lint", "lints", "linter", "linters", "linting", "ruff", "flake8", "pycodestyle", "pyflakes",
}  # fmt: skip
_FINDINGS = {
    "finding", "findings", "diagnostic", "diagnostics", "violation", "violations", "issue",
    "issues", "problem", "problems", "warning", "warnings", "error", "errors", "complaint",
    "complaints",
}  # fmt: skip
_PREPOSITIONS = {"in", "under", "within", "inside", "below", "of", "from", "for", "across"}
_FILL = {
    "a", "about", "all", "also", "an", "and", "any", "are", "automatically", "be", "by", "can",
    "code", "codebase", "codes", "complains", "could", "directories", "directory", "each",
    "entire", "every", "everything", "everywhere", "exist", "existing", "file", "files", "finds",
    "folder", "folders", "found", "get", "gets", "green", "happy", "has", "have", "is", "it",
    "its", "just", "kind", "module", "modules", "my", "named", "no", "on", "only", "or", "our",
    "package", "packages", "pass", "passes", "please", "project", "project's", "python", "quiet",
    "remaining", "repo", "repository", "reported", "reports", "rule", "rules", "run", "running",
    "silent", "so", "source", "sources", "that", "the", "their", "them", "then", "there", "these",
    "this", "those", "through", "to", "tree", "up", "which", "what", "whatever", "whole", "with",
    "you",
}  # fmt: skip
_EXCLUDING = {"except", "excluding", "without"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The findings that a task is about."""

    rules: tuple[str, ...] = ()
    """Codes or beginnings of codes; empty: every rule."""
    paths: tuple[str, ...] = ()
    """Files, folders and patterns; empty: every file."""
    excluded_rules: tuple[str, ...] = ()
    excluded_paths: tuple[str, ...] = ()

    def covers(self, finding: Finding) -> bool:
        """Whether the task is about this finding."""
        rule, path = finding.rule, finding.path
        is_named = not self.rules or rule.startswith(self.rules)
        is_there = not self.paths or any(matches(path, one) for one in self.paths)
        is_excluded = bool(self.excluded_rules) and rule.startswith(self.excluded_rules)
        is_excluded |= any(matches(path, one) for one in self.excluded_paths)
        return is_named and is_there and not is_excluded

    def describe(self) -> str:
        """The scope in words, for rationales."""
        rules = ", ".join(self.rules) or "all rules"
        paths = ", ".join(self.paths) or "all files"
        excluded = ", ".join((*self.excluded_rules, *self.excluded_paths))
        return f"{rules} in {paths}" + (f", without {excluded}" if excluded else "")


def parse_scope(task: str) -> Scope:
    """Read a task's words.

    Raises:
        TaskRefusedError: they ask for something else than the removal of lint findings.
    """
    text = task.strip()
    if not text:
        raise TaskRefusedError(reason=f"the task is empty; {ABILITIES}")
    reading = _Reading()
    for word in _with_rules(text).split():
        reading.take(word)
    reading.finish(text)
    return Scope(
        rules=tuple(dict.fromkeys(reading.rules)),
        paths=tuple(dict.fromkeys(reading.paths)),
        excluded_rules=tuple(dict.fromkeys(reading.excluded_rules)),
        excluded_paths=tuple(dict.fromkeys(reading.excluded_paths)),
    )


def check_paths(scope: Scope, paths: Iterable[str]) -> None:
    """Refuse a scope that names files which the repository does not have.

    Raises:
        TaskRefusedError: a named path fits no file.
    """
    listed = list(paths)
    for pattern in scope.paths:
        if not any(matches(one, pattern) for one in listed):
            raise TaskRefusedError(
                reason=f"no file of the repository fits `{pattern}`, which the task names"
            )


def matches(path: str, pattern: str) -> bool:
    """Whether a path is this file, lies in this folder, or fits this pattern (`*`, `**`, `?`)."""
    wanted = pattern.removeprefix("./").rstrip("/")
    if wanted in ("", "."):
        return True
    if not any(sign in wanted for sign in "*?["):
        is_file_name = "/" not in wanted and path.rpartition("/")[2] == wanted
        return path == wanted or path.startswith(wanted + "/") or is_file_name
    if "/" not in wanted:
        return fnmatchcase(path.rpartition("/")[2], wanted)
    return re.fullmatch(_pattern(wanted), path) is not None


def _pattern(glob: str) -> str:
    """A regular expression for a glob in which `*` stays within a folder and `**` does not."""
    parts = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    found = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    return "".join(parts.get(one, re.escape(one)) for one in found)


def _with_rules(text: str) -> str:
    """The text with phrases that name rules replaced by the rules."""
    for rule, phrase in _PHRASES.items():
        text = re.sub(rf"(?<![\w/.=!])(?:{phrase})(?![\w/])", f" {rule} ", text, flags=re.I)
    return re.sub(r"\bbut not\b", " excluding ", text, flags=re.I)


class _Reading:
    """Reads one word after the other."""

    def __init__(self) -> None:
        self.rules: list[str] = []
        self.paths: list[str] = []
        self.excluded_rules: list[str] = []
        self.excluded_paths: list[str] = []
        self._unknown: list[str] = []
        self._seen: set[str] = set()
        self._is_excluding = False
        self._expects_path = False

    def take(self, raw: str) -> None:
        word = raw.strip("`'\",;:!?()").rstrip(".")
        plain = word.lower()
        if not plain:
            return
        if _RULE.fullmatch(word):
            (self.excluded_rules if self._is_excluding else self.rules).append(word)
        elif plain in _EXCLUDING:
            self._is_excluding = self._expects_path = True
        elif _is_path(word):
            self._add_path(word)
        elif plain in _PREPOSITIONS:
            self._expects_path = True
        elif plain in _FIXING | _REMOVING | _ANCHORS | _FINDINGS | _FILL:
            self._seen.add(plain)
            self._expects_path &= plain in ("the", "and", "or", "folder", "directory", "package")
        elif self._expects_path and re.fullmatch(r"[\w.-]+", word):
            self._add_path(word)
        else:
            self._unknown.append(word)

    def _add_path(self, word: str) -> None:
        (self.excluded_paths if self._is_excluding else self.paths).append(word)
        self._expects_path = True

    def finish(self, text: str) -> None:
        """Refuse what is not wholly about findings."""
        if self._unknown:
            words = ", ".join(f"`{one}`" for one in dict.fromkeys(self._unknown))
            raise TaskRefusedError(reason=f"not understood: {words}; {ABILITIES}")
        is_about_findings = bool(self._seen & _ANCHORS) or self._names_findings()
        if self._seen & _REMOVING and not (self.rules or self._seen & _FINDINGS):
            is_about_findings = False
        if "run" in self._seen and not self._seen & _FIXING:
            is_about_findings = False
        if not (self.rules or is_about_findings):
            raise TaskRefusedError(
                reason=f"`{text}` does not say that it is about lint; {ABILITIES}"
            )

    def _names_findings(self) -> bool:
        return bool(self._seen & {"finding", "findings", "violations", "diagnostics"})


def _is_path(word: str) -> bool:
    return "/" in word or "*" in word or word.endswith((".py", ".pyi"))
