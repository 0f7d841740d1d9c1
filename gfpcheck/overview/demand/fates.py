"""What becomes of an allocation: is it given back, or does it live on?

The pointer is followed through locals, parameters, what functions return and what they store where their caller told
them to, over all paths at once. What is freed on every way without an error is *freed*, and so is what is freed on
some and stored nowhere. What is in memory that others see is *kept*: nobody follows it further. Where some callers of a
function free it and others do not, that is *open*.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Set
from typing import Literal

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.paths import is_member_of_variable
from gfpcheck.analysis.program import callee_name
from gfpcheck.ir import Addr, Assign, Bin, Call, Const, Deref, Expr, Field, Func, Index, Return, Temp, Var, successors
from gfpcheck.overview.callers import Calls
from gfpcheck.overview.demand.ways import Errors

Fate = Literal["freed", "kept", "open"]
_ALWAYS, _FREED, _STORED, _RETURNED = "always", "freed", "stored", "returned"

Seen = frozenset[str]
"""What a function does with a pointer: `_FREED`, and `_ALWAYS` if on every way without an error, `_STORED`,
`_RETURNED`, or the parameter by which it hands it out."""


class Fates:
    """Answers for one program."""

    def __init__(self, engine: Engine, errors: Errors, calls: Calls) -> None:
        self._errors = errors
        self._program = engine.program
        self._frees = engine.effects.models.frees
        self._calls = calls
        self._given: dict[tuple[str, Expr], Seen] = {}
        self._made: dict[tuple[str, int], Fate] = {}
        self._ended: dict[tuple[str, Expr], frozenset[str]] = {}
        self._among: Set[str] | None = None

    def among(self, callers: Set[str]) -> Fates:
        """What becomes of it where none but these functions call others."""
        found = copy.copy(self)
        found._made, found._ended, found._among = {}, {}, callers
        return found

    def of(self, key: str, call: Call) -> Fate:
        """What becomes of what `call`, in function `key`, returns."""
        which = (key, call.dst)
        known = self._made.get(which)
        if known is None:
            ends = self._ends(key, Temp(call.dst))
            known = "freed" if ends == {_FREED} else "open" if _FREED in ends and _STORED in ends else "kept"
            self._made[which] = known
        return known

    def _ends(self, key: str, name: Expr) -> frozenset[str]:
        """`_FREED` or `_STORED` or both, for what `name` points at, in function `key` and its callers."""
        known = self._ended.get((key, name))
        if known is None:
            self._ended[key, name] = frozenset()  # functions that call each other
            known = self._ended[key, name] = frozenset(self._find_ends(key, name))
        return known

    def _find_ends(self, key: str, name: Expr) -> Iterator[str]:
        seen = self._follow(key, name)
        if _ALWAYS in seen:
            yield _FREED
            return
        out = seen - {_FREED, _STORED}
        if not out:
            yield _FREED if seen == {_FREED} else _STORED
            return
        calls = [each for each in self._calls.of(key) if self._among is None or each.key in self._among]
        if not calls:
            yield _STORED
        params = [param.name for param in self._program.functions[key].params]
        for caller, call in calls:
            for each in out:
                if each == _RETURNED:
                    yield from self._ends(caller, Temp(call.dst))
                    continue
                number = params.index(each)
                argument = call.args[number] if number < len(call.args) else Const(0)
                if isinstance(argument, Addr) and _is_local(argument.base):
                    yield from self._ends(caller, argument.base)
                elif isinstance(argument, Var) and argument.kind == "p":
                    yield from self._ends(caller, Deref(argument))
                elif argument != Const(0):
                    yield _STORED

    def _follow(self, key: str, name: Expr) -> Seen:
        """What function `key` does with what `name` points at."""
        known = self._given.get((key, name))
        if known is None:
            self._given[key, name] = frozenset()  # a function that calls itself
            known = self._given[key, name] = frozenset(self._look(self._program.functions[key], name))
        return known

    def _look(self, func: Func, name: Expr) -> set[str]:
        names = {name}
        found = {name.base.name} if isinstance(name, Deref) and isinstance(name.base, Var) else set()
        size = 0
        while len(names) > size:
            size = len(names)
            for block in func.blocks:
                for instr in block.instrs:
                    if isinstance(instr, Assign) and _leads_into(instr.src, names) and instr.dst not in names:
                        found |= _put(instr.dst, names)
        freeing: set[int] = set()
        for number, block in enumerate(func.blocks):
            for instr in block.instrs:
                if isinstance(instr, Call):
                    seen = set(self._passed(func, instr, names))
                    if _ALWAYS in seen:
                        freeing.add(number)
                    found |= seen - {_ALWAYS}
            if isinstance(block.term, Return) and block.term.value is not None and _leads_into(block.term.value, names):
                found.add(_RETURNED)
        if freeing and self._cannot_return(func, name, freeing):
            found.add(_ALWAYS)
        return found

    def _cannot_return(self, func: Func, name: Expr, freeing: set[int]) -> bool:
        """True if no way without an error leads past the blocks `freeing`, from where `name` gets its value on."""
        made = [n for n, block in enumerate(func.blocks) for i in block.instrs if _makes(i, name)]
        errors = self._errors.of(func)
        waiting = made or [0]
        seen = set(waiting)
        for number in waiting:
            if number in freeing:
                continue
            term = func.blocks[number].term
            if isinstance(term, Return):
                return False
            for target in successors(term):
                if target not in seen and (number, target) not in errors:
                    seen.add(target)
                    waiting.append(target)
        return True

    def _passed(self, func: Func, call: Call, names: set[Expr]) -> Iterator[str]:
        """What becomes of what a call is given."""
        free = self._frees.get(callee_name(call))
        for number, argument in enumerate(call.args):
            of_name = isinstance(argument, Addr) and argument.base in names
            if not of_name and not _leads_into(argument, names):
                continue
            if free is not None:
                if number == free.arg:
                    yield from (_FREED, _ALWAYS)
                continue
            for callee in self._program.callees(call, func):
                params = self._program.functions[callee].params
                if number < len(params):
                    given = Var(params[number].name, "p")
                    seen = self._follow(f"{callee}", Deref(given) if of_name else given)
                    yield from seen & {_ALWAYS, _FREED, _STORED}


def _makes(instr: Assign | Call, name: Expr) -> bool:
    """True if `name` gets its value there: by a call that returns it, or that is given its address."""
    if isinstance(instr, Call):
        return name == Temp(instr.dst) or any(isinstance(arg, Addr) and arg.base == name for arg in instr.args)
    return False


def _put(place: Expr, names: set[Expr]) -> set[str]:
    """A pointer is assigned to `place`: another of its `names`, or somewhere else."""
    if _is_local(place) or is_member_of_variable(place):
        names.add(place)
        return set()
    if isinstance(place, Deref) and isinstance(place.base, Var) and place.base.kind == "p":
        return {place.base.name}
    return set() if _leads_into(Addr(place), names) else {_STORED}


def _is_local(place: Expr) -> bool:
    return isinstance(place, Temp) or (isinstance(place, Var) and place.kind != "g")


def _leads_into(expr: Expr, names: set[Expr]) -> bool:
    """True if `expr` is one of `names`, or an address in what one of them points at."""
    if expr in names:
        return True
    if isinstance(expr, Bin) and expr.op in "+-":
        return _leads_into(expr.left, names)
    if not isinstance(expr, Addr):
        return False
    inner = expr.base
    while isinstance(inner, Field | Index):
        inner = inner.base
    return isinstance(inner, Deref) and inner.base in names
