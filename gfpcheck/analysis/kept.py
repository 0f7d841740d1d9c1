"""What runs over functions have found out, from one run of the tool to the next.

An entry is named by everything that the run depended on but for the summaries of the functions called: the function's
own body, the models, what pointers may mean (`Surroundings`). Those summaries it names one by one, so that a change in
a function leads up the call graph only as far as summaries change.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Generic, TypeVar

import msgspec
import zstandard

from gfpcheck.analysis.results import Which

T = TypeVar("T")

_RESTS = 3
"""Runs of the tool for which an entry is kept that is not asked for."""
_MOST = 400 << 20
"""Bytes of entries; more are not kept."""
_LARGE = 1 << 16
"""Bytes from which on an entry is compressed: a function that allocates in many places under many locks says the same
again and again."""
_FAST = 1  # the level of compression
_Table = dict[bytes, tuple[int, msgspec.Raw]]


class Entry(msgspec.Struct, Generic[T], array_like=True):
    """What was found out, when the runs that it `needs` had the summaries of these digests."""

    needs: tuple[tuple[Which, bytes], ...]
    found: T


Reader = msgspec.msgpack.Decoder[Entry[T]]
"""Reads entries of one kind."""


class News(msgspec.Struct, array_like=True):
    """Entries that were added and used."""

    added: dict[bytes, bytes]
    used: set[bytes]


class Kept:
    """Entries by name: those of `data`, which `table` has returned earlier, and new ones."""

    def __init__(self, data: bytes | None = None) -> None:
        self._old: _Table = {}
        if data is not None:
            with suppress(msgspec.DecodeError):  # of another version
                self._old = msgspec.msgpack.decode(data, type=_Table)
        self._used: set[bytes] = set()
        self._new: dict[bytes, bytes] = {}

    def has(self, name: bytes) -> bool:
        """Whether there is such an entry, true or not."""
        return name in self._old

    def find(self, name: bytes, reader: Reader[T]) -> Entry[T] | None:
        """The entry of that name, if there is one."""
        known = self._old.get(name)
        if known is None:
            return None
        self._used.add(name)
        try:
            return reader.decode(_unpacked(known[1]))
        except (msgspec.DecodeError, zstandard.ZstdError):
            return None

    def add(self, name: bytes, needs: tuple[tuple[Which, bytes], ...], found: object) -> None:
        """Keeps what was found out."""
        self._new[name] = _packed(msgspec.msgpack.encode(Entry(needs, found)))

    def news(self) -> News:
        """What was added and used since this was last asked, for another process."""
        news = News(self._new, self._used)
        self._new, self._used = {}, set()
        return news

    def learn(self, news: News) -> None:
        """What another process has added and used."""
        self._new.update(news.added)
        self._used.update(news.used)

    def table(self) -> bytes | None:
        """What to keep for the next time; None if nothing is new."""
        if not self._new:
            return None
        table: dict[bytes, tuple[int, msgspec.Raw]] = {name: (0, msgspec.Raw(data)) for name, data in self._new.items()}
        size = sum(map(len, self._new.values()))
        for name, (age, data) in self._old.items():
            age = 0 if name in self._used else age + 1
            if name not in table and age <= _RESTS:
                table[name] = (age, data)
                size += len(data)
        return msgspec.msgpack.encode(table) if size <= _MOST else None


def _packed(entry: bytes) -> bytes:
    """`entry`, which is an array, or a string of bytes that it is compressed in: msgpack both."""
    return entry if len(entry) < _LARGE else msgspec.msgpack.encode(zstandard.compress(entry, _FAST))


def _unpacked(packed: msgspec.Raw) -> msgspec.Raw | bytes:
    """The entry that was packed."""
    try:
        compressed = _bytes(packed)
    except msgspec.ValidationError:
        return packed
    return zstandard.decompress(compressed)


_bytes = msgspec.msgpack.Decoder(bytes).decode
