"""Where an allocation that a function reaches through calls comes from: which allocator, and whose flags."""

from __future__ import annotations

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.analysis.state import Site
from gfpcheck.ir import Call
from gfpcheck.models import GfpFlags
from gfpcheck.rule_api import Allocator, Flags

_Key = tuple[int, int, tuple[Site, ...], str]
"""(line, column, what lies below, name of the allocator): one allocation as one function sees it."""


class Origins:
    """Questions about allocation sites. One object serves a whole program."""

    def __init__(self, engine: Engine, gfp: GfpFlags) -> None:
        self._engine = engine
        self._gfp = gfp
        self._sites: dict[str, dict[_Key, AllocationSite]] = {}

    def allocator(self, site: AllocationSite) -> Allocator:
        """What the models know of the allocator of `site`, however many calls below it is."""
        origin = self._seen_at(site, len(site.via) - 1) if site.via else site
        entry = self._engine.effects.allocator(origin.call) if origin is not None else None
        if entry is None:
            return Allocator()
        return Allocator(entry.family, entry.needs, entry.rejects, not entry.flags)

    def settled_below(self, site: AllocationSite) -> Flags | None:
        """The flags that a function below sets or clears whoever calls it; None for a direct allocation."""
        if not site.via:
            return None
        settled = 0
        for number in range(len(site.via)):
            seen = self._seen_at(site, number)
            if seen is not None:
                known = -1
                for context in seen.contexts:
                    known &= context.flags.known
                settled |= known
        return Flags(settled, 0, self._gfp)

    def amount_settled_below(self, site: AllocationSite) -> bool:
        """Whether a function below knows how much is asked for, whoever calls it."""
        return any(
            seen is not None
            and all(any(part.constant is not None for part in context.amount) for context in seen.contexts)
            for seen in (self._seen_at(site, number) for number in range(len(site.via)))
        )

    def _seen_at(self, site: AllocationSite, number: int) -> AllocationSite | None:
        """The allocation of `site` as the function at `site.via[number]` sees it."""
        here = site.via[number]
        key = f"{here.file}:{here.function}"
        known = self._sites.get(key)
        if known is None:
            facts = self._engine.facts.get(key)
            sites = facts.sites if facts is not None else []
            known = self._sites[key] = {(*_place(each.call), each.via, each.name): each for each in sites}
        return known.get((here.line, here.col, site.via[number + 1 :], site.name))


def _place(call: Call) -> tuple[int, int]:
    return call.loc.line, call.loc.col
