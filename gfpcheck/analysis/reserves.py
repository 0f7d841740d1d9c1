"""Which reserve an allocation takes from: the path that leads to it, in the terms of the function that sees it."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.paths import (
    MAX_SIZE,
    canonical,
    class_of,
    deref,
    has_class,
    locals_in,
    names_in,
    replace,
    show,
    size,
)
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.analysis.state import Site
from gfpcheck.ir import Addr, Assign, Call, Expr, Func, Temp, Var
from gfpcheck.models import Models

MAX_STEPS = 8
"""Locals that are followed, one behind the other, to what they are assigned."""


class Pool(NamedTuple):
    """A reserve, by the path that leads to it; `text` is how the source writes it."""

    path: Expr
    text: str


class Reserves:
    """Names reserves. One object serves a whole program."""

    def __init__(self, program: Program, models: Models) -> None:
        self._program = program
        self._models = models
        self._given: dict[tuple[Site, ...], Expr | None] = {}

    def of(self, func: Func, site: AllocationSite) -> Pool | None:
        """The reserve that `site`, an allocation of `func` or below it, takes from."""
        pointer = self._pointer(func, site.call, site.via)
        if pointer is None:
            return None
        path = canonical(deref(pointer))
        known = has_class(class_of(path, func.name)) or isinstance(path, Var)
        return Pool(path, show(path)) if known or names_in(path) else None

    def _pointer(self, func: Func, call: Call, via: tuple[Site, ...]) -> Expr | None:
        """What points at the reserve of the allocation at the end of `via`, in terms of `func`, whose `call` leads
        there."""
        if not via:
            return self._given_to(call)
        key = f"{via[0].file}:{via[0].function}"
        if key not in self._program.callees(call, func):
            return None
        below = self._program.functions[key]
        if via not in self._given:
            self._given[via] = self._within(below, via)
        pointer = self._given[via]
        if pointer is None:
            return None
        given: dict[Expr, Expr] = {
            Var(param.name, "p"): argument for param, argument in zip(below.params, call.args, strict=False)
        }
        return canonical(replace(pointer, given)) if locals_in(pointer) <= given.keys() else None

    def _given_to(self, call: Call) -> Expr | None:
        """What an allocator is given as its reserve, or always takes from."""
        entry = self._models.allocators.get(callee_name(call))
        if entry is None:
            return None
        if entry.pool:
            return Addr(Var(entry.pool, "g"))
        return call.args[entry.pool_arg] if 0 <= entry.pool_arg < len(call.args) else None

    def _within(self, func: Func, via: tuple[Site, ...]) -> Expr | None:
        """The same of `func`, in which `via` begins, over nothing but its parameters as they were at entry."""
        calls = [call for _, _, call in self._program.calls(func) if call.loc == via[0].loc]
        if len(via) == 1:  # what a macro adds around the allocation stands at the same place
            calls = [call for call in calls if self._given_to(call) is not None]
        else:
            key = f"{via[1].file}:{via[1].function}"
            calls = [call for call in calls if key in self._program.callees(call, func)]
        found = {self._pointer(func, call, via[1:]) for call in calls}
        pointer = found.pop() if len(found) == 1 else None
        return None if pointer is None else _at_entry(func, canonical(pointer))


def _at_entry(func: Func, expr: Expr) -> Expr | None:
    """`expr` with locals that are assigned once replaced by what that is; None if it is something else at entry."""
    assigned = _assignments(func)
    for _ in range(MAX_STEPS):
        changed = {name for name in names_in(expr) if name in assigned}
        if not changed:
            return expr if all(_is_given(name) for name in names_in(expr)) else None
        sources = {name: assigned[name] for name in changed}
        if any(source is None for source in sources.values()):
            return None
        expr = canonical(replace(expr, {name: source for name, source in sources.items() if source is not None}))
        if size(expr) > MAX_SIZE:
            return None
    return None


def _assignments(func: Func) -> dict[Expr, Expr | None]:
    """What each variable is assigned; None if it is assigned more than once, or a parameter, or may change by its
    address."""
    found: dict[Expr, Expr | None] = {}
    for block in func.blocks:
        for instr in block.instrs:
            if isinstance(instr, Assign):
                if isinstance(instr.dst, Var | Temp):
                    once = instr.dst not in found and not (isinstance(instr.dst, Var) and instr.dst.kind == "p")
                    found[instr.dst] = canonical(instr.src) if once else None
                continue
            for argument in instr.args:
                pointed = canonical(argument)
                if isinstance(pointed, Addr) and isinstance(pointed.base, Var) and pointed.base.kind in "lp":
                    found[pointed.base] = None
    return found


def _is_given(name: Expr) -> bool:
    """True for what a caller knows, too."""
    return isinstance(name, Var) and name.kind in "pg"
