"""The deadlock that a finding may end in, task by task.

taskA holds the lock and allocates; taskB, the victim of the OOM killer, waits for such a lock and cannot be killed
there; taskC asks for memory and invokes the OOM killer. Each comes from where the kernel calls into the code.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from gfpcheck.analysis.contexts import Contexts
from gfpcheck.analysis.edges import Edges
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.entry import EntryScopes
from gfpcheck.analysis.entry_points import KINDS, Route, Routes
from gfpcheck.analysis.oom import Killer, find_killer
from gfpcheck.analysis.state import HeldLock
from gfpcheck.analysis.waiters import LockWaiters, Waiter, Waiters
from gfpcheck.driver.arrivals import ROLES, Arrivals, may_be_killed
from gfpcheck.driver.definitions import Definitions
from gfpcheck.driver.places import Places
from gfpcheck.driver.source import Source
from gfpcheck.findings import Confidence, Finding, Place, Scenario, Step, Task
from gfpcheck.models import BIT_KIND, CONTEXT_KINDS, EntryKind

_HOLDERS: tuple[EntryKind, ...] = ("syscall", "fault", "exit", "work", "thread")
"""Where a task that holds a lock comes from, the likeliest first."""
_LOWER = {Confidence.HIGH: Confidence.MEDIUM, Confidence.MEDIUM: Confidence.LOW, Confidence.LOW: Confidence.LOW}


class _Held(NamedTuple):
    """A lock that the holder has: `steps` say where, if the finding does not."""

    cls: str
    mode: str
    kind: str
    steps: tuple[Step, ...] = ()


class Scenarios:
    """Draws scenarios for the findings of one run."""

    def __init__(self, engine: Engine, edges: Edges, entry: EntryScopes, contexts: Contexts, source: Source) -> None:
        self._engine = engine
        self._program = engine.program
        self._contexts = contexts
        self._places = Places(engine.program)
        self._routes = Routes(engine, edges)
        self._waiters = LockWaiters(engine, self._routes)
        self._killer = find_killer(engine, self._routes, entry, source.gfp)
        self._definitions = Definitions(source.plan.root, source.symbols)
        self._oom_path = source.knowledge.oom_path
        self._arrivals = Arrivals(engine, self._routes, self._definitions)
        self._ways: dict[tuple[str, str], Route | None] = {}

    def drawn(self, finding: Finding) -> Finding:
        """`finding` with its scenario; less sure if there is none."""
        key = f"{finding.place.file}:{finding.place.function}"
        held = self._held(finding, key)
        if not held:
            problem = "no lock is known to be held that another task could wait for"
            return _with(finding, Scenario("", (self._holder(finding, key, None),), problem=problem))
        lock, waiters = min(((each, self._waiting(each, held, key)) for each in reversed(held)), key=_rank)
        tasks = [self._holder(finding, key, lock)]
        if waiters.found:
            tasks.append(self._victim(waiters.found[0], lock))
        tasks.append(self._last(self._killer, bool(waiters.found) and may_be_killed(waiters.found[0])))
        problem = (
            "" if waiters.found else f"no task was found that waits for {_short(lock.cls)} and cannot be killed there"
        )
        others = tuple(map(self._arrivals.in_words, waiters.found[1:]))
        return _with(finding, Scenario(lock.cls, tuple(tasks), others, waiters.rest, waiters.mortal, problem))

    def _waiting(self, lock: _Held, held: list[_Held], key: str) -> Waiters:
        """Who waits for `lock` rather than for something else that its holder has."""
        others = {(each.cls, each.mode) for each in held}
        route = self._way(key, self._needed(key, lock))
        if route is not None:
            above = [*self._routes.promised(route.entry), *(each for at in self._routes.held(route) for each in at)]
            others |= {(each.cls, each.mode) for each in above if _is_lock(each.kind)}
        others = {other for other in others if other[0] != lock.cls}
        return self._waiters.waiting(lock.cls, lock.mode, frozenset(others))

    def _needed(self, key: str, lock: _Held | None) -> str:
        """The class of the lock if function `key` is entered with it: a caller has to take it."""
        if lock is None or key not in self._engine.facts:
            return ""
        entered = (*self._engine.facts[key].asserted, *self._engine.starts.held(key))
        return lock.cls if lock.steps or any(each.cls == lock.cls for each in entered) else ""

    def _held(self, finding: Finding, key: str) -> list[_Held]:
        """The locks that the finding names, or, if it names none, those that its function is entered with."""
        named: list[dict[str, Any]] = finding.properties.get("locks", [])
        known = [_Held(lock["class"], lock["mode"], lock["kind"]) for lock in named if _is_lock(lock["kind"])]
        found = [lock for lock in known if not self._waiters.is_new(key, lock.cls)]
        if found or key not in self._program.functions:
            return found
        for way in self._contexts.ways(key):
            locks = [lock for lock in way.locks if _is_lock(lock.kind) and not lock.may]
            if locks and not way.joined:
                return [self._held_above(lock) for lock in locks]
        return []

    def _held_above(self, lock: HeldLock) -> _Held:
        taken = Step(self._places.site(lock.site), f"takes {lock.text} ({lock.cls})", "acquire", 0, True)
        return _Held(lock.cls, lock.mode, lock.kind, (taken,))

    # --- the tasks -------------------------------------------------------------------------

    def _holder(self, finding: Finding, key: str, lock: _Held | None) -> Task:
        needed = self._needed(key, lock)
        route = self._way(key, needed)
        steps, drawn = (
            self._arrivals.steps(route, needed) if route is not None else ([], [f"{finding.place.function}()"])
        )
        role = ROLES[route.entry.kind] if route is not None else "no way from an entry point was found"
        if lock is not None:
            steps += lock.steps if not any(step.kind == "acquire" for step in steps) else ()
            drawn.append(f"lock({_short(lock.cls)})")
        steps += finding.flow
        allocation = finding.flow[-1] if finding.flow else Step(finding.place, finding.message, "allocation", 0, True)
        drawn.append(f"alloc({finding.properties.get('gfp', '')})")
        if finding.other:
            steps += finding.other
            drawn += [f"  {step.place.function}()" for step in finding.other[:1]]
            end = "taskA waits for itself: the lock is its own"
            drawn.append(f"  lock({_short(lock.cls)})" if lock is not None else "  # waits for itself")
        else:
            end = "tries again until there is memory"
            drawn.append("# loops until progress")
        steps.append(Step(allocation.place, end, "loop", 0, True))
        return Task("taskA", f"the holder: {role}", tuple(steps), tuple(drawn))

    def _victim(self, waiter: Waiter, lock: _Held) -> Task:
        route = waiter.way.route
        holds = "taskA may hold this one among many" if lock.kind == BIT_KIND else "taskA holds it"
        steps, drawn = self._arrivals.waiting(waiter, holds)
        drawn += [f"lock({_short(lock.cls)})", ""]
        role = f"the victim: {ROLES[route.entry.kind]}"
        if not may_be_killed(waiter):
            role = f"{ROLES[route.entry.kind]}: no victim itself, but a victim may wait for what it does"
        return Task("taskB", role, tuple(steps), tuple(drawn))

    def _last(self, killer: Killer | None, victim: bool) -> Task:
        """The task that finds no memory left."""
        if killer is None:
            role = "any task that needs memory"
            steps: list[Step] = []
            drawn = ["any task"]
            place = Place("", 0)
        else:
            route = killer.way.route
            role = ROLES[route.entry.kind]
            steps, drawn = self._arrivals.steps(route)
            place = self._places.at(self._program.functions[route.function], killer.site.call.loc)
            steps.append(Step(place, f"{killer.site.name}() finds no memory left", "allocation", 0, True))
        path = " > ".join(map(self._definitions.named, self._oom_path))
        steps.append(Step(place, f"{path} {'kills taskB' if victim else 'kills some task'}", "oom", 0, True))
        drawn += ["alloc()", f"{self._oom_path[-2]}()" if len(self._oom_path) > 1 else "OOM", "  victim = taskB"]
        if not victim:
            drawn[-1] = "  victim = ?"
        return Task("taskC", f"the killer: {role}", tuple(steps), tuple(drawn))

    def _way(self, key: str, needed: str) -> Route | None:
        """How a task comes to function `key`; with a lock of class `needed`, if there is such a way."""
        where = (key, needed)
        if where not in self._ways:
            kinds = _HOLDERS if key in self._program.functions else ()
            found = [way.route for kind in kinds for way in self._routes.confirmed(key, kind)]
            found.sort(key=lambda route: not self._brings(route, needed))
            self._ways[where] = next(iter(found), None)
        return self._ways[where]

    def _brings(self, route: Route, cls: str) -> bool:
        locks = [*self._routes.promised(route.entry), *(lock for at in self._routes.held(route) for lock in at)]
        return not cls or any(lock.cls == cls for lock in locks)


def _with(finding: Finding, scenario: Scenario) -> Finding:
    confidence = _LOWER[finding.confidence] if scenario.problem else finding.confidence
    return msgspec.structs.replace(finding, scenario=scenario, confidence=confidence)


def _is_lock(kind: str) -> bool:
    """True for what others wait for: not contexts, nor what is taken shared by all but who freezes a file system."""
    return kind not in CONTEXT_KINDS and kind not in ("srcu", "freeze")


def _rank(pair: tuple[_Held, Waiters]) -> tuple[bool, int]:
    lock, (found, *_) = pair
    return not found or lock.kind == BIT_KIND, KINDS.index(found[0].way.route.entry.kind) if found else len(KINDS)


def _short(cls: str) -> str:
    """A lock's class in a drawing: its member's name."""
    return cls.rpartition(".")[2]
