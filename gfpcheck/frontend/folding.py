"""Constant expressions, folded by the compiler front end."""

from __future__ import annotations

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.lowering import SEE_THROUGH, UNKNOWN, FunctionLowering
from gfpcheck.frontend.tree import Node
from gfpcheck.ir.types import Const, Expr


class Folding(FunctionLowering):
    """Folds constants of one function."""

    def constant(self, node: Node) -> Const | None:
        """The value of an expression of constants, as the front end folds it."""
        ref = node.ref
        if ref is not None:
            return ref if isinstance(ref, Const) else None
        value = libclang.evaluate(node.cursor)
        if value is None:
            return None
        while len(node.kids) == 1 and node.kind in SEE_THROUGH and node.kids[0].kind != kinds.MEMBER_REF:
            node = node.kids[0]
        if node.kind == kinds.C_STYLE_CAST_EXPR and node.kids:
            node = node.kids[-1]
        if node.kind == kinds.UNARY_EXPR:
            return Const(value, self._size_text(node, value))
        return Const(value, self._offset_text(node))

    def _size_text(self, node: Node, value: int) -> str:
        """ "sizeof(struct x)", if that is what the size is of."""
        for operand in libclang.children(node.cursor)[:1]:
            ctype = self._lib.clang_getCursorType(operand)
            # A TypeRef names the struct in `sizeof(struct x *)` too.
            if self._lib.clang_Type_getSizeOf(ctype) == value:
                return f"sizeof({self.decls.type_name(ctype)})"
        return ""

    def _offset_text(self, node: Node) -> str:
        """ "offsetof(struct x, member)", if that is what `node` is."""
        named = [self.decls.member(kid.cursor) for kid in node.kids if kid.kind == kinds.MEMBER_REF]
        named = [member for member in named if member.member]
        path = ".".join(member.member for member in named)
        return f"offsetof({named[0].record}, {path})" if named else ""

    def offset(self, node: Node) -> Expr:
        """offsetof(), which is not constant as a tree when it looks at `typeof(x)`."""
        value = libclang.evaluate(node.cursor)
        return UNKNOWN if value is None else Const(value, self._offset_text(node))
