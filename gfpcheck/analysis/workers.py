"""Work that a function has done by somebody else, and waits for: work items, by the functions stored in them."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.paths import canonical, class_of, deref
from gfpcheck.analysis.pointers import function_named
from gfpcheck.analysis.program import callee_name
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.analysis.state import Site
from gfpcheck.analysis.trace import Context
from gfpcheck.ir import Assign, Call, Expr, Field, Func, positions
from gfpcheck.models import Worker

RESTRICTING = frozenset({"nofs", "noio"})
"""Scopes that whoever works for the task would have to open, too."""


class Wait(NamedTuple):
    """A call at `site` waits, in a scope of the kind `scope`, for the function `worker`, which allocates as in
    `context` at its allocation `found`."""

    site: Site
    name: str
    scope: str
    worker: str
    found: AllocationSite
    context: Context


class Workers:
    """Finds waits. One object serves a whole program; it looks at it when it is asked for the first time."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._models = engine.effects.models
        self._functions: dict[str, set[str]] | None = None

    def waits(self, key: str, entry: frozenset[str]) -> tuple[Wait, ...]:
        """The waits of function `key`, which is entered with the scopes `entry`, for somebody who allocates what the
        task itself may not."""
        func = self._engine.program.functions[key]
        known = {
            (block, index): (call, op)
            for block, index, call in self._engine.program.calls(func)
            if (op := self._models.workers.get(callee_name(call))) is not None
        }
        if not any(op.does == "wait" for _, op in known.values()):
            return ()
        held = self._engine.watch(key, known)
        found: list[Wait] = []
        started: set[str] = set()
        places = positions(func)
        for point, (call, op) in sorted(known.items(), key=lambda item: places[item[1][0].loc]):
            kinds = entry.union(*(state.scopes for state in held[point])) & RESTRICTING
            if not kinds:
                continue
            objects = self._works(func, call, op)
            if op.does == "start":
                started |= objects
                continue
            for worker in sorted(objects if op.arg >= 0 else started):
                found += self._wait(func, call, min(kinds), worker)
        return tuple(found)

    def _wait(self, func: Func, call: Call, scope: str, worker: str) -> list[Wait]:
        site = Site(func.file, func.name, *call.loc)
        facts = self._engine.facts.get(worker)
        for found in facts.sites if facts is not None else ():
            for context in found.contexts:
                if self._is_wider(context, scope):
                    return [Wait(site, call.macro or callee_name(call), scope, worker, found, context)]
        return []

    def _is_wider(self, context: Context, scope: str) -> bool:
        """True if the allocation may do what the waiting task's scope forbids."""
        gfp = self._engine.effects.gfp
        forbidden = gfp.parse("__GFP_FS" if scope == "nofs" else "__GFP_IO") | gfp.direct_reclaim
        covered = {"noio", "noreclaim"} | ({"nofs"} if scope == "nofs" else set())
        return context.flags.ones & forbidden == forbidden and covered.isdisjoint(context.scopes)

    def _works(self, func: Func, call: Call, op: Worker) -> set[str]:
        """The functions of the work item that `call` is given."""
        if not 0 <= op.arg < len(call.args):
            return set()
        return self._index().get(self._object(deref(call.args[op.arg]), func.name, func.file), set())

    def _object(self, expr: Expr, function: str, file: str) -> str:
        """The work item at `expr`, by which it is found again."""
        expr = self._engine.effects.without_inner(canonical(expr))
        cls = class_of(expr, function)
        return cls if "." in cls or cls.startswith("<") else f"{file}:{cls}"

    def _index(self) -> dict[str, set[str]]:
        """The functions of each work item."""
        if self._functions is None:
            self._functions = {}
            program = self._engine.program
            places = {place for place, entry in self._models.members.items() if entry.context == "work"}
            for func in program.functions.values():
                for block in func.blocks:
                    for instr in block.instrs:
                        dst = canonical(instr.dst) if isinstance(instr, Assign) else None
                        if isinstance(dst, Field) and f"{dst.record}.{dst.member}" in places:
                            assert isinstance(instr, Assign)
                            where = self._object(dst.base, func.name, func.file)
                            self._store(function_named(instr.src), func.file, where)
            for store in program.stores:
                if f"{store.record}.{store.member}" in places:
                    self._store(store.function, store.file, f"{store.file}:{store.owner}")
        return self._functions

    def _store(self, name: str | None, file: str, where: str) -> None:
        target = self._engine.program.find(name, file) if name is not None else None
        if target is not None:
            assert self._functions is not None
            self._functions.setdefault(where, set()).add(target)
