"""Pointers that cannot be NULL, because something is read through them or lies in what they point at."""

from __future__ import annotations

from collections.abc import Set

from gfpcheck.analysis import values
from gfpcheck.analysis.paths import followed
from gfpcheck.analysis.state import State
from gfpcheck.ir import Addr, Assign, Bin, Call, Expr


def learn_read(state: State, *read: Expr) -> None:
    """What is followed when `read` is evaluated is no NULL."""
    for expr in read:
        for pointer in followed(expr):
            state.learn(state.resolve(pointer), values.NONZERO)


def learn_locked(state: State, call: Call) -> None:
    """The object that holds the lock which `call` is given is there."""
    learn_read(state, *(argument.base for argument in call.args if isinstance(argument, Addr)))


def assign(state: State, assign: Assign, pointers: Set[Expr]) -> None:
    """`dst = src`; one of `pointers` stays no NULL when it is counted up or down."""
    learn_read(state, assign.src, assign.dst)
    src = assign.src
    counted = isinstance(src, Bin) and assign.dst in pointers and state.eval(src.left).truth is True
    state.assign(assign.dst, src)
    if counted:
        state.learn(state.resolve(assign.dst), values.NONZERO)
