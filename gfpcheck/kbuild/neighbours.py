"""Which files a changed file is built together with: those that may call it, and that it may call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from gfpcheck.kbuild.tree import read_tree

_BUILD_FILES = ("Makefile", "Kbuild")


def neighbours(root: Path, changed: Iterable[str]) -> list[str]:
    """What to analyse below `root` when the files `changed` are: folders, and files of folders of which only a part
    belongs to them. A file belongs to the nearest folder at or above it that has a Makefile.

    Headers of folders without C files, such as a kernel's include/, are nobody's in particular: they lead to nothing.
    """
    found: dict[str, None] = {}
    folders = {build_folder(root, path) for path in changed}
    if read_tree(root) is not None:
        folders.discard("")
    for folder in sorted(folders):
        files = sorted(_files(root, folder))
        if not files:
            continue
        if any(_is_built(root / name) for name in _folders(root, folder)):
            found.update(dict.fromkeys(files))
        else:
            found[folder or "."] = None
    return list(found)


def build_folder(root: Path, path: str) -> str:
    """The folder whose Makefile names the file; the file's own if there is none."""
    own = folder = path.rpartition("/")[0]
    while not _is_built(root / folder):
        if not folder:
            return own
        folder = folder.rpartition("/")[0]
    return folder if folder or not own or _is_built(root / own) else own


def _is_built(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _BUILD_FILES)


def _folders(root: Path, folder: str) -> Iterator[str]:
    """The folders below `folder`, each once, down to those that have a Makefile."""
    for entry in os.scandir(root / folder):
        if entry.is_dir(follow_symlinks=False):
            name = f"{folder}/{entry.name}" if folder else entry.name
            yield name
            if not _is_built(root / name):
                yield from _folders(root, name)


def _files(root: Path, folder: str) -> Iterator[str]:
    """The C files that `folder` builds."""
    places = [folder, *(name for name in _folders(root, folder) if not _is_built(root / name))]
    for place in places:
        if (root / place).is_dir():
            for entry in os.scandir(root / place):
                if entry.name.endswith(".c") and entry.is_file():
                    yield f"{place}/{entry.name}" if place else entry.name
