"""The cache directory: what lies where in it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from gfpcheck.store import LIMIT, Store

_FOLDERS = {"overlay": "generated headers", "pch": "precompiled headers"}
"""Folders beside the store, which has its own way to count and to clear."""
_STORE = "store"


class Held(NamedTuple):
    """How many files of one sort there are, and the bytes that they take."""

    what: str
    files: int
    size: int


def open_store(cache: Path | None) -> Store:
    """The store in the cache directory; None: one that keeps nothing."""
    return Store(None if cache is None else cache / _STORE)


def pch_folder(cache: Path) -> Path:
    """Where precompiled headers are kept."""
    return cache / "pch"


def held(cache: Path) -> tuple[list[Held], int]:
    """What there is in the cache directory, and the limit of the bytes that the store may take of it."""
    found = []
    for name, what in _FOLDERS.items():
        sizes = [path.stat().st_size for path in (cache / name).rglob("*") if path.is_file()]
        found.append(Held(what, len(sizes), sum(sizes)))
    stored = open_store(cache).contents()
    found += [Held(kind, contents.entries, contents.size) for kind, contents in stored.items()]
    return found, LIMIT


def clear(cache: Path) -> None:
    """Removes what gfpcheck keeps there, and nothing else. Raises OSError if that cannot be done."""
    open_store(cache).clear()
    for name in _FOLDERS:
        if (cache / name).exists():
            shutil.rmtree(cache / name)
