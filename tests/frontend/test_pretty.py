"""The printed IR: every node type has a form of its own."""

from __future__ import annotations

import pytest

from gfpcheck.ir import pretty
from gfpcheck.ir.types import (
    Addr,
    Assign,
    Bin,
    Block,
    Branch,
    Call,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    Goto,
    Index,
    Jump,
    Loc,
    Param,
    Return,
    Stop,
    Str,
    Switch,
    Temp,
    Term,
    Un,
    Unknown,
    Var,
)

P = Var("p", "p")
X = Var("x", "l")
AT = Loc(3, 5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (X, "x"),
        (Const(-3), "-3"),
        (Const(8, "sizeof(long)"), "sizeof(long)"),
        (Str("a b"), '"a b"'),
        (Temp(4), "%4"),
        (Unknown(), "?"),
        (Field(X, "struct s", "m"), "x.m"),
        (Field(Deref(P), "struct s", "m"), "p->m"),
        (Field(Deref(Bin("+", P, Const(1))), "struct s", "m"), "(p + 1)->m"),
        (Field(Index(P, X), "struct s", "m"), "p[x].m"),
        (Deref(P), "*p"),
        (Deref(Deref(P)), "*(*p)"),
        (Addr(Field(Deref(P), "struct s", "m")), "&p->m"),
        (Field(Addr(X), "struct s", "m"), "(&x).m"),
        (Index(P, Bin("+", X, Const(1))), "p[x + 1]"),
        (Bin("<u", X, Bin("*", X, Const(2))), "x <u (x * 2)"),
        (Un("!", Un("~", X)), "!(~x)"),
    ],
)
def test_expressions(value: Expr, text: str) -> None:
    assert pretty.expr(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Jump(2), "goto 2"),
        (Branch(X, 1, 2, AT), "if x goto 1 else 2"),
        (Switch(X, ((1, 1, 2), (4, 6, 3)), 5, AT), "switch x { 1: 2, 4..6: 3, default: 5 }"),
        (Goto((1, 2)), "goto any of 1, 2"),
        (Return(X, AT), "return x"),
        (Return(None, AT), "return"),
        (Stop(), "stop"),
    ],
)
def test_terminators(value: Term, text: str) -> None:
    assert pretty.term(value) == text


def test_function() -> None:
    call = Call(0, Var("kmalloc_noprof", "f"), (X, Const(3)), AT, "kmalloc", 1)
    done = Call(-1, Var("put", "f"), (Addr(X),), AT, cleanup=True)
    block = Block((call, Assign(P, Temp(0), AT), done), Return(P, AT))
    params = (Param("x", "int"), Param("", "gfp_t"))
    func = Func("f", "a.c", 6, True, True, params, "void *", (block,), {}, ("acquires:x",))
    assert pretty.func(func).splitlines() == [
        "static inline void * f(int x, gfp_t)  # acquires:x",
        "0:",
        "  %0 = kmalloc_noprof(x, 3)  [kmalloc, gfp 1]",
        "  p = %0",
        "  put(&x)  [cleanup]",
        "  return p",
    ]
