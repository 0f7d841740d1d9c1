"""The lines and columns of a function's places."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping

import msgspec

from gfpcheck.ir.types import OWN, FnStore, Func, Loc, Position

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[tuple[Loc, Position]]).decode


def number_of(word: str) -> int:
    """The number of a word, for `Loc.word`; never 0."""
    return zlib.crc32(word.encode()) | 1 << 31


def packed(places: Mapping[Loc, Position]) -> bytes:
    """`places` as `Func.places` has them: few who read a function want to know."""
    return _encode(list(places.items()))


def positions(func: Func) -> dict[Loc, Position]:
    """The position of every place of `func`."""
    return dict(_decode(func.places)) if func.places else {}


def first_of(func: Func, places: Iterable[Loc]) -> Loc:
    """The first of `places` in the source; the function's own if there are none."""
    known = positions(func)
    return min(places, key=lambda loc: known[loc], default=OWN)


def stored_at(store: FnStore) -> Loc:
    """A place for the function that a table of a file is initialised with: its line may change, this does not."""
    return Loc(number_of(f"{store.record}.{store.member} {store.function}"), 0)
