"""Expressions: side effects become instructions, what is left is an `Expr` without any."""

from __future__ import annotations

from collections.abc import Callable

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.calls import Calls
from gfpcheck.frontend.conditions import loaded_constant
from gfpcheck.frontend.decls import Function, Variable
from gfpcheck.frontend.lowering import DEPTH_LIMIT, SEE_THROUGH, UNKNOWN, deref
from gfpcheck.frontend.operators import Operators
from gfpcheck.frontend.tree import Node
from gfpcheck.ir.types import Bin, Const, Expr, Field, Str, Un

_STRING_LIMIT = 64
# What `.` is applied to, as against a pointer's value, which `->` is applied to.
_OBJECTS = frozenset({kinds.DECL_REF_EXPR, kinds.MEMBER_REF_EXPR, kinds.ARRAY_SUBSCRIPT_EXPR})


class ExprLowering(Operators, Calls):
    """Lowers the expressions of one function."""

    def value(self, node: Node) -> Expr:
        """The value (or, for an lvalue, the path) of an expression; its side effects are emitted."""
        if node.fixed:
            constant = self.constant(node)
            if constant is not None:
                return constant
        self._depth += 1
        lower = _VALUES.get(node.kind)
        value = lower(self, node) if lower else self.unmodelled(node)
        self._depth -= 1
        if self._depth % DEPTH_LIMIT == DEPTH_LIMIT - 1 and (
            node.kind == kinds.UNEXPOSED_EXPR or isinstance(value, (Bin, Un))
        ):
            return self.out.hold(value, self.loc(node))  # not an lvalue, so a copy will do
        return value

    def effect(self, node: Node) -> None:
        """The side effects of an expression whose value nobody uses."""
        while node.kind in SEE_THROUGH or node.kind == kinds.C_STYLE_CAST_EXPR:
            if (node.kind == kinds.UNEXPOSED_EXPR and len(node.kids) != 1) or not node.kids:
                break
            node = node.kids[-1]
        if node.fixed:
            return
        kind = node.kind
        if kind == kinds.STMT_EXPR:
            self.statement_expression(node, False)
        elif kind == kinds.CONDITIONAL_OPERATOR:
            self.conditional_effect(node)
        elif kind == kinds.BINARY_OPERATOR and self._binary_kind(node.cursor) in (kinds.LOGICAL_AND, kinds.LOGICAL_OR):
            after = self.out.block()
            self.condition(node, after, after)
            self.out.start(after)
        elif kind == kinds.BINARY_OPERATOR and self._binary_kind(node.cursor) == kinds.COMMA:
            self.effect(node.kids[0])
            self.effect(node.kids[1])
        elif kind == kinds.UNARY_OPERATOR:
            self.unary_used(node, False)
        else:
            self.value(node)

    def _unexposed(self, node: Node) -> Expr:
        kids = node.kids
        count = len(kids)
        if count == 1:
            constant = loaded_constant(node)
            if constant is not None:
                return constant
            value = self.trait(node)
            if value is not None:
                return value
            return self.value(kids[0])
        if any(kid.kind == kinds.MEMBER_REF for kid in kids):
            return self.offset(node)
        if count == 3:
            chosen = libclang.evaluate(kids[0].cursor)  # __builtin_choose_expr
            if chosen is not None:
                return self.value(kids[1] if chosen else kids[2])
        if count == 4 and self._same_place(kids[:3]):
            return self.gnu_conditional(kids[0], kids[3])
        return self.unmodelled(node)

    def _same_place(self, nodes: list[Node]) -> bool:
        """True if all start at one place: the condition of `a ?: b` is visited three times."""
        return len({self._lib.clang_getCursorLocation(node.cursor).raw for node in nodes}) == 1

    def _reference(self, node: Node) -> Expr:
        ref = node.ref
        if ref is None:
            return UNKNOWN
        if isinstance(ref, Variable):
            if not ref.known:
                self.note(ref)
            return UNKNOWN if ref.opaque else ref.expr
        if isinstance(ref, Function):
            self.named.setdefault(ref.name, ref)
            return ref.expr
        return ref

    def _string(self, node: Node) -> Expr:
        return Str(self.decls.spelling(node.cursor)[1:-1][:_STRING_LIMIT])

    def _member(self, node: Node) -> Expr:
        if not node.kids:
            return UNKNOWN
        kid = node.kids[0]
        base = self.value(kid)
        if self._is_pointer(kid):
            base = deref(base)
        member = self.decls.member(node.cursor)
        return Field(base, member.record, member.member) if member.member else base

    def _is_pointer(self, node: Node) -> bool:
        kind = node.kind
        if kind == kinds.UNEXPOSED_EXPR and len(node.kids) == 1:
            return True  # a load, or an array that decays
        if kind in _OBJECTS:
            return False
        if kind == kinds.PAREN_EXPR and node.kids and node.kids[0].kind == kinds.UNARY_OPERATOR:
            unary = self._unary_kind(node.kids[0].cursor)
            if unary in (kinds.DEREFERENCE, kinds.ADDRESS_OF):
                return bool(unary == kinds.ADDRESS_OF)
        ctype = self._lib.clang_getCanonicalType(self._lib.clang_getCursorType(node.cursor))
        return bool(ctype.kind == kinds.TYPE_POINTER or ctype.kind in kinds.ARRAY_TYPES)

    def _paren(self, node: Node) -> Expr:
        return self.value(node.kids[0]) if node.kids else UNKNOWN

    def _statement_expression(self, node: Node) -> Expr:
        return self.statement_expression(node, True)

    def _generic(self, node: Node) -> Expr:
        """The arm of `_Generic` whose type is the whole's; unknown when several have it."""
        arms = node.kids[1:]
        if len(arms) > 1:
            lib = self._lib
            whole = lib.clang_getCanonicalType(lib.clang_getCursorType(node.cursor)).data0
            arms = [
                arm for arm in arms if lib.clang_getCanonicalType(lib.clang_getCursorType(arm.cursor)).data0 == whole
            ]
        if len(arms) == 1:
            return self.value(arms[0])
        value = libclang.evaluate(node.cursor)
        return UNKNOWN if value is None else Const(value)


# Not bound to an instance: that would be a cycle for each function, and workers do not collect cycles.
_VALUES: dict[int, Callable[[ExprLowering, Node], Expr]] = {
    kinds.UNEXPOSED_EXPR: ExprLowering._unexposed,
    kinds.PAREN_EXPR: ExprLowering._paren,
    kinds.DECL_REF_EXPR: ExprLowering._reference,
    kinds.MEMBER_REF_EXPR: ExprLowering._member,
    kinds.CALL_EXPR: ExprLowering.call,
    kinds.STRING_LITERAL: ExprLowering._string,
    kinds.UNARY_OPERATOR: ExprLowering.unary,
    kinds.ARRAY_SUBSCRIPT_EXPR: ExprLowering.subscript,
    kinds.BINARY_OPERATOR: ExprLowering.binary,
    kinds.COMPOUND_ASSIGN_OPERATOR: ExprLowering.compound_assign,
    kinds.CONDITIONAL_OPERATOR: ExprLowering.conditional,
    kinds.C_STYLE_CAST_EXPR: ExprLowering.cast,
    kinds.STMT_EXPR: ExprLowering._statement_expression,
    kinds.GENERIC_SELECTION_EXPR: ExprLowering._generic,
}
