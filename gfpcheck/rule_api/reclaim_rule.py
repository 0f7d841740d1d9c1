"""The base class of rules about locks that reclaim waits for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from gfpcheck.findings import Confidence, Finding
from gfpcheck.rule_api.facts import Allocation, Function, ReclaimPath, Situation
from gfpcheck.rule_api.flags import Flags
from gfpcheck.rule_api.locks import Lock
from gfpcheck.rule_api.rule import Rule


class ReclaimLockRule(Rule):
    """A rule about allocations that may reclaim memory with a lock held that reclaim takes: one finding for each
    allocation, with the innermost such lock and both sides.

    Confidence is medium when it is so in every situation, the function took the lock itself, it has a class of its own,
    and the way of reclaim is sure; else low.
    """

    @abstractmethod
    def concerns(self, flags: Flags, path: ReclaimPath) -> bool:
        """True if the rule is about allocations with these effective flags under a lock that reclaim takes so."""

    @abstractmethod
    def message(self, allocation: Allocation, situation: Situation, lock: Lock, path: ReclaimPath) -> str:
        """The message of the finding."""

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            hazards = [
                (situation, lock, path)
                for situation in allocation.situations
                for lock, path in self._taken(function, situation)
            ]
            if not hazards:
                continue
            count = len({id(situation) for situation, _, _ in hazards})
            everywhere = count == len(allocation.situations)
            situation, lock, path = max(hazards, key=lambda hazard: (_sure(*hazard[1:]), not hazard[1].promised))
            sure = everywhere and lock.origin == "taken" and _sure(lock, path)
            yield function.finding(
                rule=self.id,
                level=self.level,
                allocation=allocation,
                situation=situation,
                locks=[lock],
                other=path.steps,
                message=self.message(allocation, situation, lock, path),
                confidence=Confidence.MEDIUM if sure else Confidence.LOW,
            )

    def _taken(self, function: Function, situation: Situation) -> Iterator[tuple[Lock, ReclaimPath]]:
        """The locks held that reclaim takes, the innermost first."""
        flags = situation.effective
        if situation.reclaims is not True or flags.has("__GFP_NOLOCKDEP") is True:
            return
        for lock in reversed(situation.locks):
            path = next((path for path in function.reclaim_ways(lock) if self.concerns(flags, path)), None)
            if path is not None and not lock.atomic:
                yield lock, path


def _sure(lock: Lock, path: ReclaimPath) -> bool:
    """True if it is likely that reclaim waits for just this lock."""
    return path.sure and not lock.is_bit
