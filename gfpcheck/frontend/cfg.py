"""Builds one function's control-flow graph, block by block, and tidies it at the end."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from gfpcheck.ir.types import (
    Assign,
    Block,
    Branch,
    Const,
    Expr,
    Goto,
    Instr,
    Jump,
    Loc,
    Stop,
    Str,
    Switch,
    Temp,
    Term,
    Unknown,
    Var,
)
from gfpcheck.ir.types import successors as successors_of


class Builder:
    """The graph under construction. There is always a current block; after a terminator it is a
    fresh one that nothing leads to, so that dead code can be lowered (a label may revive it)."""

    def __init__(self) -> None:
        self._instrs: list[list[Instr]] = [[]]
        self._terms: list[Term | None] = [None]
        self._current = 0
        self._temps = 0
        self.emit = self._instrs[0].append

    def temp(self) -> int:
        """A new temporary's number."""
        self._temps += 1
        return self._temps - 1

    def block(self) -> int:
        """A new block's number; it is not made current."""
        self._instrs.append([])
        self._terms.append(None)
        return len(self._instrs) - 1

    def start(self, block: int) -> None:
        """Goes on in `block`; the current block falls through to it if it has no terminator yet."""
        if self._terms[self._current] is None:
            self._terms[self._current] = Jump(block)
        self._current = block
        self.emit = self._instrs[block].append

    def end(self, term: Term) -> int:
        """Ends the current block and goes on in one that nothing leads to; returns the ended block's number."""
        ended = self._current
        self._terms[ended] = term
        self._current = self.block()
        self.emit = self._instrs[self._current].append
        return ended

    def patch(self, block: int, term: Term) -> None:
        """Replaces the terminator of a block that was ended before its targets were known."""
        self._terms[block] = term

    def jump(self, target: int) -> None:
        """Ends the current block with a jump to `target`."""
        self.end(Jump(target))

    def branch(self, cond: Expr, then: int, other: int, loc: Loc) -> None:
        """Ends the current block; a constant condition becomes a jump."""
        if isinstance(cond, Const):
            self.end(Jump(then if cond.value else other))
        else:
            self.end(Branch(cond, then, other, loc))

    def hold(self, value: Expr, loc: Loc) -> Expr:
        """`value` kept in a temporary, unless nothing can change it."""
        if isinstance(value, (Const, Temp, Str, Unknown)) or (isinstance(value, Var) and value.kind == "f"):
            return value
        kept = Temp(self.temp())
        self.emit(Assign(kept, value, loc))
        return kept

    def finish(self, last: Term) -> tuple[Block, ...]:
        """The blocks that control can reach, without empty hops, chains joined, entry first and
        otherwise in reverse postorder. `last` ends the current block, if nothing else does."""
        self.end(last)
        terms = [Stop() if term is None else term for term in self._terms]
        while True:
            hops = terms.copy()
            terms = [_retarget(term, partial(self._skip_empty, hops)) for term in hops]
            # A branch that became a jump may have left another empty hop.
            if not any(isinstance(new, Jump) and isinstance(old, Branch) for old, new in zip(hops, terms, strict=True)):
                break
        order = _reverse_postorder(terms)
        joined = self._join_chains(order, terms)
        order = [block for block in order if block not in joined]
        number = {block: index for index, block in enumerate(order)}
        return tuple(Block(tuple(self._instrs[block]), _retarget(terms[block], number.__getitem__)) for block in order)

    def _skip_empty(self, terms: list[Term], target: int) -> int:
        seen: set[int] = set()
        while not self._instrs[target] and target not in seen:
            seen.add(target)  # an empty endless loop stays one block
            term = terms[target]
            if not isinstance(term, Jump):
                break
            target = term.target
        return target

    def _join_chains(self, order: list[int], terms: list[Term]) -> set[int]:
        """Appends each block with one predecessor, which jumps to it, to that predecessor."""
        entries = dict.fromkeys(order, 0)
        for block in order:
            for target in successors_of(terms[block]):
                entries[target] += 1
        joined: set[int] = set()
        for block in order:
            if block in joined:
                continue
            term = terms[block]
            while isinstance(term, Jump) and entries[term.target] == 1 and term.target not in (0, block):
                target = term.target
                joined.add(target)
                self._instrs[block] += self._instrs[target]
                term = terms[target]
            terms[block] = term
        return joined


def _retarget(term: Term, new: Callable[[int], int]) -> Term:
    """`term` with its targets renamed; a branch whose arms have become one is a jump."""
    if isinstance(term, Jump):
        return Jump(new(term.target))
    if isinstance(term, Branch):
        then, other = new(term.then), new(term.other)
        return Jump(then) if then == other else Branch(term.cond, then, other, term.loc)
    if isinstance(term, Switch):
        cases = tuple((low, high, new(target)) for low, high, target in term.cases)
        return Switch(term.value, cases, new(term.default), term.loc)
    if isinstance(term, Goto):
        return Goto(tuple(dict.fromkeys(new(target) for target in term.targets)))
    return term


def _reverse_postorder(terms: list[Term]) -> list[int]:
    order: list[int] = []
    seen = {0}
    # The last successor first, so that the first one's blocks come first in the result.
    stack = [(0, iter(successors_of(terms[0])[::-1]))]
    while stack:
        block, rest = stack[-1]
        for target in rest:
            if target not in seen:
                seen.add(target)
                stack.append((target, iter(successors_of(terms[target])[::-1])))
                break
        else:
            stack.pop()
            order.append(block)
    return order[::-1]
