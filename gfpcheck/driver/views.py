"""Analysis facts as the rule API shows them."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from gfpcheck.analysis import sleeping as analysis
from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.contexts import Contexts
from gfpcheck.analysis.engine import Engine, Held
from gfpcheck.analysis.entry import EntryScopes
from gfpcheck.analysis.heeded import Heeded, heeded
from gfpcheck.analysis.loops import LoopFinder, cycles
from gfpcheck.analysis.needless import needless_tests
from gfpcheck.analysis.neighbours import folder
from gfpcheck.analysis.pools import Pools
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.reclaim import Reclaim, ReclaimLock
from gfpcheck.analysis.results import AllocationSite, FunctionFacts
from gfpcheck.analysis.state import HeldLock
from gfpcheck.analysis.trace import Context
from gfpcheck.analysis.values import Value
from gfpcheck.analysis.workers import Workers
from gfpcheck.driver.call_views import CallViews, with_entry
from gfpcheck.driver.comments import Comments
from gfpcheck.driver.origins import Origins
from gfpcheck.driver.places import Places
from gfpcheck.driver.scope_views import ScopeViews
from gfpcheck.findings import Place, Step
from gfpcheck.ir import OWN, Func, Loc
from gfpcheck.models import GfpFlags
from gfpcheck.report.facts import Held as HeldLine
from gfpcheck.rule_api import (
    Allocation,
    Flags,
    Function,
    IoPath,
    Lock,
    Nested,
    ReclaimPath,
    RetryLoop,
    Scope,
    Situation,
    Sleep,
    Way,
    WorkerWait,
)

_NONE: frozenset[str] = frozenset()


class Views:
    """Builds `Function` objects for rules. One object serves a whole program."""

    def __init__(
        self,
        program: Program,
        engine: Engine,
        gfp: GfpFlags,
        loops: LoopFinder,
        reclaim: Reclaim,
        entry: EntryScopes,
        contexts: Contexts,
        graph: CallGraph,
        kernel: tuple[int, ...],
        root: str,
    ) -> None:
        self._program = program
        self._gfp = gfp
        self._loops = loops
        self._places = Places(program)
        self._reclaim = reclaim
        self._ways: dict[str, dict[str, tuple[ReclaimPath, ...]]] = {}
        self._entry = entry.scopes
        self._sure = entry.sure
        self._kernel = kernel
        self._origins = Origins(engine, gfp)
        self._calls = CallViews(engine, self._places, self.lock)
        self._scopes = ScopeViews(program, self._places)
        self._engine = engine
        self._pools = Pools(engine, graph)
        self._contexts = contexts
        self._workers = Workers(engine)
        self._sleeping = analysis.Sleeping(engine)
        self._read = Comments(root)

    def function(self, key: str, facts: FunctionFacts) -> Function:
        func = self._program.functions[key]
        entry = self._entry.get(key, _NONE)
        repeated = frozenset().union(*cycles(func))
        given = heeded(func, self._program)
        tests = needless_tests(func, facts.sites, self._engine.effects)
        nestings: dict[AllocationSite, Nested] = {}
        for site, first, pool, exchanged, unseen in self._pools.nestings(func, facts.sites):
            new = Nested(pool, self._places.at(func, first), exchanged, unseen)
            if site not in nestings or (nestings[site].doubtful and not new.doubtful):
                nestings[site] = new
        allocations = {}
        for site in facts.sites:
            tested = () if site.via else tests.get((site.block, site.position), ())
            allocations[site] = self._allocation(key, site, site.block in repeated, tested, nestings.get(site), given)
        loops = [
            RetryLoop(
                tuple(allocations[site] for site in loop.sites),
                self._places.at(func, loop.head),
                loop.unless,
                loop.waits,
                self._flags(loop.waits_with) if loop.waits_with is not None else None,
            )
            for loop in self._loops.retry_loops(func, facts.sites)
        ]
        return Function(
            func.name,
            func.file,
            self._places.at(func, OWN),
            tuple(sorted(allocations.values(), key=lambda a: a.place)),
            tuple(loops),
            self._reclaim_ways(func.file),
            self._kernel,
            self._program.included_by.get(func.file, 0) if func.file not in self._program.own_files else 0,
            facts.blurred,
            self._io(key),
            self._gfp.constants,
            self._scopes.leaks(func, facts.scopes) if facts.scopes is not None else (),
            self._scopes.ends(func, facts.scopes) if facts.scopes is not None else (),
            "thread" in self._engine.contexts(key),
            functools.partial(self._calls.of, key, entry),
            functools.partial(self._comments, func),
            functools.partial(self._waits, key, entry),
            functools.partial(self._entered, key),
            functools.partial(self._sleep, key),
            functools.partial(self._sleep_under, key),
            given.tested,
        )

    def _sleep(self, key: str) -> Sleep | None:
        return self._told(self._sleeping.of(key))

    def _sleep_under(self, key: str, lock: Lock) -> Sleep | None:
        return self._told(self._sleeping.under(key, lambda held: self.lock(held) == lock))

    def _told(self, sleep: analysis.Sleep | None) -> Sleep | None:
        return None if sleep is None else Sleep(sleep.always, sleep.what, self._places.sites(sleep.chain))

    def _waits(self, key: str, entry: frozenset[str]) -> tuple[WorkerWait, ...]:
        program, places = self._program, self._places
        found = []
        for wait in self._workers.waits(key, entry):
            worker = program.functions[wait.worker]
            way = (places.at(worker, wait.found.call.loc), *places.sites(wait.found.via))
            found.append(
                WorkerWait(
                    wait.name,
                    places.site(wait.site),
                    Scope(wait.scope),
                    worker.name,
                    places.at(worker, OWN),
                    wait.found.name,
                    self._flags(wait.context.flags),
                    way,
                )
            )
        return tuple(found)

    def _comments(self, func: Func, place: Place) -> str:
        return self._read.before(func.file, self._places.at(func, OWN).line, place.line)

    def held(self, key: str, states: Iterable[Held]) -> tuple[HeldLine, ...]:
        """What is held in these states of the function, with the scopes that its callers have open."""
        entry = self._entry.get(key, _NONE)
        return tuple(
            HeldLine(tuple(map(self.lock, locks)), scopes)
            for locks, scopes in dict.fromkeys((each.locks, with_entry(entry, each.scopes)) for each in states)
        )

    def _allocation(
        self,
        key: str,
        site: AllocationSite,
        in_loop: bool,
        tested: tuple[Loc, ...],
        nested: Nested | None,
        given: Heeded,
    ) -> Allocation:
        func = self._program.functions[key]
        place = self._places.at(func, site.call.loc)
        situations = tuple(self._situation(key, context) for context in site.contexts)
        return Allocation(
            site.name,
            place,
            situations,
            self._places.sites(site.via),
            self._caller_name(site),
            site.width,
            self._origins.allocator(site),
            *self._origins.below(site),
            in_loop,
            tuple(self._places.at(func, loc) for loc in tested),
            nested,
            given.handed(site.call),
        )

    def _caller_name(self, site: AllocationSite) -> str:
        """The function that the source calls at the site."""
        return site.name if not site.via else callee_name(site.call) or site.via[0].function

    def _entered(self, key: str) -> tuple[Way, ...]:
        return tuple(
            Way(
                way.start,
                way.context,
                self._places.sites(way.chain),
                tuple(map(self.lock, way.locks)),
                tuple(map(Scope, way.scopes)),
                way.places,
                way.width,
                way.joined,
            )
            for way in self._contexts.ways(key)
        )

    def _situation(self, key: str, context: Context) -> Situation:
        flags = self._flags(context.flags)
        scopes = with_entry(self._entry.get(key, _NONE), context.scopes)
        return Situation(
            tuple(self.lock(lock) for lock in context.locks),
            tuple(self._scope(key, context, kind) for kind in scopes),
            flags,
            flags.within(scopes),
            context.amount.size.constant,
            context.amount.order.constant,
            self._given(key, context),
        )

    def _given(self, key: str, context: Context) -> Flags | None:
        if all(param.type != "gfp_t" for param in self._program.functions[key].params):
            return None
        return self._flags(context.given)

    def _flags(self, value: Value) -> Flags:
        return Flags(value.ones, value.zeros, self._gfp)

    def _scope(self, key: str, context: Context, kind: str) -> Scope:
        opened = dict(context.opened)
        site = opened.get(kind)
        if site is not None:
            return Scope(kind, self._places.site(site))
        below = kind not in opened and kind not in self._entry.get(key, _NONE)
        return Scope(kind, None, below, below or kind in self._sure.get(key, _NONE))

    def lock(self, lock: HeldLock) -> Lock:
        """A lock as rules see it."""
        place, via = self._places.site(lock.site), self._places.sites(lock.via)
        return Lock(lock.cls, lock.kind, lock.mode, lock.text, place, via, lock.may, lock.origin, lock.because)

    def _io(self, key: str) -> IoPath | None:
        """The way on which a function is run to bring data to a device."""
        way = self._reclaim.io.get(key)
        if way is None:
            return None
        steps = [Step(self._places.site(way.entry), f"I/O enters here through {way.root}", "reclaim", 0, True)]
        for depth, site in enumerate(way.chain):
            steps.append(Step(self._places.site(site), f"goes on from {site.function}()", "call", depth))
        return IoPath(way.root, tuple(steps), way.sure)

    def _reclaim_ways(self, file: str) -> dict[str, tuple[ReclaimPath, ...]]:
        """How reclaim comes to wait for locks that functions in `file` hold, by class."""
        where = folder(file)
        if where not in self._ways:
            self._ways[where] = {
                cls: tuple(map(self.reclaim_path, locks)) for cls, locks in self._reclaim.ways(file).items()
            }
        return self._ways[where]

    def reclaim_path(self, lock: ReclaimLock) -> ReclaimPath:
        """How reclaim comes to wait for a lock, step by step."""
        places = self._places
        steps = [Step(places.site(lock.entry), f"reclaim enters here through {lock.root}", "reclaim", 0, True)]
        for depth, site in enumerate(lock.chain[:-1]):
            steps.append(Step(places.site(site), f"called from {site.function}()", "call", depth))
        waited = f"{lock.text} ({lock.cls}) is waited for"
        steps.append(Step(places.site(lock.chain[-1]), waited, "acquire", len(lock.chain), True))
        return ReclaimPath(lock.root, lock.gate, tuple(steps), lock.sure, lock.io)
