"""What a function does only after it has given back the last reference to an object."""

from __future__ import annotations

from gfpcheck.analysis.program import callee_name
from gfpcheck.ir import Assign, Bin, Branch, Call, Const, Expr, Func, Loc, Temp, Un, Var, successors
from gfpcheck.models import Models


def last_reference_calls(func: Func, models: Models) -> frozenset[Loc]:
    """The calls of `func` that are made only there: all ways to them lead over a branch that is taken then."""
    names = _answers(func, models)
    if not names:
        return frozenset()
    reached = {0}
    pending = [0]
    while pending:
        term = func.blocks[pending.pop()].term
        then = _taken_then(term, names) if isinstance(term, Branch) else -1
        for target in successors(term):
            if target != then and target not in reached:
                reached.add(target)
                pending.append(target)
    elsewhere = {instr.loc for number in reached for instr in func.blocks[number].instrs}
    calls = (i.loc for n, block in enumerate(func.blocks) if n not in reached for i in block.instrs if _is_call(i))
    return frozenset(loc for loc in calls if loc not in elsewhere)


def _is_call(instr: Call | Assign) -> bool:
    return isinstance(instr, Call)


def _answers(func: Func, models: Models) -> frozenset[Expr]:
    """The names of what is not zero if the last reference is gone: what such a call returns, and what just that is
    assigned to."""
    found: set[Expr] = set()
    assigned: dict[Expr, list[Expr]] = {}
    for block in func.blocks:
        for instr in block.instrs:
            if isinstance(instr, Assign):
                assigned.setdefault(instr.dst, []).append(instr.src)
            elif callee_name(instr) in models.last_references:
                found.add(Temp(instr.dst))
    if found:
        found |= {dst for dst, sources in assigned.items() if isinstance(dst, Var | Temp) and found.issuperset(sources)}
    return frozenset(found)


def _taken_then(term: Branch, names: frozenset[Expr]) -> int:
    """The block that `term` goes to if the answer is yes and to no other end, -1 if it does not ask."""
    yes = _yes(term.cond, names)
    if yes is None or term.then == term.other:
        return -1
    return term.then if yes else term.other


def _yes(condition: Expr, names: frozenset[Expr]) -> bool | None:
    """What `condition` is if the answer is yes; None if it does not ask."""
    if isinstance(condition, Un) and condition.op == "!":
        yes = _yes(condition.operand, names)
        return None if yes is None else not yes
    if isinstance(condition, Bin) and condition.op in ("==", "!=") and condition.right == Const(0):
        yes = _yes(condition.left, names)
        return None if yes is None else yes == (condition.op == "!=")
    return True if condition in names else None
