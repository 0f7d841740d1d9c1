"""C source as text: where its comments and strings are, which lines define macros, where a call ends."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

_NOT_CODE = re.compile(r"/\*.*?(?:\*/|\Z)|//(?:\\\n|[^\n])*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w+)(?:\\\n|[^\n])*", re.MULTILINE)


class CText:
    """The text of one file."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def line(self, offset: int) -> int:
        """The number of the line that `offset` is in, from 1."""
        return bisect_right(self._starts, offset)

    def column(self, offset: int) -> int:
        """The column of `offset`, from 1."""
        return offset - self._starts[self.line(offset) - 1] + 1

    def offset(self, line: int) -> int:
        """Where line number `line` begins; the end of the text for one that there is not."""
        return self._starts[line - 1] if line <= len(self._starts) else len(self.text)

    @cached_property
    def code(self) -> str:
        """The text with its comments and the contents of strings blanked out, nothing moved."""
        return _NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), self.text)

    @cached_property
    def definitions(self) -> list[range]:
        """Where macros are defined."""
        return [range(*found.span()) for found in _DIRECTIVE.finditer(self.code) if found[1] == "define"]

    def call_end(self, line: int) -> int:
        """Where the first statement that begins in line number `line` ends: at its semicolon, or where a block begins
        or ends."""
        depth = 0
        for offset in range(self.offset(line), len(self.code)):
            char = self.code[offset]
            depth += (char == "(") - (char == ")")
            if depth <= 0 and char in ";{}":
                return offset
        return len(self.code)
