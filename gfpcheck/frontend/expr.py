"""Expressions: side effects become instructions, what is left is an `Expr` without any."""

from __future__ import annotations

from collections.abc import Callable

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.cfg import Builder
from gfpcheck.frontend.decls import Decls, Function, Variable
from gfpcheck.frontend.inits import assignments
from gfpcheck.frontend.libclang import CXCursor
from gfpcheck.frontend.places import Home
from gfpcheck.frontend.tree import Node
from gfpcheck.ir.types import (
    Addr,
    Assign,
    Bin,
    Call,
    Const,
    Deref,
    Expr,
    Field,
    Index,
    Loc,
    Stop,
    Str,
    Temp,
    Un,
    Unknown,
    Var,
)

UNKNOWN = Unknown()
_STRING_LIMIT = 64
# An expression is cut with a temporary at every so many levels: readers of the IR may recurse.
_DEPTH_LIMIT = 64
_SEE_THROUGH = frozenset({kinds.UNEXPOSED_EXPR, kinds.PAREN_EXPR})
# What `.` is applied to, as against a pointer's value, which `->` is applied to.
_OBJECTS = frozenset({kinds.DECL_REF_EXPR, kinds.MEMBER_REF_EXPR, kinds.ARRAY_SUBSCRIPT_EXPR})
_IS_FIRST_ARGUMENT = frozenset(
    {"__builtin_expect", "__builtin_expect_with_probability", "__builtin_assume_aligned", "__builtin_launder"}
)
_NEVER_RETURNS = frozenset({"__builtin_unreachable", "__builtin_trap"})


class ExprLowering:
    """Lowers the expressions of one function. `here` is the place given to what is written in another file."""

    def __init__(self, decls: Decls, home: Home, here: Loc) -> None:
        self.decls = decls
        self.places = decls.places
        self.home = home
        self.here = here
        self.out = Builder()
        self._depth = 0
        self.types: dict[str, str] = {}
        self.called: dict[str, Function] = {}
        self.named: dict[str, Function] = {}  # not called here: their address is taken
        self._lib = libclang.load()
        self._binary_kind = self._lib.clang_getCursorBinaryOperatorKind
        self._unary_kind = self._lib.clang_getCursorUnaryOperatorKind
        self._value: dict[int, Callable[[Node], Expr]] = {
            kinds.UNEXPOSED_EXPR: self._unexposed,
            kinds.PAREN_EXPR: lambda node: self.value(node.kids[0]) if node.kids else UNKNOWN,
            kinds.DECL_REF_EXPR: self._reference,
            kinds.MEMBER_REF_EXPR: self._member,
            kinds.CALL_EXPR: self._call,
            kinds.STRING_LITERAL: self._string,
            kinds.UNARY_OPERATOR: self._unary,
            kinds.ARRAY_SUBSCRIPT_EXPR: self._subscript,
            kinds.BINARY_OPERATOR: self._binary,
            kinds.COMPOUND_ASSIGN_OPERATOR: self._compound_assign,
            kinds.CONDITIONAL_OPERATOR: self._conditional,
            kinds.C_STYLE_CAST_EXPR: self._cast,
            kinds.STMT_EXPR: lambda node: self.statement_expression(node, True),
            kinds.GENERIC_SELECTION_EXPR: self._generic,
        }

    # --- what statements provide ---

    def statement_expression(self, node: Node, used: bool) -> Expr:
        """Lowers `({ ... })`; its value, if `used`."""
        raise NotImplementedError

    # --- places ---

    def loc(self, node: Node) -> Loc:
        """The line and column that the person wrote."""
        return self._loc_of(node.cursor)[0]

    def _loc_of(self, cursor: CXCursor) -> tuple[Loc, int]:
        offset = self.places.offset(cursor, self.home)
        return (self.here if offset < 0 else self.home.text.loc(offset)), offset

    # --- values ---

    def value(self, node: Node) -> Expr:
        """The value (or, for an lvalue, the path) of an expression; its side effects are emitted."""
        if node.fixed:
            constant = self.constant(node)
            if constant is not None:
                return constant
        self._depth += 1
        lower = self._value.get(node.kind)
        value = lower(node) if lower else self._other(node)
        self._depth -= 1
        if self._depth % _DEPTH_LIMIT == _DEPTH_LIMIT - 1 and (
            node.kind == kinds.UNEXPOSED_EXPR or isinstance(value, (Bin, Un))
        ):
            return self.out.hold(value, self.loc(node))  # not an lvalue, so a copy will do
        return value

    def effect(self, node: Node) -> None:
        """The side effects of an expression whose value nobody uses."""
        while node.kind in _SEE_THROUGH or node.kind == kinds.C_STYLE_CAST_EXPR:
            if (node.kind == kinds.UNEXPOSED_EXPR and len(node.kids) != 1) or not node.kids:
                break
            node = node.kids[-1]
        if node.fixed:
            return
        kind = node.kind
        if kind == kinds.STMT_EXPR:
            self.statement_expression(node, False)
        elif kind == kinds.CONDITIONAL_OPERATOR:
            self._conditional_effect(node)
        elif kind == kinds.BINARY_OPERATOR and self._binary_kind(node.cursor) in (kinds.LOGICAL_AND, kinds.LOGICAL_OR):
            after = self.out.block()
            self.condition(node, after, after)
            self.out.start(after)
        elif kind == kinds.BINARY_OPERATOR and self._binary_kind(node.cursor) == kinds.COMMA:
            self.effect(node.kids[0])
            self.effect(node.kids[1])
        elif kind == kinds.UNARY_OPERATOR:
            self._unary_used(node, False)
        else:
            self.value(node)

    def constant(self, node: Node) -> Const | None:
        """The value of an expression of constants, as the front end folds it."""
        ref = node.ref
        if ref is not None:
            return ref if isinstance(ref, Const) else None
        value = libclang.evaluate(node.cursor)
        if value is None:
            return None
        while len(node.kids) == 1 and node.kind in _SEE_THROUGH and node.kids[0].kind != kinds.MEMBER_REF:
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

    def _unexposed(self, node: Node) -> Expr:
        kids = node.kids
        count = len(kids)
        if count == 1:
            constant = _loaded_constant(node)
            if constant is not None:
                return constant
            kid = kids[0]
            if kid.kind == kinds.PAREN_EXPR and not kid.fixed:
                # __builtin_types_compatible_p(typeof(f()), int) looks like a cast of a call.
                value = self._traits(node, kid)
                if value is not None:
                    return value
            return self.value(kid)
        if any(kid.kind == kinds.MEMBER_REF for kid in kids):
            return self._offset(node)
        if count == 3:
            chosen = libclang.evaluate(kids[0].cursor)  # __builtin_choose_expr
            if chosen is not None:
                return self.value(kids[1] if chosen else kids[2])
        if count == 4 and self._same_place(kids[:3]):
            return self._gnu_conditional(kids[0], kids[3])
        return self._other(node)

    def _offset(self, node: Node) -> Expr:
        """offsetof(), which is not constant as a tree when it looks at `typeof(x)`."""
        value = libclang.evaluate(node.cursor)
        return UNKNOWN if value is None else Const(value, self._offset_text(node))

    def _offset_text(self, node: Node) -> str:
        """ "offsetof(struct x, member)", if that is what `node` is."""
        named = [self.decls.member(kid.cursor) for kid in node.kids if kid.kind == kinds.MEMBER_REF]
        named = [member for member in named if member.member]
        path = ".".join(member.member for member in named)
        return f"offsetof({named[0].record}, {path})" if named else ""

    def _traits(self, node: Node, kid: Node) -> Expr | None:
        while kid.kind in _SEE_THROUGH and len(kid.kids) == 1:
            kid = kid.kids[0]
        if kid.kind not in (kinds.CALL_EXPR, kinds.STMT_EXPR):
            return None
        value = libclang.evaluate(node.cursor)
        return None if value is None else Const(value)

    def _same_place(self, nodes: list[Node]) -> bool:
        """True if all start at one place: the condition of `a ?: b` is visited three times."""
        return len({self._lib.clang_getCursorLocation(node.cursor).raw for node in nodes}) == 1

    def _gnu_conditional(self, common: Node, other: Node) -> Expr:
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

    def _other(self, node: Node) -> Expr:
        """An expression that the IR does not model: its parts' effects count, its value is unknown."""
        if not node.kids and node.kind == kinds.UNEXPOSED_EXPR:
            value = libclang.evaluate(node.cursor)
            return UNKNOWN if value is None else Const(value)
        for kid in node.kids:
            if kinds.FIRST_EXPR <= kid.kind <= kinds.LAST_EXPR:
                self.effect(kid)
        return UNKNOWN

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

    def note(self, variable: Variable) -> None:
        if variable.expr.kind == "g":
            self.decls.note_global(variable)
        else:
            variable.known = True
            ctype = self.types[variable.expr.name] = self.decls.variable_type(variable)
            variable.opaque = "va_list" in ctype  # what va_arg() reads from it is not its value

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

    def _subscript(self, node: Node) -> Expr:
        if len(node.kids) != 2:
            return self._other(node)
        return Index(self.value(node.kids[0]), self.value(node.kids[1]))

    def _cast(self, node: Node) -> Expr:
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

    # --- operators ---

    def _unary(self, node: Node) -> Expr:
        return self._unary_used(node, True)

    def _unary_used(self, node: Node, used: bool) -> Expr:
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

    def _binary(self, node: Node) -> Expr:
        op = self._binary_kind(node.cursor)
        if len(node.kids) != 2:
            return self._other(node)
        left, right = node.kids
        if op == kinds.ASSIGN:
            return self._assign(node, left, right)
        if op == kinds.COMMA:
            self.effect(left)
            return self.value(right)
        if op in (kinds.LOGICAL_AND, kinds.LOGICAL_OR):
            return self._logical(node)
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
            return self._other(node)
        value = self.value(node)
        for depth, (spelling, right) in enumerate(reversed(spine), 1):
            value = Bin(spelling, value, self.value(right))
            if depth % _DEPTH_LIMIT == 0:
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

    def _compound_assign(self, node: Node) -> Expr:
        if len(node.kids) != 2:
            return self._other(node)
        value = self.value(node.kids[1])
        dst = self.value(node.kids[0])
        op = kinds.COMPOUND_SPELLING[self._binary_kind(node.cursor)]
        self.out.emit(Assign(dst, Bin(op, dst, value), self.loc(node)))
        return dst

    # --- control flow inside expressions ---

    def _logical(self, node: Node) -> Expr:
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

    def _conditional(self, node: Node) -> Expr:
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

    def _conditional_effect(self, node: Node) -> None:
        cond, then, other = node.kids
        out = self.out
        true, false, after = out.block(), out.block(), out.block()
        self.condition(cond, true, false)
        for block, arm in ((true, then), (false, other)):
            out.start(block)
            self.effect(arm)
            out.jump(after)
        out.start(after)

    def condition(self, node: Node, then: int, other: int) -> None:
        """Goes to `then` if the expression is not zero, else to `other`; ends the current block."""
        while True:
            if node.fixed:
                break
            kind = node.kind
            if kind == kinds.PAREN_EXPR or (kind == kinds.UNEXPOSED_EXPR and len(node.kids) == 1):
                if _loaded_constant(node) is not None:
                    break
                node = node.kids[0]
            elif kind == kinds.UNARY_OPERATOR and self._unary_kind(node.cursor) == kinds.LOGICAL_NOT:
                then, other = other, then
                node = node.kids[0]
            elif kind == kinds.CALL_EXPR and self._callee_name(node) in _IS_FIRST_ARGUMENT:
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

    # --- calls ---

    def _callee(self, node: Node) -> Node | None:
        """The function's name in a call, when it is called by name."""
        if not node.kids:
            return None
        callee = node.kids[0]
        while callee.kids and len(callee.kids) == 1 and callee.kind in _SEE_THROUGH:
            callee = callee.kids[0]
        return callee

    def _callee_name(self, node: Node) -> str:
        callee = self._callee(node)
        return callee.ref.name if callee is not None and isinstance(callee.ref, Function) else ""

    def _call(self, node: Node) -> Expr:
        callee = self._callee(node)
        if callee is None:
            return UNKNOWN
        name = callee.ref.name if isinstance(callee.ref, Function) else ""
        arguments = node.kids[1:]
        if name.startswith("__builtin_"):
            if name in _IS_FIRST_ARGUMENT and arguments:
                value = self.value(arguments[0])
                for argument in arguments[1:]:
                    self.effect(argument)
                return value
            if name == "__builtin_constant_p":
                return Const(0)
            return self._builtin(node, name, arguments)
        function = callee.ref if isinstance(callee.ref, Function) else None
        target: Expr = function.expr if function else self.value(callee)
        while isinstance(target, Deref):  # (*f)(x) calls f
            target = target.base
        values = tuple([self.value(argument) for argument in arguments])
        loc, macro = self._call_place(node.cursor, target)
        if function:
            self.called[name] = function
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
        loc, offset = self._loc_of(cursor)
        if offset < 0 or not self.places.in_macro(cursor):
            return loc, ""
        word = self.home.text.word(offset)
        return loc, "" if word == _first_name(target) else word


def _loaded_constant(node: Node) -> Const | None:
    """The value of a `static const` object where it is loaded (not where its address is taken)."""
    if node.kind != kinds.UNEXPOSED_EXPR:
        return None
    kid = node.kids[0]
    while kid.kind == kinds.PAREN_EXPR and kid.kids:
        kid = kid.kids[0]
    return kid.ref.constant if isinstance(kid.ref, Variable) else None


def deref(value: Expr) -> Expr:
    """`*value`; `*&x` is x."""
    return value.base if isinstance(value, Addr) else Deref(value)


def _first_name(expr: Expr) -> str:
    """The leftmost name of a callee: `ops` in `ops->f`."""
    while not isinstance(expr, Var):
        if isinstance(expr, (Field, Deref, Addr, Index)):
            expr = expr.base
        else:
            return ""
    return expr.name.split("@")[0]


def compound_literal(node: Node) -> Node | None:
    """The initialiser list of `(struct x){ ... }`, if that is all that `node` is."""
    while node.kind in _SEE_THROUGH and len(node.kids) == 1:
        node = node.kids[0]
    if node.kind != kinds.COMPOUND_LITERAL_EXPR or not node.kids:
        return None
    return node.kids[-1] if node.kids[-1].kind == kinds.INIT_LIST_EXPR else None
