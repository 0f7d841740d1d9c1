"""Access paths: how expressions that name memory are compared, translated and shown.

A lock's *instance* is the canonical path of the lock object (`ip->i_lock`); its *class* is what
lockdep would call it: the record and member that it is ("struct xfs_inode.i_lock") or the global's name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from gfpcheck.ir import Addr, Bin, Const, Deref, Expr, Field, Index, Str, Temp, Un, Unknown, Var

MAX_SIZE = 40
"""Expressions of more nodes are not followed: no lock or flag is written that way, and loops must end."""


def deref(base: Expr) -> Expr:
    """`*base`, simplified."""
    return base.base if isinstance(base, Addr) else Deref(base)


def addr(base: Expr) -> Expr:
    """`&base`, simplified."""
    return base.base if isinstance(base, Deref) else Addr(base)


def _container(left: Expr, right: Expr) -> Expr | None:
    """`&x->m - offsetof(struct r, m)` is `x`: container_of() undone."""
    if not isinstance(right, Const) or not right.text.startswith("offsetof(") or not isinstance(left, Addr):
        return None
    record, _, members = right.text[len("offsetof(") : -1].partition(", ")
    inner: Expr = left.base
    for member in reversed(members.split(".")):
        if not isinstance(inner, Field) or inner.member != member:
            return None
        last = inner.record
        inner = inner.base
    return addr(inner) if last == record else None


@lru_cache(maxsize=200_000)
def canonical(expr: Expr) -> Expr:
    """The same path with `*&`, `&*` and container_of() of a member's address folded away."""
    if isinstance(expr, Deref):
        return deref(canonical(expr.base))
    if isinstance(expr, Addr):
        return addr(canonical(expr.base))
    if isinstance(expr, Field):
        return Field(canonical(expr.base), expr.record, expr.member)
    if isinstance(expr, Index):
        return Index(canonical(expr.base), canonical(expr.index))
    if isinstance(expr, Bin):
        left, right = canonical(expr.left), canonical(expr.right)
        if expr.op == "-" and (whole := _container(left, right)) is not None:
            return whole
        if expr.op in "+-" and right == Const(0):
            return left
        return Bin(expr.op, left, right)
    if isinstance(expr, Un):
        return Un(expr.op, canonical(expr.operand))
    return expr


def replace(expr: Expr, mapping: Mapping[Expr, Expr]) -> Expr:
    """`expr` with the variables, temporaries and members of variables that are in `mapping` replaced, canonical; the
    same object if nothing changed.

    Nothing runs more often: `type(x) is T` costs a fifth of an isinstance() that says no."""
    if type(expr) is Var or type(expr) is Temp:
        return mapping.get(expr, expr)
    if type(expr) is Field:
        base = replace(expr.base, mapping)
        whole = expr if base is expr.base else Field(base, expr.record, expr.member)
        return mapping.get(whole, whole) if is_member_of_variable(whole) else whole
    if type(expr) is Deref:
        base = replace(expr.base, mapping)
        return expr if base is expr.base else deref(base)
    if type(expr) is Addr:
        if type(expr.base) is Var or type(expr.base) is Temp:
            return expr  # the variable's place, not its value
        base = replace(expr.base, mapping)
        return expr if base is expr.base else addr(base)
    if type(expr) is Bin:
        left, right = replace(expr.left, mapping), replace(expr.right, mapping)
        if left is expr.left and right is expr.right:
            return expr
        if expr.op == "-" and (container := _container(left, right)) is not None:
            return container
        return Bin(expr.op, left, right)
    if type(expr) is Un:
        operand = replace(expr.operand, mapping)
        return expr if operand is expr.operand else Un(expr.op, operand)
    if type(expr) is Index:
        base, index = replace(expr.base, mapping), replace(expr.index, mapping)
        return expr if base is expr.base and index is expr.index else Index(base, index)
    return expr


@lru_cache(maxsize=200_000)
def is_member_of_variable(expr: Expr) -> bool:
    """True for `x.a.b` where `x` is a local structure or a temporary one: no pointer on the way."""
    start = _pointer_or_name(expr)
    if start is expr:
        return False
    return isinstance(start, Temp) or (isinstance(start, Var) and start.kind in "lp")


def _pointer_or_name(expr: Expr) -> Expr:
    """What is left of `expr` without its trailing members."""
    while isinstance(expr, Field):
        expr = expr.base
    return expr


def put(expr: Expr, old: Expr, new: Expr) -> Expr:
    """`expr` with `new` wherever `old`, which may be any expression, is a part of it."""
    if old not in parts(expr):
        return expr
    if expr == old:
        return new
    if isinstance(expr, Field):
        return Field(put(expr.base, old, new), expr.record, expr.member)
    if isinstance(expr, Deref):
        return deref(put(expr.base, old, new))
    if isinstance(expr, Addr):
        return addr(put(expr.base, old, new))
    if isinstance(expr, Index):
        return Index(put(expr.base, old, new), put(expr.index, old, new))
    if isinstance(expr, Bin):
        return Bin(expr.op, put(expr.left, old, new), put(expr.right, old, new))
    return Un(expr.op, put(expr.operand, old, new)) if isinstance(expr, Un) else expr


@lru_cache(maxsize=200_000)
def names_in(expr: Expr) -> frozenset[Expr]:
    """The variables and temporaries that `expr` mentions."""
    if isinstance(expr, Var | Temp):
        return frozenset((expr,))
    if isinstance(expr, Field | Deref | Addr):
        return names_in(expr.base)
    if isinstance(expr, Index):
        return names_in(expr.base) | names_in(expr.index)
    if isinstance(expr, Bin):
        return names_in(expr.left) | names_in(expr.right)
    if isinstance(expr, Un):
        return names_in(expr.operand)
    return frozenset()


@lru_cache(maxsize=200_000)
def locals_in(expr: Expr) -> frozenset[Expr]:
    """The parameters, locals and temporaries that `expr` mentions."""
    return frozenset(name for name in names_in(expr) if not (isinstance(name, Var) and name.kind in "gf"))


@lru_cache(maxsize=200_000)
def parts(expr: Expr) -> frozenset[Expr]:
    """`expr` and everything that it is made of."""
    if isinstance(expr, Field | Deref | Addr):
        return parts(expr.base) | {expr}
    if isinstance(expr, Index):
        return parts(expr.base) | parts(expr.index) | {expr}
    if isinstance(expr, Bin):
        return parts(expr.left) | parts(expr.right) | {expr}
    if isinstance(expr, Un):
        return parts(expr.operand) | {expr}
    return frozenset((expr,))


@lru_cache(maxsize=200_000)
def members_in(expr: Expr) -> frozenset[tuple[str, str]]:
    """The (record, member) of each member that `expr` goes through."""
    return frozenset((part.record, part.member) for part in parts(expr) if isinstance(part, Field))


@lru_cache(maxsize=200_000)
def has_member_of_variable(expr: Expr) -> bool:
    return any(is_member_of_variable(part) for part in parts(expr))


@lru_cache(maxsize=200_000)
def is_opaque(expr: Expr) -> bool:
    """True if two occurrences of `expr` need not have the same value."""
    return any(isinstance(part, Unknown) for part in parts(expr))


@lru_cache(maxsize=200_000)
def reads_memory(expr: Expr) -> bool:
    """True if the value can change without an assignment to a local variable."""
    if isinstance(expr, Field | Deref | Index):
        return True
    if isinstance(expr, Var):
        return expr.kind == "g"
    if isinstance(expr, Addr):
        return isinstance(expr.base, Field | Index) and reads_memory(_pointer_of(expr.base))
    if isinstance(expr, Bin):
        return reads_memory(expr.left) or reads_memory(expr.right)
    if isinstance(expr, Un):
        return reads_memory(expr.operand)
    return False


def _pointer_of(lvalue: Expr) -> Expr:
    """What must be read to compute the address of `lvalue`."""
    while isinstance(lvalue, Field | Index):
        lvalue = lvalue.base
    return lvalue.base if isinstance(lvalue, Deref) else Const(0)


@lru_cache(maxsize=200_000)
def followed(expr: Expr, placed: bool = False) -> tuple[Expr, ...]:
    """The variables and temporaries whose pointers are followed when `expr` is evaluated; if `placed`, only where
    it lies is computed: `&p->m` reads nothing."""
    if isinstance(expr, Deref):
        own = (expr.base,) if not placed and isinstance(expr.base, Var | Temp) else ()
        return _all(own, followed(expr.base))
    if isinstance(expr, Addr):
        return followed(expr.base, placed=True)
    if isinstance(expr, Field):
        return followed(expr.base, placed)
    if isinstance(expr, Index):
        return _all(followed(expr.base, placed), followed(expr.index))
    if isinstance(expr, Bin):
        return _all(followed(expr.left), followed(expr.right))
    if isinstance(expr, Un):
        return followed(expr.operand)
    return ()


def _all(a: tuple[Expr, ...], b: tuple[Expr, ...]) -> tuple[Expr, ...]:
    return tuple(dict.fromkeys((*a, *b)))


@lru_cache(maxsize=200_000)
def depth(expr: Expr) -> int:
    if isinstance(expr, Field | Deref | Addr):
        return 1 + depth(expr.base)
    if isinstance(expr, Index):
        return 1 + max(depth(expr.base), depth(expr.index))
    if isinstance(expr, Bin):
        return 1 + max(depth(expr.left), depth(expr.right))
    if isinstance(expr, Un):
        return 1 + depth(expr.operand)
    return 0


@lru_cache(maxsize=200_000)
def size(expr: Expr) -> int:
    """The number of nodes of `expr`."""
    if isinstance(expr, Field | Deref | Addr):
        return 1 + size(expr.base)
    if isinstance(expr, Index):
        return 1 + size(expr.base) + size(expr.index)
    if isinstance(expr, Bin):
        return 1 + size(expr.left) + size(expr.right)
    if isinstance(expr, Un):
        return 1 + size(expr.operand)
    return 1


def root(expr: Expr) -> Expr:
    """The variable, temporary or constant that a path starts from."""
    while True:
        if isinstance(expr, Field | Deref | Addr | Index):
            expr = expr.base
        elif isinstance(expr, Bin):
            expr = expr.left
        else:
            return expr


def owner(expr: Expr) -> Expr:
    """The object that `expr` is a member of, or an element of a member."""
    while isinstance(expr, Field | Index):
        expr = expr.base
    return expr


def class_of(instance: Expr, function: str) -> str:
    """The class of the lock at `instance`, as lockdep would name it.

    A lock that a member points at is named after that member, with an asterisk: what it is a part of does not show.
    One that is reached only through a parameter or a local has no class of its own: it is named after the variable
    and the function, in angle brackets.
    """
    expr = _element_of(instance)
    if isinstance(expr, Field):
        return f"{expr.record}.{expr.member}" if expr.record else expr.member
    if isinstance(expr, Var):
        return expr.name if expr.kind in "gf" else f"<{function}:{expr.name}>"
    if isinstance(expr, Deref) and isinstance(pointer := _element_of(expr.base), Field) and pointer.record:
        return f"*{pointer.record}.{pointer.member}"
    start = root(expr)
    if isinstance(start, Var):
        return f"<{function}:{start.name}>" if start.kind in "lp" else start.name
    return f"<{function}>"


def _element_of(expr: Expr) -> Expr:
    """The array that `expr` is an element of, or `expr`."""
    while isinstance(expr, Index):
        expr = expr.base
    return expr


def has_class(cls: str) -> bool:
    """False for locks known only by a variable of one function."""
    return not cls.startswith("<")


def is_exact(cls: str) -> bool:
    """True if a lock with another exact class is another lock."""
    return not cls.startswith(("<", "*"))


def embedded_in(expr: Expr, owners: frozenset[Expr]) -> bool:
    """True if the object at `expr` is a part of what one of `owners` (pointers) points at.

    Steps through members and container_of() stay inside; a pointer read from memory leaves.
    """
    while isinstance(expr, Field | Index):
        expr = expr.base
    return isinstance(expr, Deref) and same_object(expr.base, owners)


def same_object(pointer: Expr, owners: frozenset[Expr]) -> bool:
    """True if `pointer` points into (or at the container of) an object that `owners` point at."""
    while True:
        if pointer in owners:
            return True
        if isinstance(pointer, Bin) and pointer.op in "+-":
            pointer = pointer.left
        elif isinstance(pointer, Addr):
            return embedded_in(pointer.base, owners)
        else:
            return False


def handed_on(expr: Expr, given: Mapping[Expr, Expr]) -> Expr | None:
    """What `expr` is called by a function that is `given` some values under names of its own; None if it is none of
    them and cannot be reached from one by members."""
    for value, name in given.items():
        if expr == value:
            return name
    inner = handed_on(expr.base, given) if isinstance(expr, Field | Deref) else None
    if inner is None:
        return None
    return Field(inner, expr.record, expr.member) if isinstance(expr, Field) else deref(inner)


_PRECEDENCE = {"*": 5, "/": 5, "%": 5, "+": 4, "-": 4, "<<": 3, ">>": 3, "&": 2, "^": 2, "|": 2}


def show(expr: Expr) -> str:
    """The expression as a C programmer would write it."""
    return _show(expr)[0]


def _show(expr: Expr) -> tuple[str, int]:
    """The text and its binding strength (9 primary, 7 unary, below: binary)."""
    if isinstance(expr, Const):
        return expr.text or str(expr.value), 9
    if isinstance(expr, Str):
        return '"…"', 9
    if isinstance(expr, Var):
        return expr.name.partition("@")[0], 9
    if isinstance(expr, Temp | Unknown):
        return "(…)", 9
    if isinstance(expr, Field):
        if isinstance(expr.base, Deref):
            return f"{_operand(expr.base.base, 8)}->{expr.member}", 9
        return f"{_operand(expr.base, 8)}.{expr.member}", 9
    if isinstance(expr, Deref):
        return f"*{_operand(expr.base, 7)}", 7
    if isinstance(expr, Addr):
        return f"&{_operand(expr.base, 7)}", 7
    if isinstance(expr, Index):
        return f"{_operand(expr.base, 8)}[{show(expr.index)}]", 9
    if isinstance(expr, Un):
        return f"{expr.op}{_operand(expr.operand, 7)}", 7
    if expr.op == "-" and isinstance(expr.right, Const) and expr.right.text.startswith("offsetof("):
        return f"container_of({show(expr.left)})", 9
    strength = _PRECEDENCE.get(expr.op, 1)
    return f"{_operand(expr.left, strength)} {expr.op.rstrip('u')} {_operand(expr.right, strength + 1)}", strength


def _operand(expr: Expr, strength: int) -> str:
    text, own = _show(expr)
    return text if own >= strength else f"({text})"
