"""Modules outside of the kernel's tree: where one begins, and which kernel it is for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from gfpcheck.kbuild.files import Asked, show
from gfpcheck.kbuild.makefile import names_objects
from gfpcheck.kbuild.tree import Tree, build_source, read_tree
from gfpcheck.kbuild.types import PlanError

_INSTALLED = Path("/lib/modules")


def is_module(asked: Sequence[Asked]) -> bool:
    """True if one of the paths, or a folder in one, belongs to a kernel module."""
    for entry in asked:
        folders = [entry.path, *children(entry.path)] if entry.is_folder else [entry.path.parent]
        if any(names_objects(folder) and read_tree(folder) is None for folder in folders):
            return True
    return False


def module_root(folder: Path) -> Path:
    """The folder that `M=` would name: the highest one at or above `folder` in an unbroken chain of Makefiles, else
    `folder`."""
    start = next((above for above in (folder, *folder.parents) if names_objects(above)), folder)
    while names_objects(start.parent):
        start = start.parent
    return start


def running_kernel(asked: Sequence[Asked]) -> tuple[Path, Tree]:
    """The headers and the sources of the kernel that a module is for when nobody says: the running one, as modules' own
    Makefiles have it. PlanError if they are not installed."""
    headers = _INSTALLED / os.uname().release / "build"
    source = build_source(headers)
    if source is None:
        others = sorted(each for each in _INSTALLED.glob("*/build") if build_source(each) is not None)
        hint = f"; there are those for --tree {show(others[-1])}" if others else ""
        raise PlanError(
            f"{show(asked[0].path)} is a kernel module; say which kernel with --tree or --build-dir "
            f"(there are no headers of the running one, {headers}{hint})"
        )
    return headers.resolve(), source


def children(folder: Path) -> list[Path]:
    """The folders in a folder; none if it cannot be listed."""
    try:
        return [Path(entry.path) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
