"""A tree on disk that differs from another one in some files and takes no room: links, but for what differs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from gfpcheck.changes.types import Side

_LEFT_OUT = (".git", "compile_commands.json")
"""What speaks of the tree on disk by absolute paths."""


def shadow(side: Side, folder: Path, opened: Iterable[str]) -> Path:
    """Makes the side's tree in the empty `folder`, which is returned.

    Folders that hold a file that differs, and those in `opened` with all that lies below, are folders of their own;
    all else are links into the tree on disk. Raises OSError.
    """
    wanted = {"", *opened}
    own = {parent for path in (*side.replaced, *wanted) for parent in _parents(path)} | wanted
    _link(side.root, folder, "", own, frozenset(wanted) - {""})
    for path, data in side.replaced.items():
        place = folder / path
        if place.is_symlink():
            place.unlink()
        if data is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
    return folder


def _link(tree: Path, folder: Path, path: str, own: set[str], deep: frozenset[str]) -> None:
    """Fills `folder / path` like `tree / path`."""
    for entry in os.scandir(tree / path):
        name = f"{path}/{entry.name}" if path else entry.name
        inside = any(name == top or name.startswith(f"{top}/") for top in deep)
        if entry.is_dir(follow_symlinks=False) and (name in own or inside):
            (folder / name).mkdir()
            _link(tree, folder, name, own, deep)
        elif entry.name not in _LEFT_OUT:
            (folder / name).symlink_to(entry.path)


def _parents(path: str) -> Iterable[str]:
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path
