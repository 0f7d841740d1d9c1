"""Tests for NULL of a result that cannot be NULL: the allocation never fails."""

from __future__ import annotations

from collections.abc import Mapping

from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.liveness import reverse_postorder
from gfpcheck.analysis.paths import names_in, reads_memory
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.ir import (
    Addr,
    Assign,
    Bin,
    Block,
    Branch,
    Call,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    Index,
    Loc,
    Temp,
    Un,
    Var,
    positions,
    successors,
)

SURE_FAMILIES = ("slab", "page", "kvmalloc", "vmalloc")
"""What fails for want of memory alone, unless the models say otherwise."""

_Call = tuple[int, int]
"""(block, index) of a call."""
_Origins = dict[Expr, frozenset[_Call]]
"""Which calls the value of a variable, a temporary or a member comes from; of others nothing is known."""


def needless_tests(func: Func, sites: list[AllocationSite], effects: Effects) -> dict[_Call, tuple[Loc, ...]]:
    """For each allocation of `func` that never fails, by its call: where its result is tested for NULL all the same.

    A test is needless if on all paths to it the value tested comes from such allocations.
    """
    sure = frozenset((site.block, site.position) for site in sites if never_fails(site, effects))
    if not sure:
        return {}
    found: dict[_Call, dict[Loc, None]] = {}
    for number, origins in _at_the_end(func, sure).items():
        term = func.blocks[number].term
        tested = _tested(term.cond) if isinstance(term, Branch) else None
        for call in origins.get(tested, frozenset()) if tested is not None else ():
            assert isinstance(term, Branch)
            found.setdefault(call, {})[term.loc] = None
    known = positions(func) if found else {}
    return {call: tuple(sorted(places, key=known.__getitem__)) for call, places in found.items()}


def never_fails(site: AllocationSite, effects: Effects) -> bool:
    """True if the allocation, made by the function itself, returns memory however it is reached."""
    entry = effects.allocator(site.call)
    if site.via or entry is None or entry.fails != "null" or entry.fails_otherwise:
        return False
    if entry.count_arg >= 0 and any(context.amount.size.constant is None for context in site.contexts):
        return False  # the product may overflow
    waits = effects.gfp.direct_reclaim
    needed = waits if entry.family == "mempool" else waits | effects.gfp.nofail
    return entry.family in (*SURE_FAMILIES, "mempool") and all(
        context.flags.ones & needed == needed for context in site.contexts
    )


def _at_the_end(func: Func, sure: frozenset[_Call]) -> Mapping[int, _Origins]:
    """What is known at the end of each block, on all paths to it."""
    order = reverse_postorder(func)
    arriving: dict[int, _Origins] = {0: {}}
    leaving: dict[int, _Origins] = {}
    pending = set(order)
    while pending:
        number = min(pending, key=order.index)
        pending.discard(number)
        if number not in arriving:
            continue
        origins = dict(arriving[number])
        _run(number, func.blocks[number], origins, sure)
        leaving[number] = origins
        for target in successors(func.blocks[number].term):
            old = arriving.get(target)
            new = origins if old is None else {e: calls | origins[e] for e, calls in old.items() if e in origins}
            if new != old:
                arriving[target] = dict(new)
                pending.add(target)
    return leaving


def _run(number: int, block: Block, origins: _Origins, sure: frozenset[_Call]) -> None:
    for index, instr in enumerate(block.instrs):
        if isinstance(instr, Call):
            for expr in [e for e in origins if reads_memory(e)]:
                del origins[expr]
            for argument in instr.args:
                if isinstance(argument, Addr):
                    _forget(origins, argument.base)
            _forget(origins, Temp(instr.dst))
            if (number, index) in sure:
                origins[Temp(instr.dst)] = frozenset({(number, index)})
        elif isinstance(instr, Assign):
            calls = origins.get(instr.src)
            _forget(origins, instr.dst)
            if calls is not None:
                origins[instr.dst] = calls


def _forget(origins: _Origins, lvalue: Expr) -> None:
    """`lvalue` is written: nothing is known any more of it, nor of what it may be part of."""
    for expr in [e for e in origins if e == lvalue or _may_change(e, lvalue)]:
        del origins[expr]


def _may_change(expr: Expr, lvalue: Expr) -> bool:
    if isinstance(lvalue, Field):
        return isinstance(expr, Field) and (expr.record, expr.member) == (lvalue.record, lvalue.member)
    if isinstance(lvalue, Var | Temp):
        return lvalue in names_in(expr)
    return isinstance(lvalue, Deref | Index) and reads_memory(expr)


def _tested(condition: Expr) -> Expr | None:
    """What `condition` compares with NULL."""
    while True:
        if isinstance(condition, Un) and condition.op == "!":
            condition = condition.operand
        elif isinstance(condition, Bin) and condition.op in ("==", "!=") and condition.right == Const(0):
            condition = condition.left
        else:
            return condition
