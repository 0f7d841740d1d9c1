"""What functions put off: work items, and the functions that they run."""

from __future__ import annotations

from collections.abc import Iterator

from gfpcheck.analysis.paths import canonical
from gfpcheck.analysis.pointers import Place, function_named, place_of
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import Site
from gfpcheck.ir import Addr, Assign, Call, Expr, Field, Func, Loc
from gfpcheck.models import Models


class Works:
    """Answers for one program. A work item is known by the member of the structure that it lies in."""

    def __init__(self, program: Program, models: Models) -> None:
        self._program = program
        self._members = {(m.record, m.member) for m in models.members.values() if m.context == "work"}
        self._made: dict[str, list[tuple[str, Loc]]] = {}
        self._run: dict[Place, dict[str, None]] = {}
        for key, func in program.functions.items():
            for block in func.blocks:
                for instr in block.instrs:
                    if isinstance(instr, Assign):
                        self._note(key, func, instr)

    def _note(self, key: str, func: Func, assign: Assign) -> None:
        dst = canonical(assign.dst)
        if not isinstance(dst, Field) or (dst.record, dst.member) not in self._members:
            return
        name = function_named(assign.src)
        target = None if name is None else self._program.find(name, func.file)
        if target is None:
            return
        self._made.setdefault(key, []).append((target, assign.loc))
        item = _item(dst.base)
        if item is not None:
            self._run.setdefault(item, {})[target] = None

    def put_off(self, key: str) -> Iterator[tuple[str, Site, bool]]:
        """The functions that function `key` leaves to a worker, where, and whether it makes the work item itself."""
        func = self._program.functions[key]
        made = {target for target, _ in self._made.get(key, ())}
        for target, loc in self._made.get(key, ()):
            yield target, Site(func.file, func.name, *loc), True
        for _, _, call in self._program.calls(func):
            for target in self._queued(call):
                if target not in made:
                    yield target, Site(func.file, func.name, *call.loc), False

    def _queued(self, call: Call) -> Iterator[str]:
        for argument in call.args:
            pointed = canonical(argument)
            item = _item(pointed.base) if isinstance(pointed, Addr) else None
            if item is not None:
                yield from self._run.get(item, ())


def _item(expr: Expr) -> Place | None:
    """The member of an object that a work item is, or lies in: a delayed one is a structure in that."""
    while isinstance(expr, Field) and isinstance(expr.base, Field):
        expr = expr.base
    return place_of(expr) if isinstance(expr, Field) else None
