"""What a function does with the `gfp_t` parameter that it is given, wherever in it."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.paths import names_in
from gfpcheck.analysis.program import Program
from gfpcheck.ir import Assign, Branch, Call, Expr, Func, Temp, Var


class Heeded(NamedTuple):
    """`carriers` are the names of the flags that a function is given, and of what it makes of them; `tested`: it goes
    one way or another by them."""

    carriers: frozenset[Expr] = frozenset()
    tested: bool = False

    def handed(self, call: Call) -> bool:
        """True if `call` is told of the flags."""
        return any(not self.carriers.isdisjoint(names_in(argument)) for argument in call.args)


NOTHING = Heeded()


def heeded(func: Func, program: Program) -> Heeded:
    """What `func` does with the flags that it is given."""
    given = frozenset[Expr](Var(param.name, "p") for param in func.params if param.type == "gfp_t")
    if not given:
        return NOTHING
    instrs = [instr for block in func.blocks for instr in block.instrs]
    carriers = given
    while more := _made_of(instrs, carriers) - carriers:
        carriers |= more
    answers = {
        Temp(call.dst)
        for call in instrs
        if isinstance(call, Call) and Heeded(carriers).handed(call) and _is_question(func, call, program)
    }
    asked = carriers | answers
    tested = any(
        isinstance(block.term, Branch) and not asked.isdisjoint(names_in(block.term.cond)) for block in func.blocks
    )
    return Heeded(carriers, tested)


def _made_of(instrs: list[Assign | Call], carriers: frozenset[Expr]) -> frozenset[Expr]:
    """The names that are assigned something made of `carriers`."""
    return frozenset(
        instr.dst
        for instr in instrs
        if isinstance(instr, Assign)
        and isinstance(instr.dst, Var | Temp)
        and not carriers.isdisjoint(names_in(instr.src))
    )


def _is_question(func: Func, call: Call, program: Program) -> bool:
    """True if what is called answers yes or no, as gfpflags_allow_blocking() does."""
    return any(program.functions[key].ret in ("bool", "_Bool") for key in program.callees(call, func))
