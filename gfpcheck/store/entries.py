"""Entries on disk: bytes by kind and key.

An entry is written under a temporary name and renamed, so a process that is killed leaves no half of one, and two
that write the same entry do not meet. It carries a checksum: one that was truncated or damaged is a miss, and is
removed. What cannot be written is not kept; the run goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard

LIMIT = 1 << 30
"""Bytes that the entries may take together."""

_MAGIC = b"gfpcheck entry 2"
_CHECK = 16
_TRIM_TO = 0.8  # of the limit, so that not every run has to trim
_USED_AGAIN = 3600.0  # seconds after which a use is noted again
_ABANDONED = 3600.0  # seconds after which a temporary file is nobody's
_TEMPORARY = ".new-"
_FAST = 1  # the level of compression: IR shrinks to a fifth either way


class Contents(NamedTuple):
    """How many entries of a kind there are, and the bytes that they take."""

    entries: int
    size: int


class Store:
    """Entries in `folder`, which take `limit` bytes at most. Without a folder nothing is kept.

    Keys are digests of everything that the entry depends on (`digest`). Nothing here raises for what is wrong
    with the disk: `problem` says why nothing can be written, empty as long as it can.
    """

    def __init__(self, folder: Path | None, limit: int = LIMIT) -> None:
        self._folder = folder
        self._limit = limit
        self._written = False
        self.problem = ""

    @property
    def keeps(self) -> bool:
        """False if nothing is kept anyway, and looking is a waste."""
        return self._folder is not None

    def get(self, kind: str, key: str) -> bytes | None:
        """The entry's bytes; None if there is none that is whole."""
        if self._folder is None:
            return None
        path = self._path(self._folder, kind, key)
        try:
            with path.open("rb") as stream:
                age = time.time() - os.fstat(stream.fileno()).st_mtime
                data = _unpacked(stream.read())
            if data is None:
                path.unlink(missing_ok=True)
            elif not 0 <= age < _USED_AGAIN:
                os.utime(path)
        except OSError:
            return None
        return data

    def has(self, kind: str, key: str) -> bool:
        """True if there is an entry; whether it is whole, only `get` knows."""
        return self._folder is not None and self._path(self._folder, kind, key).is_file()

    def put(self, kind: str, key: str, data: bytes) -> None:
        """Keeps an entry, if that is possible."""
        if self._folder is None or self.problem:
            return
        path = self._path(self._folder, kind, key)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, _packed(data))
        except FileNotFoundError:
            pass  # the store was cleared just now
        except OSError as error:
            self.problem = error.strerror or str(error)
        self._written = True

    def trim(self) -> None:
        """Removes the entries that were not used for longest, if all together take more than the limit; call it when
        everything is written."""
        if self._folder is None or not self._written:
            return
        self._written = False
        found = sorted(self._entries(self._folder), key=lambda entry: entry.used)
        total = sum(entry.size for entry in found)
        if total <= self._limit:
            return
        for entry in found:
            with contextlib.suppress(OSError):
                entry.path.unlink()
                total -= entry.size
            if total <= self._limit * _TRIM_TO:
                break

    def contents(self) -> dict[str, Contents]:
        """What there is of each kind."""
        found: dict[str, Contents] = {}
        for entry in self._entries(self._folder) if self._folder is not None else ():
            before = found.get(entry.kind, Contents(0, 0))
            found[entry.kind] = Contents(before.entries + 1, before.size + entry.size)
        return dict(sorted(found.items()))

    def clear(self) -> None:
        """Removes all entries. Raises OSError if one cannot be removed."""
        if self._folder is None or not self._folder.exists():
            return
        # Under another name, so that nobody puts an entry into a folder that is about to go.
        prefix = f"{_TEMPORARY}{self._folder.name}-"
        self._folder.rename(Path(tempfile.mkdtemp(prefix=prefix, dir=self._folder.parent), self._folder.name))
        for doomed in self._folder.parent.glob(f"{prefix}*"):
            shutil.rmtree(doomed, onerror=_unless_gone)

    @staticmethod
    def _path(folder: Path, kind: str, key: str) -> Path:
        return folder / kind / key[:2] / key[2:]

    def _entries(self, folder: Path) -> Iterator[_Entry]:
        """Every entry; temporary files that a killed process has left are removed on the way."""
        for parent, _, names in os.walk(folder):
            for name in names:
                path = Path(parent, name)
                with contextlib.suppress(OSError):
                    status = path.stat()
                    if not name.startswith(_TEMPORARY):
                        yield _Entry(path.relative_to(folder).parts[0], path, status.st_mtime, status.st_size)
                    elif time.time() - status.st_mtime > _ABANDONED:
                        path.unlink()


class _Entry(NamedTuple):
    kind: str
    path: Path
    used: float
    size: int


def _unless_gone(_function: object, _path: str, problem: tuple[object, BaseException, object]) -> None:
    """What another process has removed in the meantime is removed."""
    if not isinstance(problem[1], FileNotFoundError):
        raise problem[1]


def _checksum(packed: bytes) -> bytes:
    return hashlib.blake2b(packed, digest_size=_CHECK).digest()


def _packed(data: bytes) -> bytes:
    packed = zstandard.compress(data, _FAST)
    return _MAGIC + _checksum(packed) + packed


def _unpacked(raw: bytes) -> bytes | None:
    start = len(_MAGIC) + _CHECK
    packed = raw[start:]
    if raw[:start] != _MAGIC + _checksum(packed):
        return None
    return zstandard.decompress(packed)


def _write(path: Path, data: bytes) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=_TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
