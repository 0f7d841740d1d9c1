"""One visit of a function's body (or an initialiser), as a light tree.

A single recursive `clang_visitChildren` costs about a microsecond a cursor; asking each node for its
children costs several times that. What is not code is left out here: operands of `sizeof` and
`typeof`, nested declarations other than variables, type references.
"""

from __future__ import annotations

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.decls import Decls, Referent
from gfpcheck.frontend.libclang import VISIT_BREAK, VISIT_CONTINUE, VISIT_RECURSE, VISITOR, CXCursor
from gfpcheck.ir.types import Const


class Node:
    """A cursor with its children. `fixed`: only literals, enumerators and sizeof below, so that the
    value is a constant if it has one. `ref` is what a DeclRefExpr names or a VarDecl declares."""

    __slots__ = ("cursor", "fixed", "kids", "kind", "ref")

    def __init__(self, kind: int, cursor: CXCursor) -> None:
        self.kind = kind
        self.cursor = cursor
        self.kids: list[Node] = []
        self.fixed = False
        self.ref: Referent | None = None


_FIXED_LEAVES = frozenset({kinds.INTEGER_LITERAL, kinds.CHARACTER_LITERAL, kinds.UNARY_EXPR})
_LOOSE_LEAVES = frozenset({kinds.STRING_LITERAL, kinds.FLOATING_LITERAL})
# Inner expressions whose value can be a constant when all that they hold is.
_MAYBE_FIXED = frozenset(
    {
        kinds.UNEXPOSED_EXPR,
        kinds.PAREN_EXPR,
        kinds.UNARY_OPERATOR,
        kinds.BINARY_OPERATOR,
        kinds.CONDITIONAL_OPERATOR,
        kinds.C_STYLE_CAST_EXPR,
        kinds.GENERIC_SELECTION_EXPR,
    }
)


class Tree:
    """The tree below `root`. `labels` are its LabelStmts; `addressed` its `&&label` expressions;
    `attributed` tells whether a variable in it has attributes."""

    __slots__ = ("addressed", "attributed", "labels", "root")

    def __init__(self, root: Node) -> None:
        self.root = root
        self.labels: list[Node] = []
        self.addressed: list[Node] = []
        self.attributed = False


def build(root: CXCursor, decls: Decls) -> Tree:
    """The tree below `root`, a statement or an expression. Variables declared there are entered in `decls`."""
    lib = libclang.load()
    initializer = lib.clang_Cursor_getVarDeclInitializer
    refer = decls.refer
    top = Node(root.kind, root)
    tree = Tree(top)
    path = [top]
    keys: list[int | None] = [root.data1]
    inits: list[int | None] = []  # the initialisers' identities of the variables on the path
    failure: list[BaseException] = []

    def loosen() -> None:
        for node in reversed(path):
            if not node.fixed:
                break
            node.fixed = False

    def enter(cursor: CXCursor, parent: CXCursor, _data: object) -> int:
        kind = cursor.kind
        key = parent.data1
        while keys[-1] != key:
            keys.pop()
            if path.pop().kind == kinds.VAR_DECL:
                inits.pop()
        above = path[-1]
        if 100 <= kind < 200:
            # A variable's other expressions belong to its type.
            if above.kind == kinds.VAR_DECL and cursor.data1 != inits[-1]:
                return VISIT_CONTINUE
            node = Node(kind, cursor)
            above.kids.append(node)
            if kind == kinds.DECL_REF_EXPR:
                ref = node.ref = refer(cursor)
                if ref.__class__ is Const:
                    node.fixed = True
                else:
                    loosen()
                return VISIT_CONTINUE
            if kind in _MAYBE_FIXED:
                node.fixed = True
            elif kind in _FIXED_LEAVES:
                node.fixed = True
                return VISIT_CONTINUE
            else:
                loosen()
                if kind in _LOOSE_LEAVES:
                    return VISIT_CONTINUE
                if kind == kinds.ADDR_LABEL_EXPR:
                    tree.addressed.append(node)
            path.append(node)
            keys.append(cursor.data1)
            return VISIT_RECURSE
        if 200 <= kind < 300:
            node = Node(kind, cursor)
            if kind == kinds.LABEL_STMT:
                tree.labels.append(node)
            above.kids.append(node)
            path.append(node)
            keys.append(cursor.data1)
            return VISIT_RECURSE
        if kind == kinds.VAR_DECL:
            node = Node(kind, cursor)
            node.ref = decls.declare(cursor, "l")
            above.kids.append(node)
            path.append(node)
            keys.append(cursor.data1)
            inits.append(initializer(cursor).data1)
            return VISIT_RECURSE
        if kind in (kinds.LABEL_REF, kinds.MEMBER_REF):
            above.kids.append(Node(kind, cursor))
        elif above.kind == kinds.VAR_DECL and 400 <= kind < 500:
            above.kids.append(Node(kind, cursor))
            tree.attributed = True
        return VISIT_CONTINUE

    def visit(cursor: CXCursor, parent: CXCursor, data: object) -> int:
        # An exception may not pass through libclang's frames.
        try:
            return enter(cursor, parent, data)
        except BaseException as error:
            failure.append(error)
            return VISIT_BREAK

    lib.clang_visitChildren(root, VISITOR(visit), None)
    if failure:
        raise failure[0]
    return tree
