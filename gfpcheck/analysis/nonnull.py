"""Pointers that cannot be NULL, because something is read through them or lies in what they point at."""

from __future__ import annotations

from collections.abc import Set

from gfpcheck.analysis import values
from gfpcheck.analysis.paths import followed
from gfpcheck.analysis.state import State
from gfpcheck.ir import Addr, Assign, Bin, Call, Const, Deref, Expr, Field, Index


def learn_read(state: State, *read: Expr) -> None:
    """What is followed when `read` is evaluated is no NULL."""
    for expr in read:
        for pointer in followed(expr):
            state.learn(state.resolve(pointer), values.NONZERO)


def learn_locked(state: State, call: Call) -> None:
    """The object that holds the lock which `call` is given is there, whatever path leads to it."""
    for argument in call.args:
        if isinstance(argument, Addr):
            learn_read(state, argument.base)
            holder = argument.base
            while isinstance(holder, Field | Index):
                holder = holder.base
            if isinstance(holder, Deref):
                state.learn(state.resolve(holder.base), values.NONZERO)


def assign(state: State, assign: Assign, pointers: Set[Expr]) -> None:
    """`dst = src`; one of `pointers` stays no NULL when it is counted up or down, and a counter in memory that is
    counted up is not zero then: it counts how often something was done, and does not come around."""
    learn_read(state, assign.src, assign.dst)
    src, dst = assign.src, assign.dst
    counted = isinstance(src, Bin) and dst in pointers and state.eval(src.left).truth is True
    counted = counted or _counts_up(dst, src)
    state.assign(dst, src)
    if counted:
        state.learn(state.resolve(dst), values.NONZERO)


def _counts_up(dst: Expr, src: Expr) -> bool:
    """True for `p->m++` and `p->m += 2`."""
    if not (isinstance(dst, Field) and isinstance(src, Bin) and src.op == "+" and src.left == dst):
        return False
    return isinstance(src.right, Const) and src.right.value > 0
