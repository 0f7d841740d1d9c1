"""Which lines of a file a change has written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from gfpcheck.changes.git import git
from gfpcheck.changes.types import Side
from gfpcheck.workers import scratch

_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)

Lines = Mapping[str, tuple[range, ...]]
"""By file: the ranges of lines that a change has written; where it only removed, the line that follows."""


def changed_lines(before: Side, after: Side) -> Lines:
    """The lines of the side after the change that are not those before it, by git's reckoning. Raises ChangeError."""
    found: dict[str, tuple[range, ...]] = {}
    with scratch() as folder:
        old, new = folder / "old", folder / "new"
        for path in before.differing(after):
            data = after.read(path)
            if data is not None:
                old.write_bytes(before.read(path) or b"")
                new.write_bytes(data)
                words = ["diff", "--no-index", "--no-ext-diff", "--no-color", "--text", "-U0", "old", "new"]
                found[path] = _ranges(git(folder, words, alone=True, accept=(0, 1)))
    return found


def without(lines: Lines, others: Lines) -> Lines:
    """`lines` without those that are among `others`."""
    return {file: tuple(_rest(ranges, others.get(file, ()))) for file, ranges in lines.items()}


def _rest(ranges: tuple[range, ...], others: tuple[range, ...]) -> Iterator[range]:
    for lines in ranges:
        start = lines.start
        for other in others:  # in the file's order, and none overlaps another
            if start < other.stop and other.start < lines.stop:
                if start < other.start:
                    yield range(start, other.start)
                start = other.stop
        if start < lines.stop:
            yield range(start, lines.stop)


def _ranges(diff: bytes) -> tuple[range, ...]:
    found = []
    for match in _HUNK.finditer(diff):
        start, length = int(match[3]), int(match[4] or 1)
        found.append(range(start, start + length) if length else range(start + 1, start + 2))
    return tuple(found)
