"""Finds the kernel tree that a path lies in."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_ASSIGNMENT = re.compile(r"^(VERSION|PATCHLEVEL|SUBLEVEL|EXTRAVERSION)[ \t]*:?=[ \t]*(.*)$", re.MULTILINE)


class Tree(NamedTuple):
    """A kernel source tree: its absolute root, (major, minor, patch), and the release with what follows it."""

    root: Path
    version: tuple[int, ...]
    release: str


def read_tree(root: Path) -> Tree | None:
    """The tree whose top folder is `root`, or None when that is no kernel tree."""
    try:
        with (root / "Makefile").open("rb") as stream:
            head = stream.read(4096).decode("utf-8", "replace")
    except OSError:
        return None
    found = {match[1]: match[2].strip() for match in _ASSIGNMENT.finditer(head)}
    if not (found.get("VERSION", "").isdigit() and found.get("PATCHLEVEL", "").isdigit()):
        return None
    if not (root / "include" / "linux").is_dir() or not (root / "arch").is_dir():
        return None
    patch = found.get("SUBLEVEL", "")
    version = (int(found["VERSION"]), int(found["PATCHLEVEL"]), int(patch) if patch.isdigit() else 0)
    return Tree(root, version, ".".join(map(str, version)) + found.get("EXTRAVERSION", ""))


def find_tree(path: Path) -> Tree | None:
    """The innermost kernel tree that holds the absolute `path`, or None."""
    for folder in (path, *path.parents):
        tree = read_tree(folder)
        if tree is not None:
            return tree
    return None
