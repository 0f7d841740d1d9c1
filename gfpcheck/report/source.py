"""Source lines for reports: each file is read once, and a missing one is no error."""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from gfpcheck.findings import Place
from gfpcheck.report.linehash import LineHashes

# Bytes beyond ASCII are part of a word: C allows them in identifiers.
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")


class Span(NamedTuple):
    """Columns of a word: 1-based, in Unicode code points, `end` exclusive."""

    start: int
    end: int


class Sources:
    """The source files below `root` that a report quotes; those in `replaced` have these contents instead."""

    def __init__(self, root: str, replaced: Mapping[str, bytes | None] | None = None) -> None:
        self._root = root
        self._data: dict[str, bytes | None] = dict(replaced or {})
        self._lines: dict[str, list[bytes]] = {}
        self._hashes: dict[str, LineHashes] = {}

    def line(self, file: str, number: int) -> bytes | None:
        """Line `number` (1-based) of `file` without its line break; None when it cannot be had."""
        lines = self._lines.get(file)
        if lines is None:
            # Like the C front end, bytes.splitlines() ends a line at LF, CR and CR LF, nowhere else.
            lines = self._lines[file] = (self._read(file) or b"").splitlines()
        return lines[number - 1] if 0 < number <= len(lines) else None

    def span(self, place: Place) -> Span:
        """The word at `place`; the whole line when the place has no column.

        Without the source, or when the source has changed since, the column is taken as it is.
        """
        raw = self.line(place.file, place.line)
        if place.col <= 0:
            return Span(1, 1 + len((raw or b"").decode("utf-8", "replace")))
        if raw is None or place.col > len(raw):
            return Span(place.col, place.col + 1)
        start = 1 + len(raw[: place.col - 1].decode("utf-8", "replace"))
        return Span(start, start + len(word_at(raw, place.col).decode("utf-8", "replace")))

    def line_hash(self, file: str, number: int) -> str | None:
        """GitHub's hash of line `number` of `file`; None when the line cannot be had."""
        if file not in self._hashes:
            data = self._read(file)
            if data is None:
                return None
            self._hashes[file] = LineHashes(data)
        hashes = self._hashes[file]
        return hashes.of(number) if 0 < number <= len(hashes) else None

    def _read(self, file: str) -> bytes | None:
        if file not in self._data:
            self._data[file] = contents(Path(self._root) / file)
        return self._data[file]


def word_at(raw: bytes, col: int) -> bytes:
    """The identifier or number that starts at byte column `col` of `raw`, else the one byte there."""
    found = _WORD.match(raw, col - 1)
    return found.group() if found else raw[col - 1 : col]


def contents(path: Path) -> bytes | None:
    """What a source file holds; None if it cannot be read."""
    try:
        # Opening a pipe would wait for ever.
        return path.read_bytes() if stat.S_ISREG(path.stat().st_mode) else None
    except (OSError, ValueError):
        return None
