"""Has a file changed? Its stamp tells cheaply, its contents tell for sure."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable

import msgspec

from gfpcheck.store.entries import Store
from gfpcheck.store.keys import digest

Stamp = tuple[int, int, int]
"""Times of modification and of change in nanoseconds, size."""

_SECOND = 1_000_000_000
_NOTHING = b"\x80"  # an empty table
_MOST = 200_000  # files in a table; then it is begun anew
_FINE, _COARSE = _SECOND // 50, 2 * _SECOND  # how far apart two changes must be to differ in their times


def stamp(path: str) -> Stamp:
    """A file's stamp. Raises OSError."""
    status = os.stat(path)  # noqa: PTH116
    return status.st_mtime_ns, status.st_ctime_ns, status.st_size


def is_settled(found: Stamp, moment: int) -> bool:
    """True if a file with that stamp was last changed before `moment` (`time.time_ns()`), beyond doubt. Nobody can
    set the time of change, but file systems round it."""
    change = found[1]
    return change < moment - (_COARSE if change % _SECOND == 0 else _FINE)


class _Known(msgspec.Struct, array_like=True, gc=False):
    stamp: Stamp
    digest: str


class Files:
    """The contents of files, by digest. One that has the stamp it had in an earlier run need not be read.

    `start` is the moment from which on nothing may change that the run's results are to be kept for. `name` names
    the table in which the store keeps what is known.
    """

    def __init__(self, store: Store, name: str) -> None:
        self.start = time.time_ns()
        self._store = store
        self._key = digest("stamps", name)
        self._found: dict[str, _Known | None] = {}
        self._again: dict[str, bool] = {}
        try:
            self._known = msgspec.msgpack.decode(store.get("stamps", self._key) or _NOTHING, type=dict[str, _Known])
        except msgspec.DecodeError:  # of another version
            self._known = {}
        self._new: dict[str, _Known] = {}

    def digest(self, path: str) -> str | None:
        """What names the contents of the file at an absolute path, when first asked for; None if it cannot be read."""
        found = self._look(path)
        return None if found is None else found.digest

    def _look(self, path: str) -> _Known | None:
        if path not in self._found:
            try:
                self._found[path] = self._read(path)
            except (OSError, ValueError):
                self._found[path] = None
        return self._found[path]

    def _read(self, path: str) -> _Known:
        now = stamp(path)
        known = self._known.get(path)
        if known is None or known.stamp != now:
            with open(path, "rb") as stream:  # noqa: PTH123
                known = _Known(now, digest(stream.read()))
            if is_settled(now, self.start):  # else it may change again and keep its stamp
                self._new[path] = known
        return known

    def look_again(self) -> None:
        """What `settled` has found is forgotten: time has passed."""
        self._again.clear()

    def settled(self, paths: Iterable[str]) -> bool:
        """True if all of the files are now as they were when the run began, and when `digest` read them."""
        return all(self._is_settled(path) for path in paths)

    def _is_settled(self, path: str) -> bool:
        found = self._again.get(path)
        if found is None:
            known = self._look(path)
            try:
                found = known is not None and stamp(path) == known.stamp and is_settled(known.stamp, self.start)
            except (OSError, ValueError):
                found = False
            self._again[path] = found
        return found

    def save(self) -> None:
        """Keeps what was learnt for the next run."""
        if self._new:
            known = self._known if len(self._known) < _MOST else {}
            self._store.put("stamps", self._key, msgspec.msgpack.encode({**known, **self._new}))
            self._new = {}
