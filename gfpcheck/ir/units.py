"""Translation units as they are lowered and stored, each by itself, and how modules are made of them.

Header functions are used by many units, and need be looked at once. Each unit names those that it uses; of the units
that use one, the first in order provides it. So a program is the same whichever of its units were lowered together, and
which were stored before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from gfpcheck.ir.types import Diagnostic, FnStore, Func, GlobalVar, Module, Proto


class Piece(msgspec.Struct, array_like=True):
    """Functions, with what is known of the things that they name (as in `Module`).

    `uses` are the header functions that they call or name, each as "file:name".
    """

    functions: list[Func]
    protos: dict[str, Proto]
    members: dict[str, str]
    globals: dict[str, GlobalVar]
    stores: list[FnStore]
    lost: list[str]
    uses: list[str]


def empty_piece() -> Piece:
    """A piece to add to."""
    return Piece([], {}, {}, {}, [], [], [])


class Translation(msgspec.Struct, array_like=True):
    """One translation unit.

    `own` are the functions of the file itself. `headers` are the header functions that they use, directly or not, by
    "file:name", except for those of the precompiled header `shared` (its digest, or empty), which all units
    that use that header see alike. `includes` and `errors` as in `Module`.
    """

    file: str
    own: Piece
    headers: dict[str, Piece]
    shared: str
    includes: list[str]
    errors: list[Diagnostic]


class Pool:
    """The functions of precompiled headers: pieces by the header's digest and "file:name".

    `load` finds what is known of a header from earlier runs. `changed` are the headers of which more is known by now.
    """

    def __init__(self, load: Callable[[str], dict[str, Piece]] = lambda _: {}) -> None:
        self._load = load
        self._pieces: dict[str, dict[str, Piece]] = {}
        self.changed: set[str] = set()

    def of(self, shared: str) -> dict[str, Piece]:
        """The pieces of the header with that digest."""
        found = self._pieces.get(shared)
        if found is None:
            found = self._pieces[shared] = self._load(shared) if shared else {}
        return found

    def add(self, shared: str, pieces: Mapping[str, Piece]) -> None:
        """More pieces of a header."""
        self.of(shared).update(pieces)
        self.changed.add(shared)


class Linker:
    """Makes modules of translation units, one after the other: each header function goes to the first that uses it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._provided: set[str] = set()

    def copy(self) -> Linker:
        """A linker that goes on from here, by itself."""
        other = Linker(self._pool)
        other._provided = set(self._provided)
        return other

    def module(self, unit: Translation) -> tuple[Module, bool]:
        """The module of the next unit, and whether all header functions that it uses are there."""
        found, complete = self._headers(unit, self._pool.of(unit.shared))
        return _module(unit, found), complete

    def _headers(self, unit: Translation, shared: Mapping[str, Piece]) -> tuple[list[Piece], bool]:
        """The header functions that `unit` is the first to use, and whether they are all there."""
        found: list[Piece] = []
        complete = True
        waiting = list(unit.own.uses)
        while waiting:
            name = waiting.pop()
            if name in self._provided:
                continue
            self._provided.add(name)
            piece = unit.headers.get(name) or shared.get(name)
            if piece is None:
                complete = False
            else:
                found.append(piece)
                waiting += piece.uses
        return found, complete


def _module(unit: Translation, headers: Sequence[Piece]) -> Module:
    own = unit.own
    module = Module(
        unit.file,
        own.functions,
        [func for piece in headers for func in piece.functions],
        dict(own.protos),
        dict(own.members),
        dict(own.globals),
        list(own.stores),
        unit.includes,
        unit.errors,
        list(own.lost),
    )
    module.headers.sort(key=lambda func: (func.file, func.name))
    for piece in sorted(headers, key=_order):
        module.stores += piece.stores
        module.lost += piece.lost
        for name, proto in piece.protos.items():
            module.protos.setdefault(name, proto)
        for name, ctype in piece.members.items():
            module.members.setdefault(name, ctype)
        for name, variable in piece.globals.items():
            module.globals.setdefault(name, variable)
    return module


def _order(piece: Piece) -> tuple[str, ...]:
    return (*(f"{func.file}:{func.name}" for func in piece.functions), *piece.lost)
