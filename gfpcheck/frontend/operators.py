"""Operators: arithmetic, assignments, casts, subscripts."""

from __future__ import annotations

from gfpcheck.frontend import kinds
from gfpcheck.frontend.conditions import Conditions
from gfpcheck.frontend.inits import assignments
from gfpcheck.frontend.lowering import DEPTH_LIMIT, SEE_THROUGH, UNKNOWN, deref
from gfpcheck.frontend.tree import Node
from gfpcheck.ir.types import Addr, Assign, Bin, Const, Deref, Expr, Field, Index, Loc, Temp, Un, Unknown, Var


class Operators(Conditions):
    """Lowers operators of one function."""

    def unary(self, node: Node) -> Expr:
        """A unary operator whose value is used."""
        return self.unary_used(node, True)

    def unary_used(self, node: Node, used: bool) -> Expr:
        """A unary operator; the old value of `x++` is kept only if it is `used`."""
        op = self._unary_kind(node.cursor)
        if not node.kids:
            return UNKNOWN
        operand = node.kids[0]
        if op in (kinds.POST_INC, kinds.POST_DEC, kinds.PRE_INC, kinds.PRE_DEC):
            return self._step(node, op, used)
        if op in (kinds.PLUS, kinds.EXTENSION):
            return self.value(operand)
        value = self.value(operand)
        if op == kinds.ADDRESS_OF:
            if isinstance(value, Deref):
                return value.base
            return value if isinstance(value, Var) and value.kind == "f" else Addr(value)
        if op == kinds.DEREFERENCE:
            return deref(value)
        spelling = kinds.UNARY_SPELLING.get(op)
        return Un(spelling, value) if spelling else UNKNOWN

    def _step(self, node: Node, op: int, used: bool) -> Expr:
        """++ and --; the old value is kept only if it is `used`."""
        loc = self.loc(node)
        dst = self.value(node.kids[0])
        old: Expr = dst
        if used and op in (kinds.POST_INC, kinds.POST_DEC):
            old = Temp(self.out.temp())
            self.out.emit(Assign(old, dst, loc))
        sign = "+" if op in (kinds.POST_INC, kinds.PRE_INC) else "-"
        self.out.emit(Assign(dst, Bin(sign, dst, Const(1)), loc))
        return old

    def binary(self, node: Node) -> Expr:
        """Any binary operator, assignment included."""
        op = self._binary_kind(node.cursor)
        if len(node.kids) != 2:
            return self.unmodelled(node)
        left, right = node.kids
        if op == kinds.ASSIGN:
            return self._assign(node, left, right)
        if op == kinds.COMMA:
            self.effect(left)
            return self.value(right)
        if op in (kinds.LOGICAL_AND, kinds.LOGICAL_OR):
            return self.logical(node)
        return self._arithmetic(node)

    def _arithmetic(self, node: Node) -> Expr:
        """Iterates down the left operands: `a + a + ...` may be thousands of terms long."""
        spine: list[tuple[str, Node]] = []
        while node.kind == kinds.BINARY_OPERATOR and not node.fixed:
            op = self._binary_kind(node.cursor)
            spelling = kinds.BINARY_SPELLING.get(op)
            if spelling is None:
                break
            if op in kinds.ORDERINGS and self._is_unsigned(node.kids[0]):
                spelling += "u"
            spine.append((spelling, node.kids[1]))
            node = node.kids[0]
            while node.kind == kinds.UNEXPOSED_EXPR and len(node.kids) == 1 and not node.fixed:
                if node.kids[0].kind != kinds.BINARY_OPERATOR:
                    break
                node = node.kids[0]
        if not spine:
            return self.unmodelled(node)
        value = self.value(node)
        for depth, (spelling, right) in enumerate(reversed(spine), 1):
            value = Bin(spelling, value, self.value(right))
            if depth % DEPTH_LIMIT == 0:
                value = self.out.hold(value, self.loc(right))
        return value

    def _is_unsigned(self, node: Node) -> bool:
        """Of an operand after the usual conversions: both have one type then."""
        return self._lib.clang_getCanonicalType(self._lib.clang_getCursorType(node.cursor)).kind in kinds.UNSIGNED_TYPES

    def _assign(self, node: Node, left: Node, right: Node) -> Expr:
        initializer = compound_literal(right)
        if initializer is not None:
            dst = self.value(left)
            self.initialize(dst, initializer, self.loc(node))
            return dst
        value = self.value(right)
        dst = self.value(left)
        self.out.emit(Assign(dst, value, self.loc(node)))
        return dst

    def initialize(self, dst: Expr, init: Node, loc: Loc) -> None:
        """`dst = { ... }`, member by member; members left out are not written."""
        for path, item in assignments(init, self.decls):
            target = dst
            for step in path:
                if isinstance(step, int):
                    target = Index(target, Const(step))
                else:
                    target = Field(target, step.record, step.member)
            self.out.emit(Assign(target, self.value(item), loc))

    def compound_assign(self, node: Node) -> Expr:
        """`a += b` is `a = a + b`."""
        if len(node.kids) != 2:
            return self.unmodelled(node)
        value = self.value(node.kids[1])
        dst = self.value(node.kids[0])
        op = kinds.COMPOUND_SPELLING[self._binary_kind(node.cursor)]
        self.out.emit(Assign(dst, Bin(op, dst, value), self.loc(node)))
        return dst

    def subscript(self, node: Node) -> Expr:
        """`a[i]`."""
        if len(node.kids) != 2:
            return self.unmodelled(node)
        return Index(self.value(node.kids[0]), self.value(node.kids[1]))

    def cast(self, node: Node) -> Expr:
        """A cast: dropped, unless it cuts bits off an integer's value."""
        if not node.kids:
            return UNKNOWN
        operand = node.kids[-1]  # before it, what typeof() looks at
        value = self.value(operand)
        if isinstance(value, Unknown):
            return value
        lib = self._lib
        ctype = lib.clang_getCanonicalType(lib.clang_getCursorType(node.cursor))
        mask = kinds.NARROW_MASKS.get(ctype.kind)
        if mask is None:
            return value
        source = lib.clang_getCanonicalType(lib.clang_getCursorType(operand.cursor))
        if source.kind in kinds.INTEGER_TYPES and lib.clang_Type_getSizeOf(source) > lib.clang_Type_getSizeOf(ctype):
            return Const(value.value & mask) if isinstance(value, Const) else Bin("&", value, Const(mask))
        return value


def compound_literal(node: Node) -> Node | None:
    """The initialiser list of `(struct x){ ... }`, if that is all that `node` is."""
    while node.kind in SEE_THROUGH and len(node.kids) == 1:
        node = node.kids[0]
    if node.kind != kinds.COMPOUND_LITERAL_EXPR or not node.kids:
        return None
    return node.kids[-1] if node.kids[-1].kind == kinds.INIT_LIST_EXPR else None
