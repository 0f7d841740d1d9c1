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

    def __init__(self, kind: int, cursor: CXCursor, fixed: bool) -> None:
        self.kind = kind
        self.cursor = cursor
        self.kids: list[Node] = []
        self.fixed = fixed
        self.ref: Referent | None = None


class Tree:
    """The tree below `root`. `labels` are its LabelStmts; `addressed` its `&&label` expressions;
    `attributed` tells whether a variable in it has attributes."""

    __slots__ = ("addressed", "attributed", "labels", "root")

    def __init__(self, root: Node) -> None:
        self.root = root
        self.labels: list[Node] = []
        self.addressed: list[Node] = []
        self.attributed = False


# What to do with a cursor, by kind: this table is looked into once for every cursor of a body.
_SKIP, _INNER, _FIXED, _NAME, _LITERAL, _LEAF, _VARIABLE, _REFERENCE, _ATTRIBUTE, _LABEL, _ADDRESS = range(11)
_ACTIONS = [_SKIP] * 1000
_ACTIONS[kinds.FIRST_EXPR : kinds.LAST_STMT + 1] = [_INNER] * (kinds.LAST_STMT + 1 - kinds.FIRST_EXPR)
_ACTIONS[kinds.FIRST_ATTR : kinds.LAST_ATTR + 1] = [_ATTRIBUTE] * (kinds.LAST_ATTR + 1 - kinds.FIRST_ATTR)
for _kind, _action in {
    kinds.DECL_REF_EXPR: _NAME,
    kinds.VAR_DECL: _VARIABLE,
    kinds.LABEL_REF: _REFERENCE,
    kinds.MEMBER_REF: _REFERENCE,
    kinds.LABEL_STMT: _LABEL,
    kinds.ADDR_LABEL_EXPR: _ADDRESS,
    kinds.STRING_LITERAL: _LEAF,
    kinds.FLOATING_LITERAL: _LEAF,
    kinds.INTEGER_LITERAL: _LITERAL,
    kinds.CHARACTER_LITERAL: _LITERAL,
    kinds.UNARY_EXPR: _LITERAL,  # the operand of sizeof is not code
    # These can be constant when all that they hold is.
    kinds.UNEXPOSED_EXPR: _FIXED,
    kinds.PAREN_EXPR: _FIXED,
    kinds.UNARY_OPERATOR: _FIXED,
    kinds.BINARY_OPERATOR: _FIXED,
    kinds.CONDITIONAL_OPERATOR: _FIXED,
    kinds.C_STYLE_CAST_EXPR: _FIXED,
    kinds.GENERIC_SELECTION_EXPR: _FIXED,
}.items():
    _ACTIONS[_kind] = _action
# A VarDecl's second pointer is a flag (0 or 1), a statement's is an address.
_FLAGS = (None, 1)


def build(root: CXCursor, decls: Decls) -> Tree:
    """The tree below `root`, a statement or an expression. Variables declared there are entered in `decls`."""
    lib = libclang.load()
    initializer = lib.clang_Cursor_getVarDeclInitializer
    refer = decls.refer
    actions = _ACTIONS
    top = Node(root.kind, root, False)
    tree = Tree(top)
    path = [top]
    keys: list[int | None] = [root.data1]
    inits: list[int | None] = []  # the initialisers' identities of the variables on the path
    failure: list[BaseException] = []

    def visit(cursor: CXCursor, parent: CXCursor, _data: object) -> int:
        try:
            key = parent.data1
            while keys[-1] != key:
                keys.pop()
                if path.pop().kind == kinds.VAR_DECL:
                    inits.pop()
            kind = cursor.kind
            action = actions[kind]
            if action == _SKIP:
                return VISIT_CONTINUE
            if key in _FLAGS:
                if action == _ATTRIBUTE:
                    tree.attributed = True
                elif cursor.data1 != inits[-1]:
                    return VISIT_CONTINUE  # a variable's other expressions belong to its type
            elif action == _ATTRIBUTE:
                return VISIT_CONTINUE
            node = Node(kind, cursor, action in (_FIXED, _LITERAL))
            path[-1].kids.append(node)
            if action == _LITERAL or (action >= _REFERENCE and action <= _ATTRIBUTE):
                return VISIT_CONTINUE
            if action == _NAME:
                ref = node.ref = refer(cursor)
                if ref.__class__ is Const:
                    node.fixed = True
                    return VISIT_CONTINUE
            elif action == _VARIABLE:
                node.ref = decls.declare(cursor, "l")
                inits.append(initializer(cursor).data1)
            elif action == _LABEL:
                tree.labels.append(node)
            elif action == _ADDRESS:
                tree.addressed.append(node)
            if action != _FIXED:
                for above in reversed(path):
                    if not above.fixed:
                        break
                    above.fixed = False
                if action in (_NAME, _LEAF):
                    return VISIT_CONTINUE
            path.append(node)
            keys.append(cursor.data1)
            return VISIT_RECURSE
        except BaseException as error:  # it may not pass through libclang's frames
            failure.append(error)
            return VISIT_BREAK

    lib.clang_visitChildren(root, VISITOR(visit), None)
    if failure:
        raise failure[0]
    return tree
