"""Caches of objects: their names and what an object of each takes, as far as the code that makes them is analysed."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.paths import show
from gfpcheck.analysis.program import Program
from gfpcheck.ir import Call, Const, Expr, Field, Func, Str, Temp, Var
from gfpcheck.overview.bounds import Bounds


class Cache(NamedTuple):
    """`name` is that given when it is made. `size`: the bytes of an object, or None with the reason `why` not; `text`
    is what the source says ("sizeof(struct x)")."""

    name: str
    size: int | None = None
    text: str = ""
    why: tuple[str, ...] = ("a cache that is made elsewhere",)


class Caches:
    """The caches of one program, by the variable or member that they are kept in."""

    def __init__(self, program: Program, effects: Effects, bounds: Bounds) -> None:
        self._program = program
        self._effects = effects
        self._bounds = bounds
        self._made: dict[str, Cache] = {}
        self._types: set[str] = set()
        for func in program.functions.values():
            for number, block in enumerate(func.blocks):
                made: dict[Expr, Cache] = {}
                for index, instr in enumerate(block.instrs):
                    if isinstance(instr, Call):
                        cache = self._call(func, number, index, instr)
                        if cache is not None:
                            made[Temp(instr.dst)] = cache
                    elif instr.src in made:
                        made[instr.dst] = made[instr.src]
                        self._made.setdefault(_place(func, instr.dst), made[instr.src])

    def of(self, func: Func, call: Call) -> Cache | None:
        """The cache that `call` takes an object from; None if it takes none that is a cache."""
        proto = self._program.protos.get(call.callee.name) if isinstance(call.callee, Var) else None
        for number, type_ in enumerate(proto.params if proto is not None else ()):
            if type_ in self._types and number < len(call.args):
                argument = call.args[number]
                return self._made.get(_place(func, argument)) or Cache(show(argument))
        return None

    def _call(self, func: Func, block: int, index: int, call: Call) -> Cache | None:
        """The cache that `call` makes, if it makes one."""
        entry = self._effects.allocator(call)
        if entry is None or entry.object_arg < 0 or entry.object_arg >= len(call.args):
            return None
        proto = self._program.protos.get(call.callee.name) if isinstance(call.callee, Var) else None
        if proto is not None:
            self._types.add(proto.ret)
        name, size = call.args[entry.name_arg], call.args[entry.object_arg]
        bound = self._bounds.at(func, block, index, size)
        text = size.text if isinstance(size, Const) else ""
        return Cache(name.value if isinstance(name, Str) else show(name), bound.most, text, bound.why)


def _place(func: Func, expr: Expr) -> str:
    """What a cache is kept in, by a name that all functions share; locals have their function's."""
    if isinstance(expr, Field):
        return f"{expr.record}.{expr.member}"
    if isinstance(expr, Var) and expr.kind == "g":
        return expr.name
    return f"{func.file}:{func.name}:{show(expr)}"
