"""What a function stores into an object that it is given the address of."""

from __future__ import annotations

from gfpcheck.analysis.program import Program
from gfpcheck.ir import Addr, Assign, Call, Deref, Expr, Field, Func, Index, Temp, Var

Members = frozenset[tuple[str, str]]
"""(record, member) of each member that is stored into, at any depth."""
WHOLE = ("", "*")
"""Stands for the object as a whole, stored into by its parameter's name: the callee's summary tells what."""
MAX_DEPTH = 12
"""Calls that are followed; what lies deeper may store anything."""


class Stores:
    """Answers for one program; what was found out about a function is kept."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._known: dict[tuple[str, int], Members | None] = {}

    def by_call(self, call: Call, func: Func, number: int) -> Members | None:
        """The members of the object whose address is argument `number` of `call`, in `func`, that the callees store
        into, or WHOLE; None if it may be anything, as where the object goes where nobody looks."""
        return self._by_callees(call, func, number, 0)

    def _by_callees(self, call: Call, func: Func, number: int, depth: int) -> Members | None:
        callees = self._program.callees(call, func)
        if not callees or depth >= MAX_DEPTH:
            return None
        found: set[tuple[str, str]] = set()
        for callee in callees:
            members = self._by(callee, number, depth + 1)
            if members is None or (WHOLE in members and len(callees) > 1):
                return None
            found |= members
        return frozenset(found)

    def _by(self, key: str, number: int, depth: int) -> Members | None:
        """What function `key` stores into what its parameter `number` points at."""
        if (key, number) not in self._known:
            self._known[key, number] = frozenset()  # for one that calls itself
            self._known[key, number] = self._find(key, number, depth)
        return self._known[key, number]

    def _find(self, key: str, number: int, depth: int) -> Members | None:
        func = self._program.functions[key]
        if number >= len(func.params):
            return None  # one of many arguments
        pointer = Var(func.params[number].name, "p")
        names = _names_of(func, pointer)
        found: set[tuple[str, str]] = set()
        for block in func.blocks:
            for instr in block.instrs:
                if isinstance(instr, Assign):
                    stored = instr.dst
                    if stored == Deref(pointer):
                        found.add(WHOLE)
                    elif _object(stored) in names:
                        while isinstance(stored, Index):
                            stored = stored.base
                        if not isinstance(stored, Field):
                            return None
                        found.add((stored.record, stored.member))
                    continue
                for position, argument in enumerate(instr.args):
                    if _pointed(argument) in names:
                        members = self._by_callees(instr, func, position, depth)
                        if members is None or WHOLE in members:
                            if isinstance(argument, Addr) and isinstance(argument.base, Field):
                                members = frozenset({(argument.base.record, argument.base.member)})
                            elif members is None or argument != pointer:
                                return None
                        found |= members
        return frozenset(found)


def _names_of(func: Func, pointer: Expr) -> set[Expr]:
    """`pointer` and the locals that are assigned it, or an address in what it points at."""
    names: set[Expr] = {pointer}
    more = True
    while more:
        more = False
        for block in func.blocks:
            for instr in block.instrs:
                if (
                    isinstance(instr, Assign)
                    and isinstance(instr.dst, Var | Temp)
                    and instr.dst not in names
                    and _pointed(instr.src) in names
                ):
                    names.add(instr.dst)
                    more = True
    return names


def _pointed(expr: Expr) -> Expr | None:
    """The variable that leads into an object without another pointer, if `expr` is an address in that object."""
    return expr if isinstance(expr, Var | Temp) else _object(expr.base) if isinstance(expr, Addr) else None


def _object(lvalue: Expr) -> Expr | None:
    """The variable that points at the object in which `lvalue` lies."""
    while isinstance(lvalue, Field | Index):
        lvalue = lvalue.base
    return lvalue.base if isinstance(lvalue, Deref) else None
