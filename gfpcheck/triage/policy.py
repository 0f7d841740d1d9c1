"""What a project says of findings: how bad they are where, which are accepted, which were there before."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from gfpcheck.findings import Confidence, Entry, Known, Level


class TriageError(Exception):
    """A baseline or a file of suppressions is wrong; the message is for the user."""


@dataclass(frozen=True)
class PathSettings:
    """Settings for the files that one of `patterns` matches: absolute paths of files or folders, "*" for anything.

    `ignore` and the keys of `levels` name rules as the command line does.
    """

    patterns: tuple[str, ...]
    ignore: tuple[str, ...] = ()
    min_confidence: Confidence | None = None
    levels: Mapping[str, Level] = field(default_factory=dict)

    def concerns(self, path: str) -> bool:
        """True for a file, by its absolute path, that these settings are for."""
        return any(fnmatch.fnmatchcase(path, p) or fnmatch.fnmatchcase(path, f"{p}/*") for p in self.patterns)


@dataclass(frozen=True)
class Accepted:
    """An entry of a file of suppressions: a finding that somebody has looked at, and why it may stay. It stands at
    `line` of the file `source`; `file` is where the finding was, "" if that is not said."""

    fingerprint: str
    rule: str
    reason: str
    file: str
    source: str
    line: int

    @property
    def known(self) -> Known:
        """For matching."""
        return Known(self.fingerprint, self.file)


@dataclass(frozen=True)
class Policy:
    """Everything that decides what becomes of findings once they are found.

    `baseline` None: there is none. `record`: a baseline shall be made of what is found. `show_suppressed`,
    `show_known`: keep what is suppressed, what the baseline has.
    """

    levels: Mapping[str, Level] = field(default_factory=dict)
    paths: tuple[PathSettings, ...] = ()
    suppressions: tuple[Accepted, ...] = ()
    baseline: tuple[Entry, ...] | None = None
    record: bool = False
    show_suppressed: bool = False
    show_known: bool = False

    def moved(self, tree: str, copy: str) -> Policy:
        """The same for a copy of a tree: what is set for files below `tree` is set for those below `copy`."""

        def place(pattern: str) -> str:
            inside = pattern == tree or pattern.startswith(f"{tree.rstrip('/')}/")
            return copy + pattern[len(tree.rstrip("/")) :] if inside else pattern

        paths = tuple(replace(each, patterns=tuple(map(place, each.patterns))) for each in self.paths)
        return replace(self, paths=paths)

    def words(self) -> Iterator[str]:
        """All words that name rules."""
        yield from self.levels
        for each in self.paths:
            yield from each.ignore
            yield from each.levels
