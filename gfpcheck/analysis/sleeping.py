"""Whether functions sleep: whatever they are asked to do, on some path, or never as far as is known.

What the models say waits does, what takes a lock that is slept on, and an allocation that may reclaim memory by itself;
and so does whoever calls such a function. Nothing is computed before the first question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gfpcheck.analysis.engine import Engine, Point
from gfpcheck.analysis.program import callee_name
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.ir import Call, Func, Return, successors
from gfpcheck.models import ATOMIC_KINDS, SLEPT_ON

MAX_DEPTH = 12
"""Calls that are followed."""


class Sleep(NamedTuple):
    """A function sleeps: `always` before it comes back, or on some path. `chain` leads from a call in it down to that
    of `what` waits; the shortest there is."""

    always: bool
    what: str
    chain: tuple[Site, ...]


class Sleeping:
    """Answers for all functions of a program, which have been run."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[tuple[str, bool], Sleep | None] = {}
        self._drops: dict[str, bool] = {}

    def of(self, key: str, memory: bool = True) -> Sleep | None:
        """How function `key` sleeps; None if it does not, as far as is known. Without `memory` allocations do not
        count."""
        return self._of(key, memory, 0)

    def under(self, key: str, holds: Callable[[HeldLock], bool]) -> Sleep | None:
        """What always waits, not for memory, where the function seems to hold a lock for which `holds` is true: in code
        that runs it does not. None if there is no such thing."""
        found: dict[Point, Sleep] = {}
        for point, call in self._calls(key):
            sleep = self._at(key, point, call, False, 0)
            if sleep is not None and sleep.always and not any(map(self._may_drop, sleep.chain[1:])):
                found[point] = sleep
        for point, states in self._engine.watch(key, found).items() if found else ():
            if any(not held.may and holds(held) for state in states for held in state.locks):
                return found[point]
        return None

    def _of(self, key: str, memory: bool, depth: int) -> Sleep | None:
        if (key, memory) not in self._known:
            if depth > MAX_DEPTH:
                return None
            self._known[key, memory] = None  # for one that calls itself
            self._known[key, memory] = self._find(key, memory, depth)
        return self._known[key, memory]

    def _find(self, key: str, memory: bool, depth: int) -> Sleep | None:
        best: Sleep | None = None
        sure: set[int] = set()
        for point, call in self._calls(key):
            sleep = self._at(key, point, call, memory, depth)
            if sleep is not None:
                if sleep.always:
                    sure.add(point[0])
                if best is None or (sleep.always, -len(sleep.chain)) > (best.always, -len(best.chain)):
                    best = sleep
        return best and best._replace(always=_passed(self._engine.program.functions[key], sure))

    def _calls(self, key: str) -> list[tuple[Point, Call]]:
        program = self._engine.program
        return [((block, index), call) for block, index, call in program.calls(program.functions[key])]

    def _at(self, key: str, point: Point, call: Call, memory: bool, depth: int) -> Sleep | None:
        """How a call sleeps."""
        effects, program = self._engine.effects, self._engine.program
        func = program.functions[key]
        site = Site(func.file, func.name, *call.loc)
        name = effects.display_name(call)
        ops = effects.lock_ops(func, call)
        if ops:
            waits = any(op.does == "acquire" and op.kind in SLEPT_ON and not op.try_ for op in ops)
            return Sleep(True, name, (site,)) if waits else None
        if callee_name(call) in effects.models.waits:
            return Sleep(True, name, (site,))
        if effects.allocates(func, call):
            return self._allocation(key, point, name, site) if memory else None
        below = [self._of(callee, memory, depth + 1) for callee in program.callees(call, func)]
        found = [sleep for sleep in below if sleep is not None]
        if not found:
            return None
        nearest = min(found, key=lambda sleep: len(sleep.chain))
        always = len(found) == len(below) and all(sleep.always for sleep in found)
        return Sleep(always, nearest.what, (site, *nearest.chain))

    def _allocation(self, key: str, point: Point, name: str, site: Site) -> Sleep | None:
        reclaim = self._engine.effects.gfp.direct_reclaim
        here = (s for s in self._engine.facts[key].sites if (s.block, s.position) == point and not s.via)
        flags = [context.flags for each in here for context in each.contexts]
        if not any(known.ones & reclaim or not known.zeros & reclaim for known in flags):
            return None
        return Sleep(all(known.ones & reclaim for known in flags), name, (site,))

    def _may_drop(self, site: Site) -> bool:
        """True if the function in which `site` lies unlocks what may not be slept under: perhaps just before."""
        key = f"{site.file}:{site.function}"
        if key not in self._drops:
            func = self._engine.program.functions[key]
            ops = (op for _, call in self._calls(key) for op in self._engine.effects.lock_ops(func, call))
            self._drops[key] = any(op.does == "release" and {op.kind, *op.disables} & ATOMIC_KINDS for op in ops)
        return self._drops[key]


def _passed(func: Func, blocks: set[int]) -> bool:
    """True if control cannot come back without having been in one of `blocks`."""
    if not blocks:
        return False
    seen, pending = {0}, [0]
    while pending:
        number = pending.pop()
        if number in blocks:
            continue
        if isinstance(func.blocks[number].term, Return):
            return False
        for target in successors(func.blocks[number].term):
            if target not in seen:
                seen.add(target)
                pending.append(target)
    return True
