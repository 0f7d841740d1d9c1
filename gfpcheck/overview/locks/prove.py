"""Findings of cycles: what each task does, step by step, and what is doubtful about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from gfpcheck.analysis.lock_order import Order, Ordered
from gfpcheck.analysis.neighbours import folder
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.analysis.waiters import LockWaiters
from gfpcheck.driver.analyse import Knowledge
from gfpcheck.driver.arrivals import Arrivals, may_be_killed
from gfpcheck.driver.places import Places
from gfpcheck.findings import Step
from gfpcheck.models import ATOMIC_KINDS, BIT_KIND
from gfpcheck.overview.locks.cycles import Cycle, Cycles, comes_through
from gfpcheck.overview.locks.types import Confidence, Finding, Half
from gfpcheck.overview.locks.under import Under
from gfpcheck.overview.locks.ways import Ways
from gfpcheck.overview.writing import some

FAR = 3
"""Calls between a lock and what is done under it, beyond which that is doubtful: each is one more condition."""
_NAMED = 3


class Prover:
    """Makes findings of the cycles of one program, over `orders`."""

    def __init__(
        self,
        known: Knowledge,
        arrivals: Arrivals,
        waiters: LockWaiters,
        ways: Ways,
        orders: Iterable[Ordered],
    ) -> None:
        self._program = known.program
        self._views = known.views
        self._places = Places(known.program)
        self._arrivals = arrivals
        self._waiters = waiters
        self._ways = ways
        self._cycles = Cycles(orders)
        self._hooks = _hooks(known)
        self._silenced: set[Site] = set()
        self._unwaited: Counter[str] = Counter()
        self._atomic: set[Site] = set()

    def left_out(self) -> dict[str, int]:
        """What was seen and is no finding."""
        return {
            "cycles in which all only read": self._cycles.readers,
            "cycles with one more lock around one that is told": self._cycles.longer,
            "allocations under a lock that are marked __GFP_NOLOCKDEP": len(self._silenced),
            "allocations that may sleep under a spinning lock (GFP101, if it is one)": len(self._atomic),
            "no-fail allocations under locks that nobody was found to wait for": sum(self._unwaited.values()),
        }

    # --- through reclaim ---------------------------------------------------------------------

    def through_reclaim(self, allocated: Mapping[Site, Sequence[Under]]) -> Iterator[Finding]:
        """The cycles of which the first lock is held in `allocated`, one for each set of locks."""
        places: dict[str, list[Under]] = {}
        for place, found in allocated.items():
            for under in found:
                if under.hazard in ("none", "unknown"):
                    continue
                if under.lock.kind in ATOMIC_KINDS:
                    self._atomic.add(place)
                elif under.silenced:
                    self._silenced.add(place)
                else:
                    places.setdefault(folder(self._file(under.holder)), []).append(under)
        best: dict[tuple[str, ...], Finding] = {}
        for where in sorted(places):
            unders = sorted(places[where], key=lambda under: under.rank)
            for cycle in self._cycles.of(unders, self._ways.seen_from(self._file(unders[0].holder))):
                would = {under.place for under in unders if comes_through(under, cycle.way)}
                finding = self._finding(cycle, len(would))
                known = best.get(cycle.locks)
                if known is None or len(finding.doubts) < len(known.doubts):
                    best[cycle.locks] = finding
        yield from best.values()

    def _finding(self, cycle: Cycle, allocations: int) -> Finding:
        under, way = cycle.under, cycle.way
        path = self._views.reclaim_path(way)
        halves = [Half(f"task 1 holds {under.lock.cls} and allocates", self._holding(under))]
        halves.append(Half(f"in it, reclaim waits for {way.cls}", path.steps))
        for number, each in enumerate(cycle.orders, 2):
            title = f"task {number} holds {each.order.first.cls} and waits for {each.order.second.cls}"
            halves.append(Half(title, self.steps(each.order)))
        doubts = [*self._doubts(under), *self._reclaim_doubts(cycle)]
        place = self._places.site(under.place)
        gate = "" if way.gate == "__GFP_FS" else "; GFP_NOFS does not keep it from that"
        if cycle.orders:
            back = ", whose holder waits for ".join((way.cls, *(each.order.second.cls for each in cycle.orders)))
            does = f"reclaim waits for {back}"
        else:
            does = f"reclaim waits for that lock through {way.root}"
        message = f"{under.site.name}() with {under.flags} under {under.lock.cls}: {does}{gate}"
        key = f"reclaim {' -> '.join(cycle.locks)}"
        confidence: Confidence = "low" if doubts else "medium"
        return Finding(
            key, "reclaim", confidence, cycle.locks, place, message, tuple(halves), allocations, tuple(doubts)
        )

    def _reclaim_doubts(self, cycle: Cycle) -> Iterator[str]:
        way, holder = cycle.way, self._program.functions[cycle.under.holder].name
        if cycle.under.holder in self._hooks:
            yield f"{holder}() is a hook: in which allocation scope it is called is not known"
        if not way.sure:
            yield "reclaim's way to the lock is long, or through a pointer that may mean many functions"
        if cycle.readers:
            yield "both only read: they wait only when a writer comes in between"
        for each in cycle.orders:
            if not self.is_certain(each.order):
                yield f"the way from {each.order.first.cls} to {each.order.second.cls} is not certain"
        if cycle.guards:
            yield f"these tasks hold {some(cycle.guards, _NAMED)}, too: they meet only if these are two objects"
        if BIT_KIND in (way.kind, *(each.order.first.kind for each in cycle.orders)):
            yield "each page and each buffer has such a lock"

    # --- without end -------------------------------------------------------------------------

    def without_end(self, cls: str, allocated: Mapping[Site, Sequence[Under]]) -> Iterator[Finding]:
        """The finding about what may not fail under locks of class `cls`, if somebody waits for these."""
        unders = sorted(
            (under for found in allocated.values() for under in found if under.no_fail), key=lambda under: under.rank
        )
        if not unders:
            return
        number = len({under.place for under in unders})
        for mode in ("exclusive", "shared"):
            under = next((under for under in unders if under.lock.mode == mode), None)
            if under is None:
                continue
            waiters = self._waiters.waiting(cls, mode, under.others)
            if waiters.found:
                break
        else:
            self._unwaited[cls] = number
            return
        assert under is not None
        first = waiters.found[0]
        steps, _ = self._arrivals.waiting(first, "task 1 holds it")
        halves = [Half(f"task 1 holds {cls} and does not stop allocating", self._holding(under))]
        halves.append(Half("task 2 cannot be killed while it waits for that", tuple(steps)))
        ways = self._ways.seen_from(self._file(under.holder)).get(cls, ())
        if ways:
            halves.append(Half("kswapd may wait for it, too", self._views.reclaim_path(ways[0]).steps))
        doubts = list(self._doubts(under))
        if not may_be_killed(first):
            doubts.append("only workers and kernel threads wait: they hold no memory of their own")
        killer = "" if under.hazard == "fs" else "; the OOM killer is not invoked"
        message = f"{under.site.name}() with {under.flags} under {cls} is repeated until there is memory{killer}"
        confidence: Confidence = "low" if doubts else "medium" if under.calls else "high"
        place = self._places.site(under.place)
        yield Finding(
            f"no-fail {cls}", "no-fail", confidence, (cls,), place, message, tuple(halves), number, tuple(doubts)
        )

    # --- what they have in common ------------------------------------------------------------

    def is_certain(self, order: Order) -> bool:
        """True if the first lock is surely held where the second one is waited for, and that is not far away."""
        return not (order.doubtful or len(order.chain) > FAR or order.width > 1)

    def steps(self, order: Order) -> tuple[Step, ...]:
        """How the first lock of an order is taken, and then waited for the second one."""
        steps = [*self._taking(order.first), *self._calls((*order.chain, order.second.site))]
        second = order.second
        place = self._places.site(second.site)
        steps.append(Step(place, f"waits for {second.named}", "wait", len(order.chain), True))
        return tuple(steps)

    def _holding(self, under: Under) -> tuple[Step, ...]:
        sites = (*under.chain, under.here, *under.site.via)
        steps = [*self._taking(under.lock), *self._calls(sites)]
        text = f"{under.site.name}() allocates with {under.flags}"
        steps.append(Step(self._places.site(sites[-1]), text, "allocation", len(sites) - 1, True))
        return tuple(steps)

    def _taking(self, lock: HeldLock) -> Iterator[Step]:
        does = "is known to hold" if lock.asserted else "takes"
        yield Step(self._places.site(lock.site), f"{does} {lock.named}", "acquire", 0, True)
        yield from (Step(self._places.site(site), f"in {site.function}()", "acquire", 1) for site in lock.via)

    def _calls(self, sites: Sequence[Site]) -> Iterator[Step]:
        for depth, (site, below) in enumerate(pairwise(sites)):
            yield Step(self._places.site(site), f"calls {below.function}()", "call", depth)

    def _doubts(self, under: Under) -> Iterator[str]:
        if under.lock.may:
            yield "the lock is held on some paths only"
        if under.lock.asserted:
            yield "who takes the lock was not seen"
        if under.calls > FAR:
            yield f"{under.calls} calls lie between the lock and the allocation"
        if under.width > 1:
            yield "a function pointer lies between"
        if under.lock.kind == BIT_KIND:
            yield "each page and each buffer has such a lock"

    def _file(self, key: str) -> str:
        return self._program.functions[key].file


def _hooks(known: Knowledge) -> frozenset[str]:
    """The functions that are called later, by whoever works off a list of them: not work items, which begin with
    nothing."""
    places = (tuple(member.rsplit(".", 1)) for member in known.engine.effects.models.queued)
    found = {key for record, member in places for key in known.program.pointers.held((record, member))}
    return frozenset(key for key in found if known.engine.contexts(key).isdisjoint(("work", "thread")))
