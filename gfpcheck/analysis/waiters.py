"""Who waits for the locks of a class, and cannot be killed while it does.

Every place that takes such a lock is found by the lock's class, whoever its object is. A trylock waits for nothing;
killable and interruptible acquisitions come back when the task is killed; both are counted, not shown.
"""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.entry_points import KINDS, Confirmed, Routes
from gfpcheck.analysis.paths import embedded_in
from gfpcheck.analysis.results import Acquisition
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.models import EntryKind, LockOp

Modes = frozenset[tuple[str, str]]
"""Classes of locks, each with a mode."""
SHOWN = 4
"""Waiters that are told by name."""
_FAR = 5
"""Calls on a way beyond which it is shown after those of other kinds."""
_TRIES = 32
"""Places that are looked into for them."""


class Waiter(NamedTuple):
    """A task that comes by `way` waits for `lock`."""

    lock: HeldLock
    way: Confirmed


class Waiters(NamedTuple):
    """Those who may wait for a lock, the best first. `rest` counts the further places that take such a lock, on some
    way from an entry; `mortal` those where the wait ends when the task is killed, or is none."""

    found: tuple[Waiter, ...]
    rest: int
    mortal: int


class _Candidate(NamedTuple):
    kind: EntryKind
    length: int
    key: str
    lock: HeldLock


class LockWaiters:
    """Answers for the locks of a program, which has been run."""

    def __init__(self, engine: Engine, routes: Routes) -> None:
        self._engine = engine
        self._routes = routes
        self._taken: dict[str, list[tuple[str, Acquisition]]] = {}
        for key in sorted(engine.facts):
            for acquisition in engine.facts[key].acquisitions:
                self._taken.setdefault(acquisition.lock.cls, []).append((key, acquisition))
        self._ops: dict[tuple[str, str], dict[Site, LockOp]] = {}
        self._known: dict[tuple[str, str, Modes], Waiters] = {}
        self._before: dict[tuple[str, Site], tuple[HeldLock, ...]] = {}

    def waiting(self, cls: str, mode: str, others: Modes) -> Waiters:
        """Who waits for a lock of class `cls` that a task holds in `mode`. Readers do not wait for a reader. `others`
        are the classes and modes of what the task holds besides: who needs one of these first does not come to wait
        for this one."""
        question = (cls, mode, others)
        known = self._known.get(question)
        if known is None:
            known = self._known[question] = self._find(*question)
        return known

    def is_new(self, key: str, cls: str) -> bool:
        """True if function `key` has a lock of class `cls` only because it has made one that begins as held."""
        ops = [self._op(acquisition.lock) for taker, acquisition in self._taken.get(cls, ()) if taker == key]
        return bool(ops) and all(op is not None and op.try_ and op.when_arg >= 0 for op in ops)

    def _find(self, cls: str, mode: str, others: Modes) -> Waiters:
        mortal: set[Site] = set()
        candidates: list[_Candidate] = []
        # A function that only takes the lock for its callers is not shown: they are.
        inner = {site for _, acquisition in self._taken.get(cls, ()) for site in acquisition.lock.via}
        for key, acquisition in self._taken.get(cls, ()):
            lock = acquisition.lock
            if mode == lock.mode == "shared":
                continue
            if not acquisition.blocking or self.gives_up(lock) is not None:
                mortal.add(_place(lock))
            elif not acquisition.kept and lock.site not in inner:
                candidates += self._ways(key, lock)
        candidates.sort(key=lambda each: (KINDS.index(each.kind), each.length, each.key, each.lock.site))
        found: list[Waiter] = []
        spare: list[Waiter] = []
        functions: set[str] = set()
        tries = 0
        for each in candidates:
            if each.key in functions:
                continue
            if len(found) == SHOWN or tries == _TRIES:
                break
            tries += 1
            waiter = self._confirmed(each, others)
            if waiter is not None:
                (spare if self._is_unlikely(waiter) else found).append(waiter)
                functions.add(each.key)
        found = [*found, *spare][:SHOWN]
        places = {(each.key, each.lock.site) for each in candidates}
        places -= {(waiter.way.route.function, waiter.lock.site) for waiter in found}
        return Waiters(tuple(found), len(places) if found else 0, len(mortal))

    def _ways(self, key: str, lock: HeldLock) -> list[_Candidate]:
        """How a task may come to where the lock is taken: the best kind first, one of kernel threads only if there is
        no other."""
        kinds = [(kind, length) for kind in KINDS if (length := self._routes.length(key, kind)) is not None]
        return [_Candidate(kind, length, key, lock) for kind, length in kinds]

    def _confirmed(self, candidate: _Candidate, others: Modes) -> Waiter | None:
        for way in self._routes.confirmed(candidate.key, candidate.kind):
            if self._stopped(way, candidate, others):
                continue
            for acquisition in way.found.acquisitions:
                lock = acquisition.lock
                same = (
                    lock.cls == candidate.lock.cls
                    and lock.site == candidate.lock.site
                    and lock.via == candidate.lock.via
                )
                if same and acquisition.blocking and not embedded_in(lock.instance, way.owners):
                    return Waiter(lock, way)
        return None

    def _stopped(self, way: Confirmed, candidate: _Candidate, others: Modes) -> bool:
        """True if a task on that way has had to wait before, or has tried in vain: for another lock of the class, or
        for one of the `others`."""
        before = [*self._routes.promised(way.route.entry), *self._held_before(candidate.key, candidate.lock.site)]
        before += [lock for locks in self._routes.held(way.route) for lock in locks]
        return any(
            held.cls == candidate.lock.cls
            or any(held.cls == cls and not held.mode == mode == "shared" for cls, mode in others)
            for held in before
        )

    def _held_before(self, key: str, site: Site) -> tuple[HeldLock, ...]:
        """What function `key` surely holds when it comes to the call at `site`."""
        if (key, site) not in self._before:
            func = self._engine.program.functions[key]
            calls = self._engine.program.calls(func)
            points = [(block, index) for block, index, call in calls if call.loc == site.loc]
            held = [each for found in self._engine.watch(key, points).values() for each in found]
            first = held[0].locks if held else ()
            everywhere = [{lock.cls for lock in each.locks if not lock.may} for each in held]
            self._before[key, site] = tuple(lock for lock in first if all(lock.cls in each for each in everywhere))
        return self._before[key, site]

    def _is_unlikely(self, waiter: Waiter) -> bool:
        """True for a long way, and for one from an object that nobody else has any more to another one of its type."""
        entry, calls = waiter.way.route.entry, waiter.way.route.calls
        if len(calls) > _FAR:
            return True
        params = self._engine.program.functions[entry.key].params
        owned = params[entry.owns].type if 0 <= entry.owns < len(params) else ""
        return bool(owned) and waiter.lock.cls.rpartition(".")[0] == owned.removesuffix("*").strip()

    def gives_up(self, lock: HeldLock) -> str | None:
        """What ends the wait before the lock is there, if anything does."""
        op = self._op(lock)
        return None if op is None else op.gives_up

    def _op(self, lock: HeldLock) -> LockOp | None:
        """What the models say of the call that takes the lock; None for one that none of them names."""
        place = _place(lock)
        where = (place.file, place.function)
        known = self._ops.get(where)
        if known is None:
            known = self._ops[where] = {}
            program = self._engine.program
            func = program.functions.get(f"{place.file}:{place.function}")
            for _, _, call in program.calls(func) if func is not None else ():
                assert func is not None
                for op in self._engine.effects.lock_ops(func, call):
                    if op.does == "acquire":
                        known[Site(func.file, func.name, *call.loc)] = op
        return known.get(place)


def _place(lock: HeldLock) -> Site:
    """Where it is waited for."""
    return lock.via[-1] if lock.via else lock.site
