"""Callees outside the paths asked for: found through the tree's index, read, and cut down to the functions reached."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from gfpcheck.ir import Call, Func, Module, Var
from gfpcheck.kbuild import Unit, Workspace
from gfpcheck.models import Models, base_name
from gfpcheck.symbols import Index

ReadMore = Callable[[Sequence[Unit]], list[Module]]
"""Reads further files, in order."""


class Callee(NamedTuple):
    """A function that was looked for. `place` is the file, spelled as `Unit.rel`, that it was taken from; empty if it
    was not followed for the reason `why`."""

    name: str
    place: str
    why: str = ""


class Followed(NamedTuple):
    """What lies beyond the paths. `modules` hold only the functions reached, `units` are their files, `callees` tells
    of all functions that were looked for, sorted; `places` are the files that were thought of, spelled from the tree's
    root."""

    modules: list[Module]
    units: tuple[Unit, ...]
    callees: tuple[Callee, ...]
    places: tuple[str, ...] = ()

    @property
    def functions(self) -> frozenset[str]:
        """The ids of the functions."""
        return frozenset(f"{func.file}:{func.name}" for module in self.modules for func in _every(module))

    def counts(self) -> dict[str, int]:
        """What to tell the user: how far calls were followed, and why not farther."""
        reasons = Counter(callee.why for callee in self.callees if callee.why)
        found = {"followed files": len(self.modules), "followed functions": len(self.functions)}
        return found | {f"{why} callees": reasons[why] for why in WHY}


NOTHING = Followed([], (), ())

OPAQUE, UNKNOWN, UNBUILT, AMBIGUOUS, DISTANT = WHY = ("opaque", "unknown", "unbuilt", "ambiguous", "distant")
"""Why a function was not followed: it is part of a primitive, no C function that the text of the tree shows, defined
where this kernel is not made of, defined in several places of which none is likelier, or farther away than was to be
followed."""


def follow(
    modules: Sequence[Module], workspace: Workspace, index: Index, knowledge: Models, depth: int, read: ReadMore
) -> Followed:
    """Follows the calls of `modules` into other files of the tree, from there into others, and so on `depth` times.

    Functions that the models know, and those of `opaque` files, are not looked into.
    """
    return _Search(modules, workspace, index, knowledge, read).run(depth)


class _Search:
    def __init__(
        self, modules: Sequence[Module], workspace: Workspace, index: Index, knowledge: Models, read: ReadMore
    ) -> None:
        self._workspace = workspace
        self._index = index
        self._knowledge = knowledge
        self._read = read
        self._asked = modules
        self._known = {func.name for module in modules for func in _every(module) if not func.static or func.inline}
        self._headers: dict[str, _File] = {}
        self._files = {module.file: _File(module, self._headers) for module in modules}
        self._units: dict[str, Unit | None] = {}
        self._followed: dict[str, Unit] = {}
        self._callees: dict[str, Callee] = {}

    def run(self, depth: int) -> Followed:
        callers: dict[str, list[str]] = {}
        for module in self._asked:
            self._note(callers, module.file, _every(module))
        for _ in range(depth):
            found = [self._find(name, files) for name, files in sorted(callers.items()) if name not in self._callees]
            self._callees |= {callee.name: callee for callee in found}
            callers = self._take([callee for callee in found if callee.place])
        for name in callers:
            self._callees.setdefault(name, Callee(name, "", DISTANT))
        modules = [self._files[rel].reached() for rel in sorted(self._followed)]
        units = tuple(unit for _, unit in sorted(self._followed.items()))
        return Followed(modules, units, tuple(sorted(self._callees.values())), tuple(sorted(self._units)))

    def _take(self, found: Sequence[Callee]) -> dict[str, list[str]]:
        """Reads where these are defined. Returns the names that are called from there, with the files that do."""
        places = {unit.rel: unit for unit in self._units.values() if unit is not None}
        new = {rel: places[rel] for rel in sorted({callee.place for callee in found}) if rel not in self._files}
        self._followed |= new
        self._files |= {module.file: _File(module, self._headers) for module in self._read(list(new.values()))}
        callers: dict[str, list[str]] = {}
        for callee in found:
            reached = self._files[callee.place].reach(callee.name)
            if reached is None:
                self._callees[callee.name] = Callee(callee.name, "", UNKNOWN)
            else:
                self._note(callers, callee.place, reached)
        return callers

    def _note(self, callers: dict[str, list[str]], file: str, functions: Iterable[Func]) -> None:
        """The names that `functions`, of `file`, call and that nobody has met."""
        own = self._files[file].names
        for func in functions:
            for name in _called(func):
                if name not in own and name not in self._known and not self._is_known(name):
                    callers.setdefault(name, []).append(file)

    def _is_known(self, name: str) -> bool:
        """True for a function of which the models say all there is to say; of one that opens or closes a scope, what it
        allocates is not said."""
        models, base = self._knowledge, base_name(name)
        return (models.defers(base) and base not in models.scopes) or any(
            base in names
            for names in (models.not_allocators, models.noreturn, models.steady, models.retry_waits, models.queries)
        )

    def _find(self, name: str, callers: Sequence[str]) -> Callee:
        """Where the function that these files call is defined."""
        there = [place for place in self._index.places(name) if self._unit(place) is not None]
        if there and all(map(self._is_opaque, there)):
            return Callee(name, "", OPAQUE)
        # The headers would not fit a file that is not built.
        places = [place for place in there if self._workspace.is_built(place)]
        near = {place: _nearness(place, callers) for place in places}
        nearest = [place for place in places if near[place] == max(near.values())]
        if len(nearest) != 1:
            return Callee(name, "", AMBIGUOUS if nearest else UNBUILT if there else UNKNOWN)
        place = nearest[0]
        if self._is_opaque(place):
            return Callee(name, "", OPAQUE)
        unit = self._unit(place)
        assert unit is not None
        return Callee(name, unit.rel)

    def _is_opaque(self, place: str) -> bool:
        return any(place == path or (path[-1] == "/" and place.startswith(path)) for path in self._knowledge.opaque)

    def _unit(self, place: str) -> Unit | None:
        if place not in self._units:
            self._units[place] = self._workspace.callee(place)
        return self._units[place]


class _File:
    """One file, and which of its functions were reached."""

    def __init__(self, module: Module, headers: dict[str, _File]) -> None:
        self._module = module
        self._functions = {func.name: func for func in _every(module)}
        self._own = {func.name: func for func in module.functions}
        self.names = self._functions.keys()
        # Each function of a header stands in the first file that uses it: others find it there.
        self._headers = headers
        for func in module.headers:
            headers.setdefault(func.name, self)
        self._reached: set[str] = set()

    def reach(self, name: str) -> list[Func] | None:
        """The functions that can be reached in this file from `name` and that were not before; None if it has no such
        function for others."""
        if name not in self._own or self._own[name].static:
            return None
        new: list[Func] = []
        waiting = [name]
        while waiting:
            each = waiting.pop()
            owner = self if each in self._own else self._headers.get(each)
            if owner is not None and each not in owner._reached:
                owner._reached.add(each)
                new.append(owner._functions[each])
                waiting += _named(new[-1])
        return new

    def reached(self) -> Module:
        """The file with nothing but what was reached. Its tables of functions are left out: they are not what was asked
        about, and would make everybody's pointers wider."""
        module = self._module
        return msgspec.structs.replace(
            module,
            functions=[func for func in module.functions if func.name in self._reached],
            headers=[func for func in module.headers if func.name in self._reached],
            stores=[],
            includes=[],
            lost=[],
        )


def _every(module: Module) -> Iterator[Func]:
    yield from module.functions
    yield from module.headers


def _calls(func: Func) -> Iterator[Call]:
    return (instr for block in func.blocks for instr in block.instrs if isinstance(instr, Call))


def _called(func: Func) -> Iterator[str]:
    """The names of the functions that `func` calls."""
    return (call.callee.name for call in _calls(func) if isinstance(call.callee, Var) and call.callee.kind == "f")


def _named(func: Func) -> Iterator[str]:
    """The names of the functions that `func` calls or hands on."""
    for call in _calls(func):
        for expr in (call.callee, *call.args):
            inner = getattr(expr, "base", expr)
            if isinstance(inner, Var) and inner.kind == "f":
                yield inner.name


def _nearness(place: str, callers: Sequence[str]) -> int:
    """How many folders the place shares with the nearest of the files that call."""
    shared = (os.path.commonpath([place, caller]) for caller in callers if caller[0] != "/")
    return max((path.count("/") + 1 for path in shared if path), default=0)
