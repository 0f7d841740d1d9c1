"""What the oracle claims of a site, and what a mutant changes there."""

from __future__ import annotations

from typing import NamedTuple

SUBSYSTEMS = ("fs", "net", "drivers", "block", "mm", "sound")


class Edit(NamedTuple):
    """Replace text[start:end] of the file by `new`."""

    start: int
    end: int
    new: str


class Step(NamedTuple):
    """One place of the evidence for a claim."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


Evidence = tuple[Step, ...]


class Claim(NamedTuple):
    """A correct site that becomes hazardous by `edits`, and why the oracle says so.

    `hazard` names the kind of claim. `lines` are where the allocation stands after the edits (first, last).
    `depth` is the number of calls between lock or context and allocation. `why` is the chain of evidence, nearest
    the lock first: this is what a person checks. `family` is how the IDs of the rules begin that should report it.
    """

    hazard: str
    file: str
    function: str
    lines: tuple[int, int]
    depth: int
    edits: tuple[Edit, ...]
    why: Evidence
    family: str

    @property
    def folder(self) -> str:
        return self.file.rpartition("/")[0]

    @property
    def subsystem(self) -> str:
        return self.file.partition("/")[0]

    @property
    def place(self) -> str:
        return f"{self.file}:{self.lines[0]}"


def edited(text: str, edits: tuple[Edit, ...]) -> str:
    """`text` with all of `edits` made; they do not overlap."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.new + text[edit.end :]
    return text


class Unsure(Exception):  # noqa: N818 - not an error: the oracle declines
    """The oracle cannot tell whether a site is hazardous; the message says why, in a few words."""
