"""Where an allocation that a function reaches through calls comes from: which allocator, and whose flags."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.analysis.state import Site
from gfpcheck.ir import Loc
from gfpcheck.models import GfpFlags
from gfpcheck.rule_api import Allocator, Flags

_Key = tuple[Loc, tuple[Site, ...], str]
"""(place, what lies below, name of the allocator): one allocation as one function sees it."""


class Below(NamedTuple):
    """`flags` are those that a function below sets or clears whoever calls it; None for a direct allocation. `amount`:
    a function below knows how much is asked for, whoever calls it."""

    flags: Flags | None
    amount: bool


class _Seen(NamedTuple):
    """An allocation as one function sees it: the flags known in all its contexts, and whether the amount is."""

    site: AllocationSite
    flags: int
    amount: bool


class Origins:
    """Questions about allocation sites. One object serves a whole program."""

    def __init__(self, engine: Engine, gfp: GfpFlags) -> None:
        self._engine = engine
        self._gfp = gfp
        self._sites: dict[str, dict[_Key, AllocationSite]] = {}
        self._seen: dict[tuple[str, _Key], _Seen] = {}

    def allocator(self, site: AllocationSite) -> Allocator:
        """What the models know of the allocator of `site`, however many calls below it is."""
        origin = self._seen_at(site, len(site.via) - 1) if site.via else site
        entry = self._engine.effects.allocator(origin.call) if origin is not None else None
        if entry is None:
            return Allocator()
        return Allocator(entry.family, entry.needs, entry.rejects, not entry.flags)

    def below(self, site: AllocationSite) -> Below:
        """What is settled on the way down to the allocation."""
        settled, amount = 0, False
        for number in range(len(site.via)):
            seen = self._at(site, number)
            if seen is not None:
                settled |= seen.flags
                amount = amount or seen.amount
        return Below(Flags(settled, 0, self._gfp) if site.via else None, amount)

    def _seen_at(self, site: AllocationSite, number: int) -> AllocationSite | None:
        """The allocation of `site` as the function at `site.via[number]` sees it."""
        seen = self._at(site, number)
        return None if seen is None else seen.site

    def _at(self, site: AllocationSite, number: int) -> _Seen | None:
        here = site.via[number]
        key = f"{here.file}:{here.function}"
        sites = self._sites.get(key)
        if sites is None:
            facts = self._engine.facts.get(key)
            found = facts.sites if facts is not None else []
            sites = self._sites[key] = {(each.call.loc, each.via, each.name): each for each in found}
        asked = (here.loc, site.via[number + 1 :], site.name)
        if asked not in sites:
            return None
        known = self._seen.get((key, asked))
        if known is None:
            known = self._seen[key, asked] = _seen(sites[asked])
        return known


def _seen(site: AllocationSite) -> _Seen:
    flags = -1
    for context in site.contexts:
        flags &= context.flags.known
    return _Seen(site, flags, all(any(part.constant is not None for part in each.amount) for each in site.contexts))
