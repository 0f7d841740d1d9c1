"""Calls, direct and through pointers, and the functions of the compiler."""

from __future__ import annotations

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.decls import Function
from gfpcheck.frontend.libclang import CXCursor
from gfpcheck.frontend.lowering import SEE_THROUGH, UNKNOWN, FunctionLowering, deref
from gfpcheck.frontend.tree import Node
from gfpcheck.ir.types import Addr, Assign, Call, Const, Deref, Expr, Field, Index, Loc, Stop, Temp, Var

PASSES_FIRST_ARGUMENT = frozenset(
    {"__builtin_expect", "__builtin_expect_with_probability", "__builtin_assume_aligned", "__builtin_launder"}
)
_NEVER_RETURNS = frozenset({"__builtin_unreachable", "__builtin_trap"})


class Calls(FunctionLowering):
    """Lowers calls of one function."""

    def call(self, node: Node) -> Expr:
        """A call; its value is a temporary, unless it returns nothing."""
        callee = callee_of(node)
        if callee is None:
            return UNKNOWN
        name = callee.ref.name if isinstance(callee.ref, Function) else ""
        arguments = node.kids[1:]
        if name.startswith("__builtin_"):
            if name in PASSES_FIRST_ARGUMENT and arguments:
                value = self.value(arguments[0])
                for argument in arguments[1:]:
                    self.effect(argument)
                return value
            if name == "__builtin_constant_p":
                return Const(0)
            return self._builtin(node, name, arguments)
        if callee.kind == kinds.CONDITIONAL_OPERATOR and not callee.kids[0].fixed:
            arms = [named(arm) for arm in callee.kids[1:]]
            functions = [arm.ref for arm in arms if isinstance(arm.ref, Function)]
            if len(functions) == len(arms):
                return self._one_or_the_other(node, callee.kids[0], functions)
        function = callee.ref if isinstance(callee.ref, Function) else None
        target: Expr = function.expr if function else self.value(callee)
        while isinstance(target, Deref):  # (*f)(x) calls f
            target = target.base
        return self._called(node, function, target)

    def _called(self, node: Node, function: Function | None, target: Expr) -> Expr:
        """The call `node` of `target`, which is `function` if it is known by name."""
        values = tuple([self.value(argument) for argument in node.kids[1:]])
        loc, macro = self._call_place(node.cursor, target)
        if function:
            self.called[function.name] = function
            proto = self.decls.proto(function)
            gfp, void, noreturn = proto.gfp, proto.ret == "void", proto.noreturn
        else:
            gfp, void = self.decls.called_pointer(node.kids[0].cursor)
            noreturn = False
        result = -1 if void else self.out.temp()
        self.out.emit(Call(result, target, values, loc, macro, gfp if gfp < len(values) else -1))
        if noreturn:
            self.out.end(Stop())
        return UNKNOWN if void else Temp(result)

    def _one_or_the_other(self, node: Node, cond: Node, functions: list[Function]) -> Expr:
        """`(cond ? f : g)(x)` calls f or g: each is known by its name."""
        out = self.out
        true, false, after = out.block(), out.block(), out.block()
        result = Temp(out.temp())
        self.condition(cond, true, false)
        value: Expr = UNKNOWN
        for block, function in zip((true, false), functions, strict=True):
            out.start(block)
            value = self._called(node, function, function.expr)
            if value != UNKNOWN:
                out.emit(Assign(result, value, self.loc(node)))
            out.jump(after)
        out.start(after)
        return UNKNOWN if value == UNKNOWN else result

    def _builtin(self, node: Node, name: str, arguments: list[Node]) -> Expr:
        """A function of the compiler: it calls nothing and allocates nothing."""
        if name in _NEVER_RETURNS:
            self.out.end(Stop())
            return UNKNOWN
        if all(argument.fixed for argument in arguments):
            value = libclang.evaluate(node.cursor)
            if value is not None:
                return Const(value)
        values = [self.value(argument) for argument in arguments]
        if name.endswith("_overflow") and values:
            self.out.emit(Assign(deref(values[-1]), UNKNOWN, self.loc(node)))
        return UNKNOWN

    def _call_place(self, cursor: CXCursor, target: Expr) -> tuple[Loc, str]:
        """Where the call was written, and the macro's name that was written there."""
        loc, offset = self.loc_of(cursor)
        if offset < 0 or not self.places.in_macro(cursor):
            return loc, ""
        word = self.home.text.word(offset)
        return loc, "" if word == _first_name(target) else word


def callee_of(node: Node) -> Node | None:
    """What a call calls, without casts and parentheses."""
    if not node.kids:
        return None
    return named(node.kids[0])


def named(node: Node) -> Node:
    """`node` without casts and parentheses."""
    while node.kids and len(node.kids) == 1 and node.kind in SEE_THROUGH:
        node = node.kids[0]
    return node


def callee_name(node: Node) -> str:
    """The function's name in a call, when it is called by name."""
    callee = callee_of(node)
    return callee.ref.name if callee is not None and isinstance(callee.ref, Function) else ""


def _first_name(expr: Expr) -> str:
    """The leftmost name of a callee: `ops` in `ops->f`."""
    while not isinstance(expr, Var):
        if isinstance(expr, (Field, Deref, Addr, Index)):
            expr = expr.base
        else:
            return ""
    return expr.name.split("@")[0]
