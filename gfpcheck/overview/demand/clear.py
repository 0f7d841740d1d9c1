"""Bits of a transaction's flags that are not set in it: what its type does not give it, and nothing that it does sets.

What is asked for by such a bit is not done: work that is put off until a commit, where the reservation is of a type
that has none; a change to the superblock that nobody has made. Which member has such flags is data. One transaction is
taken to be open at a time: every structure of that sort that is looked at is the open one's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from gfpcheck.analysis.program import Program
from gfpcheck.analysis.trace import Consts
from gfpcheck.ir import Assign, Bin, Branch, Const, Expr, Field, Func, Temp, Un, Var, successors
from gfpcheck.models import Models

Clear = tuple[tuple[str, int], ...]
"""Members, each with the bits that are not set."""
_EVERY = (1 << 64) - 1


class Bits:
    """Answers for one program."""

    def __init__(self, program: Program, models: Models) -> None:
        self._program = program
        self._flags = {each.flags: each.type_flags for each in models.transactions.values() if each.flags}
        members = {*self._flags, *self._flags.values()} - {""}
        self._asked = dict.fromkeys(members, 0)
        for each in self.tested().values():
            for member in members & each.keys():
                self._asked[member] |= each[member]
        self._cut: dict[tuple[str, Clear], frozenset[tuple[int, int]]] = {}
        self._reached: dict[tuple[str, Clear], frozenset[int]] = {}

    @cached_property
    def _filled(self) -> dict[str, list[tuple[Func, Field, Expr]]]:
        """What is assigned to members, and to members of members, by the name of the outer one."""
        found: dict[str, list[tuple[Func, Field, Expr]]] = {}
        for func in self._program.functions.values():
            for dst, src in _assigned(func):
                if isinstance(dst, Field):
                    outer = dst.base.member if isinstance(dst.base, Field) else ""
                    for name in {dst.member, outer} - {""}:
                        found.setdefault(name, []).append((func, dst, src))
        return found

    def of_type(self, type_: str) -> Clear:
        """The bits that transactions of a type, which is a member's name, are not given; only where that member is
        filled in, so that it can be seen how."""
        found = []
        for member in filter(None, self._flags.values()):
            record = member.rpartition(".")[0]
            given, filled = 0, False
            for func, dst, src in self._filled.get(type_, ()):
                if dst.member == type_:
                    given |= _EVERY  # all of it is copied
                else:
                    filled |= dst.record == record
                    if _name(dst) == member:
                        given |= _bits(func, src, member, ())
            if filled and (clear := self._asked[member] & ~given):
                found.append((member, clear))
        return tuple(sorted(found))

    def setting(self) -> Iterator[str]:
        """The functions that set such flags."""
        for key, func in self._program.functions.items():
            if any(_name(dst) in self._flags for dst, _ in _assigned(func)):
                yield key

    @property
    def none(self) -> Clear:
        """Those of a transaction that has no flags."""
        return tuple((member, self._asked[member]) for member in sorted(self._flags) if self._asked[member])

    def unset(self, parts: Iterable[tuple[Func, frozenset[int], Consts]]) -> Clear:
        """The bits that are set in none of these functions, in the blocks and with the parameters given."""
        wanted = dict.fromkeys(self._flags, 0)
        for func, blocks, consts in parts:
            for number in blocks:
                for instr in func.blocks[number].instrs:
                    if isinstance(instr, Assign) and _name(instr.dst) in wanted:
                        wanted[_name(instr.dst)] |= _bits(func, instr.src, _name(instr.dst), consts)
        return tuple((m, clear) for m, bits in sorted(wanted.items()) if (clear := self._asked[m] & ~bits))

    def cut(self, func: Func, clear: Clear) -> frozenset[tuple[int, int]]:
        """The edges of `func` that are never gone if these bits are not set."""
        if not clear:
            return frozenset()
        which = (f"{func.file}:{func.name}", clear)
        known = self._cut.get(which)
        if known is None:
            known = self._cut[which] = frozenset(_cut(func, dict(clear)))
        return known

    def reached(self, func: Func, clear: Clear) -> frozenset[int]:
        """The blocks of `func` that are come to if these bits are not set."""
        which = (f"{func.file}:{func.name}", clear)
        known = self._reached.get(which)
        if known is None:
            cut = self.cut(func, clear)
            found = {0: None}
            waiting = [0]
            for number in waiting:
                new = [t for t in successors(func.blocks[number].term) if t not in found and (number, t) not in cut]
                found |= dict.fromkeys(new)
                waiting += dict.fromkeys(new)
            known = self._reached[which] = frozenset(found)
        return known

    def tested(self) -> dict[str, dict[str, int]]:
        """The functions that ask for such bits, and the bits, by member."""
        found = {key: _tested(func) for key, func in self._program.functions.items()}
        return {key: each for key, each in found.items() if not each.keys().isdisjoint(self._asked)}


def _tested(func: Func) -> dict[str, int]:
    found: dict[str, int] = {}
    for block in func.blocks:
        exprs = [(i.src, _name(i.dst)) for i in block.instrs if isinstance(i, Assign)]
        exprs += [(block.term.cond, "")] if isinstance(block.term, Branch) else []
        for expr, given in exprs:
            while isinstance(expr, Un):
                expr = expr.operand
            asked = _asked_for(expr)
            if asked is not None and asked[0] != given:
                found[asked[0]] = found.get(asked[0], 0) | asked[1]
    return found


def _cut(func: Func, clear: dict[str, int]) -> Iterator[tuple[int, int]]:
    for number, block in enumerate(func.blocks):
        if isinstance(block.term, Branch) and block.term.then != block.term.other:
            cond, truth = block.term.cond, True
            while isinstance(cond, Un) and cond.op == "!":
                cond, truth = cond.operand, not truth
            if isinstance(cond, Var | Temp):
                given = [src for dst, src in _assigned(func) if dst == cond]
                never = bool(given) and all(_is_never(src, clear) for src in given)
            else:
                never = _is_never(cond, clear)
                if _is_zero_test(cond) and isinstance(cond, Bin):
                    never, truth = _is_never(cond.left, clear), not truth
            if never:
                yield number, block.term.then if truth else block.term.other


def _is_zero_test(cond: Expr) -> bool:
    return isinstance(cond, Bin) and cond.op == "==" and cond.right == Const(0)


def _is_never(expr: Expr, clear: dict[str, int]) -> bool:
    """True for what asks for bits that are not set."""
    asked = _asked_for(expr)
    return asked is not None and not asked[1] & ~clear.get(asked[0], 0)


def _asked_for(expr: Expr) -> tuple[str, int] | None:
    """The member, and its bits, that `expr` is not zero by."""
    if isinstance(expr, Bin) and expr.op in ("!=", "==") and expr.right == Const(0):
        expr = expr.left
    if isinstance(expr, Bin) and expr.op == "&" and isinstance(expr.right, Const) and isinstance(expr.left, Field):
        return _name(expr.left), expr.right.value & _EVERY
    return None


def _bits(func: Func, expr: Expr, member: str, consts: Consts, within: frozenset[Expr] = frozenset()) -> int:
    """The bits that may be set in `expr`; of what `member` has already, none. Neither has a variable more for what it
    is given of itself (`within`)."""
    if isinstance(expr, Const):
        return expr.value & _EVERY
    if _name(expr) == member or expr in within:
        return 0
    if isinstance(expr, Bin) and expr.op in "&|":
        left, right = (_bits(func, each, member, consts, within) for each in (expr.left, expr.right))
        return left & right if expr.op == "&" else left | right
    if not isinstance(expr, Var | Temp):
        return _EVERY
    found = 0
    given = [src for dst, src in _assigned(func) if dst == expr]
    if isinstance(expr, Var) and expr.kind == "p":
        number = [param.name for param in func.params].index(expr.name)
        fixed = consts[number] if number < len(consts) else None
        found = fixed & _EVERY if isinstance(fixed, int) else _EVERY
    elif not given:
        return _EVERY
    for each in given:
        found |= _bits(func, each, member, consts, within | {expr})
    return found


def _assigned(func: Func) -> Iterator[tuple[Expr, Expr]]:
    for block in func.blocks:
        for instr in block.instrs:
            if isinstance(instr, Assign):
                yield instr.dst, instr.src


def _name(expr: Expr) -> str:
    return f"{expr.record}.{expr.member}" if isinstance(expr, Field) else ""
