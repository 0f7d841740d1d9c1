"""Scopes: local variables with their initialisers, and the cleanups that run where a scope is left."""

from __future__ import annotations

from gfpcheck.frontend import kinds
from gfpcheck.frontend.cleanup import Cleanup, cleanup_of
from gfpcheck.frontend.decls import Decls, Variable
from gfpcheck.frontend.expr import ExprLowering
from gfpcheck.frontend.operators import compound_literal
from gfpcheck.frontend.places import Home
from gfpcheck.frontend.tree import Node
from gfpcheck.ir.types import Addr, Assign, Call, Loc, Var


class Scopes(ExprLowering):
    """`cleanups` are those in force, first declared first; `label_cleanups` those in force at each label."""

    def __init__(self, decls: Decls, home: Home, start: tuple[int, int]) -> None:
        super().__init__(decls, home, start)
        self.cleanups: list[Cleanup] = []
        self.label_cleanups: dict[int, tuple[Cleanup, ...]] = {}
        self.statics: list[Variable] = []  # function-static variables with an initialiser
        self._known_cleanups: dict[int, Cleanup | None] = {}  # by id of the VarDecl's node

    def close(self, depth: int, node: Node) -> None:
        """Leaves a scope at its end: its cleanups run, and are forgotten."""
        if len(self.cleanups) > depth:
            offset = self.places.end(node.cursor, self.home)
            self.run_cleanups(depth, self.at(offset))
            del self.cleanups[depth:]

    def run_cleanups(self, depth: int, loc: Loc) -> None:
        """The cleanups beyond `depth`, last declared first; they stay in force for other paths."""
        for cleanup in reversed(self.cleanups[depth:]):
            self.clean(cleanup, loc)

    def clean(self, cleanup: Cleanup, loc: Loc) -> None:
        """Calls one cleanup function."""
        arguments = (Addr(cleanup.variable.expr),)
        self.out.emit(Call(-1, Var(cleanup.function, "f"), arguments, loc, cleanup=True))

    def _cleanup_of(self, node: Node) -> Cleanup | None:
        key = id(node)
        if key not in self._known_cleanups:
            self._known_cleanups[key] = cleanup_of(node, self.decls)
        return self._known_cleanups[key]

    def find_label_cleanups(self, node: Node, active: list[Cleanup]) -> None:
        """Which cleanups are in force at each label: those of the variables declared before it, around it."""
        kind = node.kind
        if kind == kinds.VAR_DECL:
            for kid in node.kids:
                self.find_label_cleanups(kid, active)
            cleanup = self._cleanup_of(node)
            if cleanup:
                active.append(cleanup)
            return
        if kind == kinds.LABEL_STMT:
            self.label_cleanups[node.cursor.data1] = tuple(active)
        depth = len(active)
        for kid in node.kids:
            self.find_label_cleanups(kid, active)
        if kind in (kinds.COMPOUND_STMT, kinds.FOR_STMT):
            del active[depth:]

    def declarations(self, node: Node) -> None:
        """A DeclStmt: the variables that it declares, in order."""
        for kid in node.kids:
            if kid.kind == kinds.VAR_DECL:
                self._variable(kid)

    def _variable(self, node: Node) -> None:
        variable = node.ref
        if not isinstance(variable, Variable):
            return
        init = node.kids[-1] if node.kids and node.kids[-1].kind <= kinds.LAST_EXPR else None
        if variable.expr.kind == "g":
            if init:
                self.statics.append(variable)
            return
        if init:
            if not variable.known:
                self.note(variable)
            self._initialized(node, variable, init)
        if node.kids and node.kids[0].kind >= kinds.UNEXPOSED_ATTR:
            cleanup = self._cleanup_of(node)
            if cleanup:
                self.cleanups.append(cleanup)
                if not variable.known:
                    self.note(variable)

    def _initialized(self, node: Node, variable: Variable, init: Node) -> None:
        members = init if init.kind == kinds.INIT_LIST_EXPR else compound_literal(init)
        if members is not None:
            self.initialize(variable.expr, members, self.loc(node))
        else:
            value = self.value(init)
            self.out.emit(Assign(variable.expr, value, self.loc(node)))
