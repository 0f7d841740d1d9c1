"""Finds the kernel tree that a path lies in."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
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


def home(root: Path) -> Path:
    """Where the files of the tree at `root` really lie: what is kept of a tree holds for a tree of links to it, too."""
    try:
        places = Counter(os.path.realpath(entry).rpartition("/")[0] for entry in os.scandir(root))
    except OSError:
        return root
    return Path(min(places, key=lambda place: (-places[place], place), default=root))


def build_source(build: Path) -> Tree | None:
    """The source tree that a build directory or a folder of kernel headers was made from, or None.

    `make O=` leaves a `source` link and a Makefile that includes the source's; distributions' header
    packages have the latter.
    """
    tree = read_tree(build)
    if tree is not None:
        return tree
    candidates = [build / "source"]
    with contextlib.suppress(OSError):
        text = (build / "Makefile").read_text("utf-8", "replace")[:4096]
        candidates += [Path(name) for name in re.findall(r"^include\s+(/\S+)/Makefile\s*$", text, re.MULTILINE)]
    for candidate in candidates:
        with contextlib.suppress(OSError, RuntimeError):
            tree = read_tree(candidate.resolve())
            if tree is not None:
                return tree
    return None
