"""Which locks memory reclaim waits for, and the chain of calls that proves it.

Reclaim enters the analysed code through function pointers (models/data/reclaim.toml). Everything
called below such a root is searched for locks that are waited for; a trylock waits for nothing. A
lock inside the very object that a root is given and that nobody else can refer to any more (an inode
being evicted) cannot be held by the task that allocates, so it does not count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Set
from typing import NamedTuple

from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.engine import Acquisition, Engine
from gfpcheck.analysis.paths import embedded_in, has_class, same_object
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.analysis.trace import Consts
from gfpcheck.ir import Expr, Var
from gfpcheck.models import ATOMIC_KINDS, Models, ReclaimRoot

MAX_CHAIN = 16
MAX_VISITS = 3000
"""Functions looked at below one root."""


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
    consts: Consts
    owned: frozenset[int]
    chain: tuple[Site, ...]


class Reclaim:
    """The locks that reclaim takes, by class: the shortest chain for each. Functions `beyond` the paths asked for are
    not searched: what is asked about are the locks of these."""

    def __init__(
        self, program: Program, engine: Engine, models: Models, graph: CallGraph, beyond: Set[str] = frozenset()
    ) -> None:
        self._program = program
        self._engine = engine
        # Below all others there is nothing to be found.
        self._leading = graph.leading_to(
            key
            for key, facts in engine.facts.items()
            if facts.given_up
            or key in graph.vague
            or any(a.blocking and _is_slept_on(a.lock) for a in facts.acquisitions)
        )
        self._leading -= beyond
        self.roots = 0
        self.locks: dict[str, ReclaimLock] = {}
        for root in models.reclaim_roots:
            for key in program.pointers.held((root.record, root.member)):
                self.roots += 1
                self._search(root, key)

    def _search(self, root: ReclaimRoot, start: str) -> None:
        func = self._program.functions[start]
        entry = Site(func.file, func.name, func.loc.line, func.loc.col)
        owned = frozenset((root.owns,)) if root.owns >= 0 else frozenset[int]()
        queue = deque([_Visit(start, (), owned, ())])
        seen: set[tuple[str, Consts, frozenset[int]]] = {(start, (), owned)}
        while queue:
            visit = queue.popleft()
            found = self._engine.explore(visit.key, visit.consts)
            owners = self._owners(visit)
            for acquisition in found.acquisitions:
                self._record(root, entry, visit, acquisition, owners)
            if len(visit.chain) >= MAX_CHAIN:
                continue
            for callee, consts, site, arguments in found.calls:
                fixed = consts if any(number is not None for number in consts) else ()
                passed = frozenset(n for n, argument in enumerate(arguments) if same_object(argument, owners))
                if callee not in self._leading:
                    continue
                if (callee, fixed, passed) not in seen and len(seen) < MAX_VISITS:
                    seen.add((callee, fixed, passed))
                    queue.append(_Visit(callee, fixed, passed, (*visit.chain, site)))

    def _owners(self, visit: _Visit) -> frozenset[Expr]:
        params = self._program.functions[visit.key].params
        return frozenset(Var(params[n].name, "p") for n in visit.owned if n < len(params))

    def _record(
        self, root: ReclaimRoot, entry: Site, visit: _Visit, acquisition: Acquisition, owners: frozenset[Expr]
    ) -> None:
        lock = acquisition.lock
        if not acquisition.blocking or acquisition.kept or not _waits(lock) or embedded_in(lock.instance, owners):
            return
        chain = (*visit.chain, lock.site, *lock.via)
        known = self.locks.get(lock.cls)
        if known is None or len(chain) < len(known.chain):
            name = f"{root.record}.{root.member}".removeprefix("struct ")
            self.locks[lock.cls] = ReclaimLock(lock.cls, lock.kind, root.gate, name, entry, chain, lock.text)


def _waits(lock: HeldLock) -> bool:
    """True for locks that are slept on and can be told apart by class."""
    return _is_slept_on(lock) and has_class(lock.cls)


def _is_slept_on(lock: HeldLock) -> bool:
    return lock.kind not in ATOMIC_KINDS and lock.kind != "srcu"
