"""Control flow inside expressions: short circuits and conditional expressions."""

from __future__ import annotations

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.calls import PASSES_FIRST_ARGUMENT, callee_name
from gfpcheck.frontend.decls import Variable
from gfpcheck.frontend.folding import Folding
from gfpcheck.frontend.lowering import SEE_THROUGH
from gfpcheck.frontend.tree import Node
from gfpcheck.ir.types import Assign, Const, Expr, Temp


class Conditions(Folding):
    """Lowers conditions of one function."""

    def logical(self, node: Node) -> Expr:
        """The value of `&&` or `||`: 0 or 1."""
        out = self.out
        true, false, after = out.block(), out.block(), out.block()
        loc = self.loc(node)
        result = Temp(out.temp())
        self.condition(node, true, false)
        for block, value in ((true, 1), (false, 0)):
            out.start(block)
            out.emit(Assign(result, Const(value), loc))
            out.jump(after)
        out.start(after)
        return result

    def conditional(self, node: Node) -> Expr:
        """The value of `?:`: both arms assign one temporary."""
        cond, then, other = node.kids
        if cond.fixed:
            constant = self.constant(cond)
            if constant is not None:
                return self.value(then if constant.value else other)
        out = self.out
        true, false, after = out.block(), out.block(), out.block()
        result = Temp(out.temp())
        self.condition(cond, true, false)
        for block, arm in ((true, then), (false, other)):
            out.start(block)
            out.emit(Assign(result, self.value(arm), self.loc(arm)))
            out.jump(after)
        out.start(after)
        return result

    def conditional_effect(self, node: Node) -> None:
        """`?:` whose value nobody uses."""
        cond, then, other = node.kids
        out = self.out
        true, false, after = out.block(), out.block(), out.block()
        self.condition(cond, true, false)
        for block, arm in ((true, then), (false, other)):
            out.start(block)
            self.effect(arm)
            out.jump(after)
        out.start(after)

    def gnu_conditional(self, common: Node, other: Node) -> Expr:
        """`a ?: b`: the condition's value, computed once, if it is not zero."""
        loc = self.loc(common)
        value = self.value(common)
        if isinstance(value, Const):
            return value if value.value else self.value(other)
        result = Temp(self.out.temp())
        self.out.emit(Assign(result, value, loc))
        alternative, after = self.out.block(), self.out.block()
        self.out.branch(result, after, alternative, loc)
        self.out.start(alternative)
        self.out.emit(Assign(result, self.value(other), loc))
        self.out.start(after)
        return result

    def trait(self, node: Node) -> Const | None:
        """The value of `__builtin_types_compatible_p(typeof(...), ...)`, which looks like a cast of what stands in
        its typeof; None for anything else."""
        if node.kind != kinds.UNEXPOSED_EXPR or len(node.kids) != 1:
            return None
        kid = node.kids[0]
        if kid.kind != kinds.PAREN_EXPR or kid.fixed:
            return None
        while kid.kind in SEE_THROUGH and len(kid.kids) == 1:
            kid = kid.kids[0]
        if kid.kind not in (kinds.CALL_EXPR, kinds.STMT_EXPR, kinds.UNARY_OPERATOR):
            return None
        value = libclang.evaluate(node.cursor)
        return None if value is None else Const(value)

    def condition(self, node: Node, then: int, other: int) -> None:
        """Goes to `then` if the expression is not zero, else to `other`; ends the current block."""
        while True:
            if node.fixed and self.constant(node) is not None:
                break
            kind = node.kind
            if kind == kinds.PAREN_EXPR or (kind == kinds.UNEXPOSED_EXPR and len(node.kids) == 1):
                if loaded_constant(node) is not None or self.trait(node) is not None:
                    break
                node = node.kids[0]
            elif kind == kinds.UNARY_OPERATOR and self._unary_kind(node.cursor) == kinds.LOGICAL_NOT:
                then, other = other, then
                node = node.kids[0]
            elif kind == kinds.CONDITIONAL_OPERATOR:
                true, false = self.out.block(), self.out.block()
                self.condition(node.kids[0], true, false)
                self.out.start(true)
                self.condition(node.kids[1], then, other)
                self.out.start(false)
                node = node.kids[2]
            elif kind == kinds.CALL_EXPR and callee_name(node) in PASSES_FIRST_ARGUMENT:
                node = node.kids[1]
            elif kind == kinds.BINARY_OPERATOR:
                op = self._binary_kind(node.cursor)
                if op == kinds.COMMA:
                    self.effect(node.kids[0])
                elif op in (kinds.LOGICAL_AND, kinds.LOGICAL_OR):
                    middle = self.out.block()
                    if op == kinds.LOGICAL_AND:
                        self.condition(node.kids[0], middle, other)
                    else:
                        self.condition(node.kids[0], then, middle)
                    self.out.start(middle)
                else:
                    break
                node = node.kids[1]
            else:
                break
        loc = self.loc(node)
        self.out.branch(self.value(node), then, other, loc)


def loaded_constant(node: Node) -> Const | None:
    """The value of a `static const` object where it is loaded (not where its address is taken)."""
    if node.kind != kinds.UNEXPOSED_EXPR:
        return None
    kid = node.kids[0]
    while kid.kind == kinds.PAREN_EXPR and kid.kids:
        kid = kid.kids[0]
    return kid.ref.constant if isinstance(kid.ref, Variable) else None
