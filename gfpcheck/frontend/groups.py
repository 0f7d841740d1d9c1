"""Which files share a precompiled header: those with one command line, of one part of the tree."""

from __future__ import annotations

from collections.abc import Sequence

from gfpcheck.kbuild.types import Unit

# In a larger group, headers of one directory's files are too rare to be precompiled.
_LARGEST = 200
_SMALLEST = 12

Group = tuple[tuple[str, ...], str, str]
"""Arguments, working directory, part of the tree."""


def group(units: Sequence[Unit]) -> dict[Unit, Group]:
    """The group of each unit."""
    commands: dict[tuple[tuple[str, ...], str], list[Unit]] = {}
    for unit in units:
        commands.setdefault((unit.args, unit.cwd), []).append(unit)
    found: dict[Unit, Group] = {}
    for (args, cwd), members in commands.items():
        for part, some in _split(members, "").items():
            found.update(dict.fromkeys(some, (args, cwd, part)))
    return found


def _split(units: list[Unit], prefix: str) -> dict[str, list[Unit]]:
    """Parts of a directory, by path: its larger subdirectories each for itself, the rest together."""
    if len(units) <= _LARGEST:
        return {prefix: units}
    folders: dict[str, list[Unit]] = {}
    for unit in units:
        head, slash, _ = unit.rel[len(prefix) :].partition("/")
        folders.setdefault(prefix + head + slash if slash else "", []).append(unit)
    parts: dict[str, list[Unit]] = {}
    rest: list[Unit] = []
    for folder, members in folders.items():
        if folder and len(members) >= _SMALLEST:
            parts.update(_split(members, folder))
        else:
            rest += members
    return parts | {prefix: rest} if rest else parts
