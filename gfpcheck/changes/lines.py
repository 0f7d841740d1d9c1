"""Which lines of a file a change has written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gfpcheck.changes.git import git
from gfpcheck.changes.types import Side
from gfpcheck.workers import scratch

_HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@", re.MULTILINE)


class Written(NamedTuple):
    """What a change has done in one place. `lines` are those it has written, or, where it only removed, the line that
    follows; `removed` is the text of those that stood there before, a line each."""

    lines: range
    only_removed: bool
    removed: tuple[str, ...]


Lines = Mapping[str, tuple[Written, ...]]
"""By file: what a change has written, in the file's order."""


def changed_lines(before: Side, after: Side) -> Lines:
    """The lines of the side after the change that are not those before it, by git's reckoning. Raises ChangeError."""
    found: dict[str, tuple[Written, ...]] = {}
    with scratch() as folder:
        old, new = folder / "old", folder / "new"
        for path in before.differing(after):
            data = after.read(path)
            if data is not None:
                old.write_bytes(before.read(path) or b"")
                new.write_bytes(data)
                words = ["diff", "--no-index", "--no-ext-diff", "--no-color", "--text", "-U0", "old", "new"]
                found[path] = _written(git(folder, words, alone=True, accept=(0, 1)))
    return found


def without(lines: Lines, others: Lines) -> Lines:
    """`lines` without those that are among `others`."""
    return {
        file: tuple(_rest(written, [other.lines for other in others.get(file, ())])) for file, written in lines.items()
    }


def _rest(written: tuple[Written, ...], others: Sequence[range]) -> Iterator[Written]:
    for each in written:
        start, stop = each.lines.start, each.lines.stop
        for other in others:  # in the file's order, and none overlaps another
            if start < other.stop and other.start < stop:
                if start < other.start:
                    yield each._replace(lines=range(start, other.start))
                start = other.stop
        if start < stop:
            yield each._replace(lines=range(start, stop))


def _written(diff: bytes) -> tuple[Written, ...]:
    found = []
    hunks = list(_HUNK.finditer(diff))
    for number, match in enumerate(hunks):
        start, length = int(match[3]), int(match[4] or 1)
        lines = range(start, start + length) if length else range(start + 1, start + 2)
        end = hunks[number + 1].start() if number + 1 < len(hunks) else len(diff)
        # As many as the head says: a line may look like anything.
        removed = diff[match.end() : end].split(b"\n")[1 : 1 + int(match[2] or 1)]
        found.append(Written(lines, not length, tuple(line[1:].decode("utf-8", "replace") for line in removed)))
    return tuple(found)
