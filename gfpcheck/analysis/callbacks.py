"""Functions that are called in an atomic context because of where they are registered.

An interrupt handler is named as an argument of request_irq(), a timer's function as one of timer_setup(), a driver's
ndo_start_xmit in an initialiser. models/data/callbacks.toml says which arguments and members these are. A function
that hands its own parameter on to one of them registers, too.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gfpcheck.analysis.paths import canonical, class_of, deref, parts
from gfpcheck.analysis.pointers import function_named
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import Site
from gfpcheck.ir import Assign, Call, Const, Expr, Field, Func, Var, stored_at
from gfpcheck.models import Models, base_name

_PLAIN = re.compile(
    r"(const |volatile )*(struct|union|enum|unsigned|signed|int|long|short|char|void|bool|size_t|[su](8|16|32|64))\b"
)

MAX_TARGETS = 8
"""A pointer that may mean more functions registers none."""
MAX_WRAPPERS = 3
"""Functions that a callback may be handed through on its way to the registering one."""


class Registration(NamedTuple):
    """A function is registered at `site` to be called in `context`. `how` says it in words; `via` leads on to the
    place that registers, if `site` calls a wrapper."""

    context: str
    how: str
    site: Site
    via: tuple[Site, ...] = ()


class _Way(NamedTuple):
    """What becomes of a function that is given as one argument: registered by the call at `via[-1]`."""

    context: str
    via: tuple[Site, ...]


class _Handed(NamedTuple):
    """A call in function `caller` hands `argument`, which may be a function, to the function `name`."""

    argument: Expr
    caller: str
    name: str
    site: Site


def registrations(program: Program, models: Models) -> dict[str, tuple[Registration, ...]]:
    """The registrations of each function that has any, by function id, sorted."""
    return _Finder(program, models).found()


class _Finder:
    def __init__(self, program: Program, models: Models) -> None:
        self._program = program
        self._models = models
        self._found: dict[str, set[Registration]] = {}
        self._ways: dict[tuple[str, int], _Way] = {}
        self._handed: dict[tuple[str, int], list[_Handed]] = {}
        self._holders = frozenset(entry.member for entry in models.callbacks.values() if entry.member)
        self._objects: dict[tuple[str, str], set[str]] = {}
        self._registered: list[tuple[str, str, Registration]] = []
        self._excepted: set[tuple[str, str]] = set()

    def found(self) -> dict[str, tuple[Registration, ...]]:
        self._find_exceptions()
        for key, func in self._program.functions.items():
            self._scan(key, func)
        for store in self._program.stores:
            target = self._program.find(store.function, store.file)
            site = Site(store.file, "", *stored_at(store))
            if target is not None:
                self._stored(f"{store.record}.{store.member}", f"{store.file}:{store.owner}", target, "", site)
        for place, owner, registration in self._registered:
            for target in self._objects.get((place, owner), ()):
                self._add(target, registration)
        self._spread()
        return {key: tuple(sorted(found)) for key, found in sorted(self._found.items())}

    def _find_exceptions(self) -> None:
        """Where code sets the member that makes a callback one that may sleep, by folder."""
        excepting = {entry.unless for entry in self._models.members.values() if entry.unless}
        bits = {entry.unless: entry.bit for entry in self._models.members.values()}
        for func in self._program.functions.values() if excepting else ():
            for block in func.blocks:
                for instr in block.instrs:
                    if isinstance(instr, Assign) and isinstance(instr.dst, Field):
                        place = f"{instr.dst.record}.{instr.dst.member}"
                        if place in excepting and _may_set(instr.src, bits[place]):
                            self._excepted.add((place, _folder(func.file)))

    def _scan(self, key: str, func: Func) -> None:
        for block in func.blocks:
            for instr in block.instrs:
                site = Site(func.file, func.name, *instr.loc)
                if isinstance(instr, Call):
                    if isinstance(instr.callee, Var) and instr.callee.kind == "f":
                        self._called(key, func, instr, instr.callee.name, site)
                elif isinstance(instr.dst, Field):
                    place = f"{instr.dst.record}.{instr.dst.member}"
                    if place in self._models.members or place in self._holders:
                        owner = _object(instr.dst.base, func)
                        for target in self._targets(key, func, instr.src):
                            self._stored(place, owner, target, key, site)

    def _targets(self, key: str, func: Func, expr: Expr) -> tuple[str | int, ...]:
        """The functions, by id, and the parameters, by number, that `expr` may be."""
        if isinstance(expr, Const):
            return ()
        name = function_named(expr)
        if name is not None:
            found = self._program.find(name, func.file)
            return () if found is None else (found,)
        pointers = self._program.pointers
        held = pointers.called(key, expr, by_callers=False)
        return (*(held if len(held) <= MAX_TARGETS else ()), *pointers.parameters(key, expr))

    def _called(self, key: str, func: Func, call: Call, name: str, site: Site) -> None:
        """A call that may register what it is given."""
        entry = self._models.callbacks.get(base_name(name))
        typed = call.macro or base_name(name)
        if entry is not None:
            if entry.arg < len(call.args):
                registration = Registration(entry.context, f"registered by {typed}()", site)
                argument = call.args[entry.arg]
                if entry.member:
                    self._registered.append((entry.member, _object(deref(argument), func), registration))
                else:
                    for target in self._targets(key, func, argument):
                        self._taken(target, key, registration)
            return
        callee = self._program.find(name, func.file)
        if callee is None:
            return
        params = self._program.functions[callee].params
        for number, (param, argument) in enumerate(zip(params, call.args, strict=False)):
            if _may_be_function(param.type):
                self._handed.setdefault((callee, number), []).append(_Handed(argument, key, typed, site))

    def _stored(self, place: str, owner: str, target: str | int, key: str, site: Site) -> None:
        """`target` is stored in the member `place` of the object `owner`, by function `key`."""
        if isinstance(target, str) and place in self._holders:
            self._objects.setdefault((place, owner), set()).add(target)
        entry = self._models.members.get(place)
        if entry is not None and (entry.unless, _folder(site.file)) not in self._excepted:
            self._taken(target, key, Registration(entry.context, f"stored in {place}", site))

    def _taken(self, target: str | int, key: str, registration: Registration) -> None:
        """A function is registered; or a parameter of `key` is, which makes that a registering function."""
        if isinstance(target, str):
            self._add(target, registration)
        else:
            self._ways.setdefault((key, target), _Way(registration.context, (registration.site,)))

    def _add(self, target: str, registration: Registration) -> None:
        self._found.setdefault(target, set()).add(registration)

    def _spread(self) -> None:
        """Follow what is handed to functions that register their parameters."""
        pending = sorted(self._ways)
        while pending:
            where = pending.pop()
            way = self._ways[where]
            for handed in self._handed.get(where, ()):
                for target in self._targets(handed.caller, self._program.functions[handed.caller], handed.argument):
                    if isinstance(target, str):
                        how = f"registered by {handed.name}()"
                        self._add(target, Registration(way.context, how, handed.site, way.via))
                    elif len(way.via) < MAX_WRAPPERS and (handed.caller, target) not in self._ways:
                        self._ways[handed.caller, target] = _Way(way.context, (handed.site, *way.via))
                        pending.append((handed.caller, target))


def _object(expr: Expr, func: Func) -> str:
    """The object at `expr`, by which a registered object is found again: a variable of this file, a member, or a
    pointer of this function."""
    expr = canonical(expr)
    return f"{func.file}:{expr.name}" if isinstance(expr, Var) else class_of(expr, func.name)


def _may_be_function(type_: str) -> bool:
    """True if a parameter of the spelled type may point at a function: by its form, or as a typedef."""
    return "(*" in type_ or not _PLAIN.match(type_)


def _may_set(value: Expr, bit: int) -> bool:
    """True if storing `value` may set `bit`, or, for -1, may store anything but zero."""
    if bit < 0:
        return value != Const(0)
    return any(isinstance(part, Const) and part.value >> bit & 1 for part in parts(value))


def _folder(file: str) -> str:
    return file.rpartition("/")[0]
