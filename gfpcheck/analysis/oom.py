"""An allocation that may invoke the OOM killer: it may wait and do everything, it may fail, and its task holds nothing
that anybody waits for."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.entry import EntryScopes
from gfpcheck.analysis.entry_points import Confirmed, Routes
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.models import EntryKind, GfpFlags

_KINDS: tuple[EntryKind, ...] = ("fault", "syscall")
_TRIES = 16


class Killer(NamedTuple):
    """A task that comes by `way` to the allocation at `site`, which may invoke the OOM killer."""

    site: AllocationSite
    way: Confirmed


def find_killer(engine: Engine, routes: Routes, entry: EntryScopes, gfp: GfpFlags) -> Killer | None:
    """The nearest such allocation to a page fault or a system call; None if there is none in this program."""
    needed = gfp.direct_reclaim | gfp.mask("__GFP_FS") | gfp.mask("__GFP_IO")
    banned = gfp.nofail | gfp.mask("__GFP_NORETRY") | gfp.mask("__GFP_RETRY_MAYFAIL")
    found: list[tuple[int, int, str, AllocationSite]] = []
    for key, facts in engine.facts.items():
        if entry.scopes.get(key):
            continue
        sites = [
            site
            for site in facts.sites
            if not site.via
            and site.contexts
            and all(
                not context.locks
                and not context.scopes
                and context.flags.ones & needed == needed
                and context.flags.zeros & banned == banned
                for context in site.contexts
            )
        ]
        for number, kind in enumerate(_KINDS):
            length = routes.length(key, kind)
            if length is not None:
                found += [(number, length, key, site) for site in sites]
    found.sort(key=lambda each: (each[0], each[1], each[2], each[3].block, each[3].position))
    for number, _, key, site in found[:_TRIES]:
        for way in routes.confirmed(key, _KINDS[number]):
            if not any(routes.held(way.route)):
                return Killer(site, way)
    return None
