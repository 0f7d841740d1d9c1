"""The line hash by which GitHub code scanning recognises an alert in the next upload.

GitHub's upload action computes it as a rolling hash and leaves a value that is there already
alone, but warns when that differs; so it has to be exactly the same. Defined on a file's text
without its spaces and tabs, every line break being one LF, followed by the unit 0xFFFF and zeros:
the hash of a line is the polynomial in 37, modulo 2**64, of the 100 UTF-16 units from the line's
first on, with a count of the equal hashes up to there.
"""

from __future__ import annotations

import re
from collections import Counter

_WINDOW = 100
_BASE = 37
_MASK = 0xFFFF_FFFF_FFFF_FFFF
_END = "\uffff" + "\0" * _WINDOW
_BEYOND_16_BITS = re.compile("[\U00010000-\U0010ffff]")


class LineHashes:
    """The hashes of the lines of one file."""

    def __init__(self, data: bytes) -> None:
        text = data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
        text = text.replace(" ", "").replace("\t", "")
        self._units = _BEYOND_16_BITS.sub(_surrogates, text) + _END
        self._starts = [0, *(found.end() for found in re.finditer("\n", self._units))]
        # Equal windows are counted instead of equal hashes, so that only the lines asked for need
        # hashing, which is slow. Chance does not make two windows differ and hash alike: 64 bits.
        seen: Counter[str] = Counter()
        self._occurrences: list[int] = []
        for start in self._starts:
            window = self._units[start : start + _WINDOW]
            seen[window] += 1
            self._occurrences.append(seen[window])

    def __len__(self) -> int:
        """The number of lines; after a line break at the end there is one more, an empty one."""
        return len(self._starts)

    def of(self, line: int) -> str:
        """`hash:occurrence` of a line, counted from 1. Raises IndexError past the end."""
        start = self._starts[line - 1]
        value = 0
        for unit in self._units[start : start + _WINDOW]:
            value = (value * _BASE + ord(unit)) & _MASK
        return f"{value:x}:{self._occurrences[line - 1]}"


def _surrogates(found: re.Match[str]) -> str:
    code = ord(found.group()) - 0x10000
    return chr(0xD800 + (code >> 10)) + chr(0xDC00 + (code & 0x3FF))
