"""The index of a tree: which files define a function for others. It is kept, and only files that have changed are
read again."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from gfpcheck import workers
from gfpcheck.kbuild.tree import home
from gfpcheck.store import Store, digest, is_settled
from gfpcheck.symbols.text import definitions

_KIND = "symbols"
_FORMAT = "2"
_BATCH = 256  # files
_WORTH_PROCESSES = 2_000  # files


class _File(msgspec.Struct, array_like=True, gc=False):
    stamp: tuple[int, int, int]
    names: list[str]


class _Found(NamedTuple):
    rel: str
    stamp: tuple[int, int, int]


class Index:
    """The functions that the C files of a tree define. `digest` names all that is in it; `lost` counts the files that
    could not be read."""

    def __init__(self, files: dict[str, list[str]], lost: int) -> None:
        self.lost = lost
        self.digest = digest(msgspec.msgpack.encode(sorted(files.items())))
        self._files = files
        self._places: dict[str, tuple[str, ...]] | None = None

    def places(self, name: str) -> tuple[str, ...]:
        """The files, spelled from the root, that may define `name`; sorted."""
        if self._places is None:
            found: dict[str, list[str]] = {}
            for rel, names in sorted(self._files.items()):
                for each in names:
                    found.setdefault(each, []).append(rel)
            self._places = {each: tuple(rels) for each, rels in found.items()}
        return self._places.get(name, ())


def open_index(
    root: str,
    left_out: Collection[str],
    store: Store,
    start: int,
    jobs: int,
    tell: Callable[[int, int], None] = lambda *_: None,
) -> Index:
    """The index of the tree at `root`, without the folders `left_out` (spelled from there), as it is now.

    What `store` has of it is used for the files whose stamps are the same; a file that was changed after `start`
    (`time.time_ns()`) is not kept. If there is much to read, `jobs` processes read it. `tell` is told of (files read,
    files to read).
    """
    root = root.rstrip("/")
    key = digest(_FORMAT, str(home(Path(root))), *sorted(left_out))
    known = _load(store, key)
    found = list(_walk(root, frozenset(left_out)))
    there = {file.rel: file.stamp for file in found if _is_text(file.rel)}
    files = {rel: entry for rel, entry in known.items() if there.get(rel) == entry.stamp}
    unknown = sorted(there.keys() - files.keys())
    read = {rel: names for rel, names in _read_all(root, unknown, jobs, tell) if names is not None}
    files |= {rel: _File(there[rel], names) for rel, names in read.items()}
    if unknown or len(files) != len(known):
        kept = {rel: entry for rel, entry in files.items() if is_settled(entry.stamp, start)}
        store.put(_KIND, key, msgspec.msgpack.encode(kept))
    return Index({rel: entry.names for rel, entry in files.items()}, len(found) - len(files))


def _load(store: Store, key: str) -> dict[str, _File]:
    data = store.get(_KIND, key)
    try:
        return {} if data is None else msgspec.msgpack.decode(data, type=dict[str, _File])
    except msgspec.DecodeError:  # of another version
        return {}


def _is_text(rel: str) -> bool:
    """False for a name that is not valid UTF-8, which libclang needs."""
    try:
        return rel.isascii() or bool(rel.encode())
    except UnicodeEncodeError:
        return False


def _walk(root: str, left_out: frozenset[str]) -> Iterator[_Found]:
    """The C files below `root`; folders that cannot be listed hold none. Links to folders are followed out of the
    tree (`changes/shadow.py` makes trees of such), not within it."""
    folders = [""]
    links = _Links(root)
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(f"{root}/{folder}" if folder else root) as entries:
                for entry in entries:
                    rel = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.is_dir():
                        wanted = rel not in left_out and entry.name != ".git"
                        if wanted and (not entry.is_symlink() or links.leads_on(entry.path)):
                            folders.append(rel)
                    elif entry.name.endswith(".c") and entry.is_file():
                        status = entry.stat()
                        yield _Found(rel, (status.st_mtime_ns, status.st_ctime_ns, status.st_size))
        except OSError:
            continue


class _Links:
    """Decides which links to folders are followed: those that lead out of the tree, and each folder once."""

    def __init__(self, root: str) -> None:
        self._seen = [f"{os.path.realpath(root)}/"]

    def leads_on(self, link: str) -> bool:
        target = f"{os.path.realpath(link)}/"
        if any(target.startswith(seen) or seen.startswith(target) for seen in self._seen):
            return False
        self._seen.append(target)
        return True


def _read_all(
    root: str, rels: Sequence[str], jobs: int, tell: Callable[[int, int], None]
) -> Iterator[tuple[str, list[str] | None]]:
    """What each of the files defines; None for one that cannot be read."""
    batches = [rels[first : first + _BATCH] for first in range(0, len(rels), _BATCH)]
    if len(rels) < _WORTH_PROCESSES or jobs < 2:
        yield from _told(map(functools.partial(read_files, root), batches), len(rels), tell)
        return
    with workers.executor(jobs, __name__) as executor:
        # And not map(), which cancels what is left when it is interrupted.
        futures = [executor.submit(read_files, root, batch) for batch in batches]
        yield from _told((future.result() for future in futures), len(rels), tell)


def _told(
    found: Iterable[list[tuple[str, list[str] | None]]], total: int, tell: Callable[[int, int], None]
) -> Iterator[tuple[str, list[str] | None]]:
    done = 0
    for batch in found:
        yield from batch
        done += len(batch)
        tell(done, total)


def read_files(root: str, rels: Sequence[str]) -> list[tuple[str, list[str] | None]]:
    """What each of the files below `root` defines for others; None for one that cannot be read."""
    return [(rel, _definitions(f"{root}/{rel}")) for rel in rels]


def _definitions(path: str) -> list[str] | None:
    try:
        with open(path, "rb") as stream:  # noqa: PTH123
            return definitions(stream.read())
    except OSError:
        return None
