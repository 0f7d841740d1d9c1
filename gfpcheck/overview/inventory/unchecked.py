"""Allocations whose result is used and never looked at: "too small to fail"."""

from __future__ import annotations

from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.needless import SURE_FAMILIES
from gfpcheck.analysis.paths import parts
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.ir import Assign, Branch, Call, Deref, Expr, Func, Return, Switch, Temp, successors

COSTLY_ORDER = 3
"""PAGE_ALLOC_COSTLY_ORDER of include/linux/mmzone.h: up to this order the allocator does not give up by itself."""
_MAY_FAIL = "__GFP_NORETRY", "__GFP_RETRY_MAYFAIL", "__GFP_NOFAIL"


def is_tried_hard(site: AllocationSite, effects: Effects) -> bool:
    """True if the allocator goes on trying for as long as the amount is small: it may sleep, and was not told to give
    up early."""
    entry = effects.allocator(site.call)
    if site.via or entry is None or entry.fails != "null" or entry.family not in SURE_FAMILIES:
        return False
    gfp = effects.gfp
    early = 0
    for name in _MAY_FAIL:
        early |= gfp.parse(name)
    return all(
        context.flags.ones & gfp.direct_reclaim == gfp.direct_reclaim and not context.flags.ones & early
        for context in site.contexts
    )


def is_unchecked(func: Func, site: AllocationSite) -> bool:
    """True if what the call at `site` returns is followed on some path on which nothing has asked whether it is NULL,
    and nothing ever asks."""
    result = Temp(site.call.dst)
    seen: set[tuple[int, frozenset[Expr]]] = set()
    waiting: list[tuple[int, int, frozenset[Expr]]] = [(site.block, site.position + 1, frozenset((result,)))]
    used = False
    while waiting:
        number, position, names = waiting.pop()
        block = func.blocks[number]
        for instr in block.instrs[position:]:
            if isinstance(instr, Call) and instr.dst == site.call.dst and instr.loc == site.call.loc:
                names = frozenset()
            elif isinstance(instr, Assign):
                if _follows(names, instr.src, instr.dst):
                    used = True
                if instr.src in names:
                    names |= {instr.dst}
                elif instr.dst in names:
                    names -= {instr.dst}
            elif any(_asks(names, argument) for argument in instr.args):
                return False  # who is given it may look
            elif _follows(names, *instr.args):
                used = True
            if not names:
                break
        term = block.term
        if isinstance(term, Branch) and not names.isdisjoint(parts(term.cond)):
            if not _follows(names, term.cond):
                return False
            used = True
        if isinstance(term, Switch) and _follows(names, term.value):
            used = True
        if isinstance(term, Return) and term.value is not None and term.value in names:
            return False  # the caller may look
        for target in successors(term) if names else ():
            if (target, names) not in seen:
                seen.add((target, names))
                waiting.append((target, 0, names))
    return used


def _follows(names: frozenset[Expr], *exprs: Expr) -> bool:
    """True if one of `names` is followed as a pointer, or the place of something behind it computed."""
    return any(isinstance(part, Deref) and part.base in names for expr in exprs for part in parts(expr))


def _asks(names: frozenset[Expr], argument: Expr) -> bool:
    """True for an argument that is one of `names`, or made of one without following it."""
    return not _follows(names, argument) and not names.isdisjoint(parts(argument))
