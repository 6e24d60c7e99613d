"""Aider's chat history: Markdown for people, read by its line beginnings. Pure.

Counts are heuristics: what is a prompt, an answer or an output stands in no field. The format has
no time but that of a chat's start.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from infrastructure.intake.sessions.reader import Reader
from infrastructure.intake.sessions.records import Edited, Used

_CHAT = "# aider chat started at "
_ERROR = re.compile(
    r"^> .*(?:failed to (?:match|apply)|did not (?:match|conform)|Traceback|litellm\.\w*Error)",
    re.IGNORECASE,
)
_APPLIED = re.compile(r"^> Applied edit to (.*)$")
_COMMIT = re.compile(r"^> Commit [0-9a-f]{7}")
_TOKENS = re.compile(r"([\d.,]+)(k?) sent.*?([\d.,]+)(k?) received")
_COST = re.compile(r"Cost: \$([\d.]+) message")
_MODEL = re.compile(r"^> (?:Main )?[Mm]odels?: (\S+)")


class AiderReader(Reader):
    """Reads lines, each as an object with its `text`."""

    is_paired = False

    def __init__(self) -> None:
        super().__init__()
        self._previous: str | None = None
        self._shown = ""
        self._is_answering = False
        self._counts_answer = False
        self._answer: list[str] = []
        self._asked: list[str] = []
        self._model = ""
        self._applied: set[str] = set()
        self._line_before: str | None = None

    def totals(self) -> dict[str, int]:
        """See Reader."""
        return {**super().totals(), "applied_files": len(self._applied)}

    def _read(self, value: Mapping[str, Any]) -> str:
        if value.get("is_end"):
            self._close_prompt()
            self._close_answer()
            return "end"
        line = str(value["text"])
        kind = _kind(line)
        self._count_line(line)
        if kind == "a":
            self._plain(line)
        elif kind:
            self._close_answer()
        if kind == "u":
            self._asked.append(line.removeprefix("#### ").removeprefix("####").rstrip())
        elif self._asked and kind:
            self._close_prompt()
        if kind == "h":
            self._chat(line)
        elif kind == "n":
            self._output(line)
        if kind and not (kind == "n" and self._previous == "u"):
            self._previous = kind
        self._line_before = line
        return {"u": "prompt", "n": "output", "h": "chat", "a": "text", "": "blank"}[kind]

    def _count_line(self, line: str) -> None:
        before = self._line_before
        if line.startswith("#### ") and before is not None and not before.startswith("#### "):
            self._count("user_prompts")
        self._count("prompt_lines", int(line.startswith("#### ")))
        self._count("edit_calls", int(line.startswith("<<<<<<< SEARCH")))
        self._count("errors", int(_ERROR.match(line) is not None))
        self._count("commits", int(_COMMIT.match(line) is not None))
        self._count("token_lines", int(line.startswith("> Tokens: ")))

    def _plain(self, line: str) -> None:
        if not self._is_answering:
            # Behind a prompt, whatever was printed in between: an answer. Elsewhere: its rest.
            if self._asked:
                self._close_prompt()
            self._counts_answer = self._previous == "u"
            self._is_answering = True
        if self._counts_answer:
            self._answer.append(line)

    def _close_answer(self) -> None:
        if self._answer:
            self._text("\n".join(self._answer))
        self._answer, self._is_answering, self._counts_answer = [], False, False

    def _close_prompt(self) -> None:
        if self._asked:
            text = "\n".join(self._asked)
            self._asked = []
            self._prompt(text)
            self._count("user_prompts", -1)  # counted line by line

    def _chat(self, line: str) -> None:
        self._count("chats")
        started = line.removeprefix(_CHAT).strip()
        try:
            self._at(datetime.fromisoformat(started).isoformat())
        except ValueError:
            self._at(None)
        self._note("start", started)

    def _output(self, line: str) -> None:
        if match := _MODEL.match(line):
            self._model = match[1]
            self._fact("model", match[1])
        if match := _APPLIED.match(line):
            path = match[1].rstrip()
            self._applied.add(path.partition(" ")[0])
            self._edit(Edited(path=path))
        elif _ERROR.match(line):
            self._note("notice", line.removeprefix("> ").rstrip(), {"level": "error"})
        elif _COMMIT.match(line):
            self._note("commit", line.removeprefix("> Commit ").rstrip())
        elif line.startswith("> Tokens: "):
            self._usage(line)

    def _usage(self, line: str) -> None:
        match, cost = _TOKENS.search(line), _COST.search(line)
        if match is None:
            return
        self._used(
            Used(
                key=f"#{self.counts['token_lines']}",
                model=self._model,
                input_tokens=_thousands(match[1], match[2]),
                output_tokens=_thousands(match[3], match[4]),
                cost_usd=float(cost[1].rstrip(".")) if cost else None,
            )
        )


def _kind(line: str) -> str:
    if line.startswith("####"):
        return "u"
    if line.startswith(">"):
        return "n"
    if line.startswith("# aider chat"):
        return "h"
    return "a" if line.strip() else ""


def _thousands(number: str, unit: str) -> int:
    return int(float(number.replace(",", "")) * (1000 if unit else 1))
