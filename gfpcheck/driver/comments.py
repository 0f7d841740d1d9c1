"""Comments in the source, for rules that ask what the author has said."""

from __future__ import annotations

import re

from gfpcheck.report.source import Sources

_ABOVE = 60
"""Lines above a function's name that may belong to it."""
_STATEMENT = 6
"""Lines that a call may span."""
_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


class Comments:
    """The comments of the files below `root`."""

    def __init__(self, root: str) -> None:
        self._sources = Sources(root)

    def before(self, file: str, function: int, line: int) -> str:
        """What the comments say in a function whose name stands in line `function`: those above it, those in it down to
        `line`, and those beside the statement there. Empty if the source cannot be read."""
        first = function
        while first > max(1, function - _ABOVE) and self._line(file, first - 1).strip():
            first -= 1
        last = line
        while last < line + _STATEMENT and ";" not in self._line(file, last):
            last += 1
        text = "\n".join(self._line(file, number) for number in range(first, last + 1))
        return "\n".join(found.group() for found in _COMMENT.finditer(text))

    def _line(self, file: str, number: int) -> str:
        return (self._sources.line(file, number) or b"").decode("utf-8", "replace")
