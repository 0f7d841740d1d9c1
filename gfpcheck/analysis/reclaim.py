"""Which locks memory reclaim waits for, and the chain of calls that proves it.

Reclaim enters the analysed code through function pointers (models/data/reclaim.toml). Everything
called below such a root is searched for locks that are waited for; a trylock waits for nothing. A
lock inside the very object that a root is given and that nobody else can refer to any more (an inode
being evicted) cannot be held by the task that allocates, so it does not count.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.inline import local_values
from gfpcheck.analysis.paths import embedded_in, has_class, replace, same_object
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.ir import Expr, Func, Var
from gfpcheck.models import ATOMIC_KINDS, Models, ReclaimRoot

MAX_CHAIN = 16
BELIEVED = 8
"""An indirect call with more targets than this is not followed."""


class ReclaimLock(NamedTuple):
    """Reclaim takes this lock. `chain` holds the call sites from the root function down to the
    acquisition, which is the last; `gate` as in `ReclaimRoot`."""

    cls: str
    kind: str
    gate: str
    root: str
    entry: Site
    chain: tuple[Site, ...]
    text: str


class _Visit(NamedTuple):
    key: str
    owned: frozenset[int]
    chain: tuple[Site, ...]


class Reclaim:
    """The locks that reclaim takes, by class: the shortest chain for each."""

    def __init__(self, program: Program, engine: Engine, models: Models) -> None:
        self._program = program
        self._engine = engine
        self._models = models
        self.roots = 0
        self.locks: dict[str, ReclaimLock] = {}
        for root in models.reclaim_roots:
            for key in program.targets(root.record, root.member):
                self.roots += 1
                self._search(root, key)

    def _search(self, root: ReclaimRoot, start: str) -> None:
        func = self._program.functions[start]
        entry = Site(func.file, func.name, func.loc.line, func.loc.col)
        owned = frozenset((root.owns,)) if root.owns >= 0 else frozenset[int]()
        queue = deque([_Visit(start, owned, ())])
        seen = {(start, owned)}
        while queue:
            visit = queue.popleft()
            self._record(root, entry, visit)
            if len(visit.chain) >= MAX_CHAIN:
                continue
            for callee, passed, site in self._calls(visit):
                if (callee, passed) not in seen:
                    seen.add((callee, passed))
                    queue.append(_Visit(callee, passed, (*visit.chain, site)))

    def _owners(self, func: Func, owned: frozenset[int]) -> frozenset[Expr]:
        return frozenset(Var(func.params[n].name, "p") for n in owned if n < len(func.params))

    def _record(self, root: ReclaimRoot, entry: Site, visit: _Visit) -> None:
        func = self._program.functions[visit.key]
        owners = self._owners(func, visit.owned)
        values = local_values(self._program, self._engine.inliner, func)
        for acquisition in self._engine.facts[visit.key].acquisitions:
            lock = acquisition.lock
            if acquisition.blocking and not acquisition.kept and _waits(lock):
                instance = replace(lock.instance, values)
                if embedded_in(instance, owners):
                    continue
                chain = (*visit.chain, lock.site, *lock.via)
                known = self.locks.get(lock.cls)
                if known is None or len(chain) < len(known.chain):
                    name = f"{root.record}.{root.member}".removeprefix("struct ")
                    self.locks[lock.cls] = ReclaimLock(lock.cls, lock.kind, root.gate, name, entry, chain, lock.text)

    def _calls(self, visit: _Visit) -> list[tuple[str, frozenset[int], Site]]:
        func = self._program.functions[visit.key]
        owners = self._owners(func, visit.owned)
        values = local_values(self._program, self._engine.inliner, func)
        found = []
        for _, _, call in self._program.calls(func):
            site = Site(func.file, func.name, call.loc.line, call.loc.col)
            callees = self._program.callees(call, func.file)
            if len(callees) <= BELIEVED:
                passed = frozenset(
                    n
                    for n, argument in enumerate(call.args)
                    if owners and same_object(replace(argument, values), owners)
                )
                found += [(callee, passed, site) for callee in callees]
            if not (isinstance(call.callee, Var) and self._models.defers(call.callee.name)):
                nothing: frozenset[int] = frozenset()
                found += [(callee, nothing, site) for callee in self._program.passed_functions(call, func.file)]
        return found


def _waits(lock: HeldLock) -> bool:
    """True for locks that are slept on and can be told apart by class."""
    return lock.kind not in ATOMIC_KINDS and lock.kind != "srcu" and has_class(lock.cls)
