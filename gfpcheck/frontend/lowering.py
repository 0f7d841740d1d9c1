"""What the lowering of one function carries along, whatever it lowers."""

from __future__ import annotations

from collections import Counter

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.cfg import Builder
from gfpcheck.frontend.decls import Decls, Function, Variable
from gfpcheck.frontend.libclang import CXCursor
from gfpcheck.frontend.places import Home
from gfpcheck.frontend.tree import Node
from gfpcheck.ir.places import number_of
from gfpcheck.ir.types import OWN, Addr, Const, Deref, Expr, Loc, Position, Unknown

UNKNOWN = Unknown()
SEE_THROUGH = frozenset({kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR})
# An expression is cut with a temporary at every so many levels: readers of the IR may recurse.
DEPTH_LIMIT = 64


class FunctionLowering:
    """The state of one function's lowering. `start` is the line and column of its name, from which lines are
    counted, and the place given to what is written in another file. `known` has the positions of the places met.

    Expressions are lowered by `value` and `effect`, conditions by `condition`, which other parts
    of the class provide.
    """

    def __init__(self, decls: Decls, home: Home, start: tuple[int, int]) -> None:
        self.decls = decls
        self.places = decls.places
        self.home = home
        self.known = {OWN: Position(0, start[1])}
        self._line = start[0]
        self._locs: dict[int, Loc] = {-1: OWN}
        self._words: Counter[int] = Counter()
        self.out = Builder()
        self._depth = 0
        self.types: dict[str, str] = {}
        self.called: dict[str, Function] = {}
        self.named: dict[str, Function] = {}  # not called here: their address is taken
        self._lib = libclang.load()
        self._binary_kind = self._lib.clang_getCursorBinaryOperatorKind
        self._unary_kind = self._lib.clang_getCursorUnaryOperatorKind

    def value(self, node: Node) -> Expr:
        """The value (or, for an lvalue, the path) of an expression; its side effects are emitted."""
        raise NotImplementedError

    def effect(self, node: Node) -> None:
        """The side effects of an expression whose value nobody uses."""
        raise NotImplementedError

    def condition(self, node: Node, then: int, other: int) -> None:
        """Goes to `then` if the expression is not zero, else to `other`; ends the current block."""
        raise NotImplementedError

    def statement_expression(self, node: Node, used: bool) -> Expr:
        """Lowers `({ ... })`; its value, if `used`."""
        raise NotImplementedError

    def unmodelled(self, node: Node) -> Expr:
        """An expression that the IR does not model: its parts' effects count, its value is unknown."""
        if not node.kids and node.kind == kinds.UNEXPOSED_EXPR:
            value = libclang.evaluate(node.cursor)
            return UNKNOWN if value is None else Const(value)
        for kid in node.kids:
            if kinds.FIRST_EXPR <= kid.kind <= kinds.LAST_EXPR:
                self.effect(kid)
        return UNKNOWN

    def loc(self, node: Node) -> Loc:
        """Where the person wrote it."""
        return self.loc_of(node.cursor)[0]

    def loc_of(self, cursor: CXCursor) -> tuple[Loc, int]:
        """As `loc`, for a cursor, with the offset in the function's file or -1."""
        offset = self.places.offset(cursor, self.home)
        return self.at(offset), offset

    def at(self, offset: int) -> Loc:
        """The place of a byte offset in the function's file; -1 is a place in another."""
        loc = self._locs.get(offset)
        if loc is None:
            word = number_of(self.home.text.word(offset))
            loc = self._locs[offset] = Loc(word, self._words[word])
            self._words[word] += 1
            self.known[loc] = self.position(offset)
        return loc

    def position(self, offset: int) -> Position:
        """The line and column of a byte offset in the function's file."""
        line, column = self.home.text.loc(offset)
        return Position(line - self._line, column)

    def note(self, variable: Variable) -> None:
        """Writes down the type of a variable that is named for the first time."""
        if variable.expr.kind == "g":
            self.decls.note_global(variable)
        else:
            variable.known = True
            ctype = self.types[variable.expr.name] = self.decls.variable_type(variable)
            variable.opaque = "va_list" in ctype  # what va_arg() reads from it is not its value


def deref(value: Expr) -> Expr:
    """`*value`; `*&x` is x."""
    return value.base if isinstance(value, Addr) else Deref(value)
