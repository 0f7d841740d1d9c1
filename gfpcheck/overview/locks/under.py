"""Which allocations are made with a lock held, in the functions that take it and below them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.held_below import Entry, HeldBelow, Scopes, is_lock
from gfpcheck.analysis.lock_order import Others, others_of
from gfpcheck.analysis.paths import has_class
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.analysis.trace import Context
from gfpcheck.models import GfpFlags
from gfpcheck.overview.locks.types import HAZARDS, Hazard
from gfpcheck.rule_api import Flags


class Under(NamedTuple):
    """An allocation that function `key` makes, by itself or below, with `lock` held. `entry` is how it was entered with
    it; None if it holds the lock itself, and `own` besides. `flags` are those in effect."""

    lock: HeldLock
    entry: Entry | None
    key: str
    site: AllocationSite
    flags: Flags
    hazard: Hazard
    own: tuple[HeldLock, ...] = ()

    @property
    def holder(self) -> str:
        """The function that has the lock."""
        return self.key if self.entry is None else self.entry.holder

    @property
    def chain(self) -> tuple[Site, ...]:
        """The calls from there down to function `key`."""
        return () if self.entry is None else self.entry.chain

    @property
    def others(self) -> Others:
        """What is surely held besides."""
        return others_of(self.own, self.lock.cls) if self.entry is None else self.entry.others

    @property
    def width(self) -> int:
        """That of the widest pointer on the way."""
        return self.site.width if self.entry is None else max(self.entry.width, self.site.width)

    @property
    def place(self) -> Site:
        """Where the allocator is called."""
        return self.site.via[-1] if self.site.via else self.here

    @property
    def here(self) -> Site:
        """The call in function `key`."""
        file, _, name = self.key.rpartition(":")
        return Site(file, name, *self.site.call.loc)

    @property
    def calls(self) -> int:
        """The number of calls from the holder to the allocator."""
        return (0 if self.entry is None else self.entry.depth) + len(self.site.via)

    @property
    def no_fail(self) -> bool:
        """True if it is repeated until there is memory."""
        return self.flags.has("__GFP_NOFAIL") is True and self.hazard in ("fs", "io", "reclaim")

    @property
    def silenced(self) -> bool:
        """True if the author has said that lockdep is wrong about it."""
        return self.flags.has("__GFP_NOLOCKDEP") is True

    @property
    def rank(self) -> tuple[object, ...]:
        """What is surer comes first: what the function that takes the lock was seen to reach with it held."""
        doubtful = self.lock.may or self.lock.asserted
        return self.entry is not None, doubtful, self.width > 1, self.calls, len(self.lock.via), self.holder, self.place


class _Known(NamedTuple):
    site: AllocationSite
    context: Context
    flags: Flags


class UnderLocks:
    """Answers for the locks of a program, which has been run."""

    def __init__(self, engine: Engine, held: HeldBelow, gfp: GfpFlags) -> None:
        self._held = held
        self._below: dict[str, list[_Known]] = {}
        self._own: dict[str, list[tuple[str, HeldLock, _Known]]] = {}
        for key in sorted(engine.facts):
            for site in engine.facts[key].sites:
                if site.call.cleanup:
                    continue
                seen: set[tuple[int, int, tuple[str, ...]]] = set()
                for context in site.contexts:
                    known = _Known(site, context, Flags(context.flags.ones, context.flags.zeros, gfp))
                    for lock in context.locks:
                        if is_lock(lock) and has_class(lock.cls):
                            self._own.setdefault(lock.cls, []).append((key, lock, known))
                    same = (known.flags.ones, known.flags.zeros, context.scopes)
                    if same not in seen:
                        seen.add(same)
                        self._below.setdefault(key, []).append(known)

    @property
    def classes(self) -> frozenset[str]:
        """The classes of the locks that some function holds where it allocates."""
        return frozenset(self._own)

    def of(self, cls: str, below: Mapping[str, Sequence[Entry]]) -> Iterator[Under]:
        """The allocations under a lock of class `cls`; `below` is where it is held. One may come several times."""
        for key, lock, known in self._own.get(cls, ()):
            flags, hazard = _in_effect(known, self._held.scopes(key))
            yield Under(lock, None, key, known.site, flags, hazard, known.context.locks)
        for key in sorted(self._below.keys() & below.keys()):
            for known in self._below[key]:
                if any(lock.cls == cls for lock in known.context.locks):
                    continue
                if not self._held.still_held(key, (known.site.block, known.site.position), cls):
                    continue
                effects: dict[Scopes, tuple[Flags, Hazard]] = {}
                for entry in below[key]:
                    if entry.scopes not in effects:
                        effects[entry.scopes] = _in_effect(known, entry.scopes)
                    yield Under(entry.lock, entry, key, known.site, *effects[entry.scopes])


def _in_effect(known: _Known, scopes: Scopes) -> tuple[Flags, Hazard]:
    kinds = scopes.union(known.context.scopes)
    flags = known.flags.within(sorted(kinds))
    return flags, hazard_of(flags, kinds)


def hazard_of(flags: Flags, scopes: Scopes) -> Hazard:
    """What an allocation with these effective flags may come to wait for."""
    if flags.sleeps is False or "noreclaim" in scopes:
        return "none"
    fs, io = flags.has("__GFP_FS"), flags.has("__GFP_IO")
    if flags.sleeps is None or (fs is None and "nofs" not in scopes):
        return "unknown"
    if fs:
        return "fs"
    return "unknown" if io is None else "io" if io else "reclaim"


def worse(hazard: Hazard) -> int:
    """The rank of a hazard: the worst is 0."""
    return HAZARDS.index(hazard)
