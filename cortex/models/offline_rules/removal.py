"""Taking statements out of a text, with their comments kept."""

import ast

from cortex.models.offline_rules.edits import TextEdit
from cortex.models.offline_rules.module import Module


class Remover:
    """Plans the removal of whole statements; a block that would be empty keeps a `pass`."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._removed: set[ast.stmt] = set()

    def objection(self, statement: ast.stmt) -> str:
        """Why the statement cannot go as a whole; empty: it can."""
        module = self._module
        if not module.stands_alone(statement):
            return "it shares its line with another statement"
        inside = module.text[module.start(statement) : module.end(statement)]
        if "\n" in inside and "#" in inside:
            return "there are comments inside it, which would be lost"
        return ""

    def remove(self, statement: ast.stmt) -> TextEdit:
        """The edit that takes it out; ask `objection` first."""
        self._removed.add(statement)
        module = self._module
        start, end = module.start(statement), module.end(statement)
        if self._is_last_of_block(statement):
            return TextEdit(start, end, "pass")
        comment = module.text.find("#", end, module.line_end(end))
        if comment >= 0:
            return TextEdit(start, comment)
        return self._whole_lines(start, end)

    def _is_last_of_block(self, statement: ast.stmt) -> bool:
        block = self._module.block_of(statement)
        if block is self._module.tree.body:
            return False
        return all(one in self._removed for one in block)

    def _whole_lines(self, start: int, end: int) -> TextEdit:
        text = self._module.text
        first = text.rfind("\n", 0, start) + 1
        after = text.find("\n", end) + 1
        if after:
            return TextEdit(first, after)
        # The last line has no line end: the one before it goes instead, so that this stays so.
        return TextEdit(len(text[:first].rstrip("\r\n")) if first else 0, len(text))
