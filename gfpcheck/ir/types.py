"""The node types of the IR.

Expressions have no side effects: every call, assignment and increment in the C source becomes an
instruction, and its value is then named by a `Temp` or by the variable assigned to. Short circuits
and `?:` become control flow; where their value is used, both arms assign one `Temp`.
Casts are dropped unless they change an integer's value.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec


class Loc(NamedTuple):
    """A place in a function, named by the word that the source has there: `word` is a number made of it, `nth` tells
    places with the same word apart. So whatever refers to a place stays as it is when lines are added, in the function
    or above it. `ir.places` knows the lines. The order of two places means nothing."""

    word: int
    nth: int


OWN = Loc(0, 0)
"""The place of a function's name, and of what is written in another file."""


class Position(NamedTuple):
    """A line, counted from that of the function's name, and the 1-based column in bytes."""

    line: int
    col: int


# --- expressions ---------------------------------------------------------------------------


class Const(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=0, gc=False):
    """An integer constant, folded by the compiler front end.

    `text` says where a size came from (`sizeof(struct xfs_inode)`); empty otherwise.
    Negative values are negative; an unsigned 64-bit value keeps its bits as a Python int >= 0.
    """

    value: int
    text: str = ""


class Str(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=1, gc=False):
    """A string literal (first 64 bytes)."""

    value: str


class Var(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=2, gc=False):
    """A named variable or function.

    `kind`: "l" local, "p" parameter, "g" global or file-static, "f" function.
    A local that shadows another of the same function is spelled `name@2`, `name@3`, ...
    A function-static variable is kind "g" and spelled `function.name`.
    """

    name: str
    kind: str


class Temp(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=3, gc=False):
    """The value of a call, or the merged value of `?:`, `&&`, `||` or a statement expression."""

    id: int


class Field(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=4):
    """`base.member`, where `base` is the object; `p->m` is `Field(Deref(p), record, m)`.

    `record` is the nearest enclosing *named* record, spelled with its keyword ("struct inode");
    steps through anonymous members are left out. A record known only by a typedef has that name.
    """

    base: Expr
    record: str
    member: str


class Deref(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=5):
    base: Expr


class Addr(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=6):
    base: Expr


class Index(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=7):
    base: Expr
    index: Expr


class Bin(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=8):
    """`op` is C's spelling: + - * / % & | ^ << >> == != < <= > >=; ordering comparisons of
    unsigned operands carry a trailing "u": <u <=u >u >=u."""

    op: str
    left: Expr
    right: Expr


class Un(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=9):
    """`op`: - ~ !"""

    op: str
    operand: Expr


class Unknown(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=10, gc=False):
    """A value that the IR does not model (floating point, inline assembly output, ...)."""


Expr = Const | Str | Var | Temp | Field | Deref | Addr | Index | Bin | Un | Unknown


# --- instructions --------------------------------------------------------------------------


class Assign(msgspec.Struct, frozen=True, array_like=True, tag=0):
    """`dst = src`. `dst` is an lvalue (Var, Temp, Field, Deref, Index)."""

    dst: Expr
    src: Expr
    loc: Loc


class Call(msgspec.Struct, frozen=True, cache_hash=True, array_like=True, tag=1):
    """`dst = callee(args)`.

    A direct call has `callee = Var(name, "f")`. `macro` is the word the person typed at `loc`
    when it is not the callee's name (`kmalloc` for `kmalloc_noprof`), else empty.
    `gfp` is the 0-based index of the argument whose parameter type is `gfp_t`, or -1.
    `cleanup` marks a call made by an `__attribute__((cleanup))` variable at scope exit;
    `loc` is then where the scope is left.
    """

    dst: int
    callee: Expr
    args: tuple[Expr, ...]
    loc: Loc
    macro: str = ""
    gfp: int = -1
    cleanup: bool = False


Instr = Assign | Call


# --- terminators ---------------------------------------------------------------------------


class Jump(msgspec.Struct, frozen=True, array_like=True, tag=0, gc=False):
    target: int


class Branch(msgspec.Struct, frozen=True, array_like=True, tag=1):
    """To `then` if `cond` is non-zero, else to `other`."""

    cond: Expr
    then: int
    other: int
    loc: Loc


class Switch(msgspec.Struct, frozen=True, array_like=True, tag=2):
    """`cases`: (low, high, target), inclusive; anything else goes to `default`."""

    value: Expr
    cases: tuple[tuple[int, int, int], ...]
    default: int
    loc: Loc


class Goto(msgspec.Struct, frozen=True, array_like=True, tag=3, gc=False):
    """One of `targets`, nobody knows which: computed goto, `asm goto`."""

    targets: tuple[int, ...]


class Return(msgspec.Struct, frozen=True, array_like=True, tag=4):
    value: Expr | None
    loc: Loc


class Stop(msgspec.Struct, frozen=True, array_like=True, tag=5, gc=False):
    """Control does not go on: after a call that never returns, `__builtin_unreachable()`."""


Term = Jump | Branch | Switch | Goto | Return | Stop


class Block(msgspec.Struct, frozen=True, array_like=True):
    instrs: tuple[Instr, ...]
    term: Term


def successors(term: Term) -> tuple[int, ...]:
    """The blocks that control may go to next, in source order, without repeats."""
    if isinstance(term, Jump):
        return (term.target,)
    if isinstance(term, Branch):
        return (term.then,) if term.then == term.other else (term.then, term.other)
    if isinstance(term, Switch):
        return tuple(dict.fromkeys([target for _, _, target in term.cases] + [term.default]))
    if isinstance(term, Goto):
        return tuple(dict.fromkeys(term.targets))
    return ()


# --- functions and translation units -------------------------------------------------------


class Param(msgspec.Struct, frozen=True, array_like=True, gc=False):
    name: str
    type: str


class Func(msgspec.Struct, frozen=True, array_like=True):
    """A function with a body. Block 0 is the entry; unreachable blocks are left out.

    `file` is relative to the tree's root. `types` gives the spelled type of each parameter and
    local that the body names ("gfp_t", "struct inode *"). `annotations` are the texts of sparse's
    context annotations, as "acquires:x", "releases:x", "must_hold:x", "cond_acquires:x".
    `line` is the 1-based line of the function's name in the file, `end_line` that of its closing brace counted from
    there. `places` are the positions of every `Loc` (`ir.places` reads it).
    """

    name: str
    file: str
    end_line: int
    static: bool
    inline: bool
    params: tuple[Param, ...]
    ret: str
    blocks: tuple[Block, ...]
    types: dict[str, str]
    annotations: tuple[str, ...] = ()
    line: int = 0
    places: bytes = b""


class Proto(msgspec.Struct, frozen=True, array_like=True):
    """What is known of a function that is called or defined here, from its declaration."""

    name: str
    ret: str
    params: tuple[str, ...]
    gfp: int
    variadic: bool
    noreturn: bool
    annotations: tuple[str, ...]
    file: str
    line: int


class FnStore(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A function stored in a member of a statically initialised object (an ops table).

    `owner` is the variable's name; `record`, `member` as in `Field`.
    """

    record: str
    member: str
    function: str
    owner: str
    file: str
    line: int


class GlobalVar(msgspec.Struct, frozen=True, array_like=True, gc=False):
    name: str
    type: str
    file: str
    line: int
    static: bool


class Diagnostic(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An error of the C front end. `file` is relative to the root when it lies below it."""

    file: str
    line: int
    message: str


class Module(msgspec.Struct, array_like=True):
    """One translation unit.

    `functions` are those of the file itself; `headers` those inline functions of headers that
    they call, directly or not. `members` maps "struct inode.i_lock" to the member's spelled type,
    for each member that an expression names. `includes` are the files that the unit read, those
    below the root spelled relative to it. `lost` names functions that could not be lowered.
    """

    file: str
    functions: list[Func]
    headers: list[Func]
    protos: dict[str, Proto]
    members: dict[str, str]
    globals: dict[str, GlobalVar]
    stores: list[FnStore]
    includes: list[str]
    errors: list[Diagnostic]
    lost: list[str]
