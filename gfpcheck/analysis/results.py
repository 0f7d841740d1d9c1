"""What has been found out about functions: their summaries and facts, and how they get from process to process."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.analysis.summary import Summary
from gfpcheck.analysis.tokens import ScopeLog
from gfpcheck.analysis.trace import Calling, Consts, Context, Place
from gfpcheck.ir import Call, Func

MAX_CONTEXTS = 32
"""Situations kept for one allocation."""

Called = tuple[str, Site, int]
"""A call: the function called, where, and the width as in `Edge`."""


class AllocationSite(NamedTuple):
    """A call that allocates, by itself or below, with every situation in which it is reached.

    `via` leads from the callee's first call to the allocation's own place; empty for the allocator itself. `width` as
    in `Reached`.
    """

    call: Call
    block: int
    position: int
    name: str
    via: tuple[Site, ...]
    width: int
    contexts: tuple[Context, ...]


class Acquisition(NamedTuple):
    """A lock taken in a function, by itself or through a wrapper. `blocking`: not a trylock.
    `kept`: the function can return with it held, so that its callers account for it."""

    lock: HeldLock
    blocking: bool
    kept: bool


@dataclass
class FunctionFacts:
    """What one run over a function has found. `calls`: what is held at each call; `passed`: the same of functions that
    are called because a caller passes them. `asserted`: the locks that it says its callers hold. `scopes`: what there
    is to be said of how it opens and closes scopes."""

    sites: list[AllocationSite] = field(default_factory=list)
    acquisitions: list[Acquisition] = field(default_factory=list)
    calls: dict[Called, tuple[Calling, ...]] = field(default_factory=dict)
    passed: dict[Called, tuple[Calling, ...]] = field(default_factory=dict)
    asserted: tuple[HeldLock, ...] = ()
    blurred: bool = False
    given_up: bool = False
    scopes: ScopeLog | None = None


class Shown(NamedTuple):
    """What a run with some parameters fixed has shown of the function itself: the calls made, and the situations in
    which it allocates with something held."""

    calls: dict[Called, tuple[Calling, ...]]
    contexts: dict[Place, tuple[Context, ...]]


class Share(NamedTuple):
    """A part of the results, for another process: whose summaries they are, `relevant` and `steps` as in `Results`,
    and the rest as pickles."""

    summarised: tuple[tuple[str, Consts], ...]
    relevant: dict[str, bool]
    steps: dict[str, int]
    summaries: bytes
    facts: bytes = b""

    def without_facts(self) -> Share:
        """What it takes to summarise callers."""
        return self._replace(facts=b"")


class Results:
    """The results so far. Those of another process are unpacked when they are asked for. `relevant` tells of functions
    whether there is anything to run them for, `steps` how many blocks the general run visited."""

    def __init__(self) -> None:
        self.facts: dict[str, FunctionFacts] = {}
        self.relevant: dict[str, bool] = {}
        self.steps: dict[str, int] = {}
        self._summaries: dict[tuple[str, Consts], Summary] = {}
        self._shown: dict[tuple[str, Consts], Shown] = {}
        self._packed: dict[tuple[str, Consts], bytes] = {}
        self._packed_facts: list[bytes] = []
        self._new: dict[tuple[str, Consts], None] = {}

    def find(self, key: str, consts: Consts) -> Summary | None:
        """The summary of function `key` with the parameters in `consts` fixed, if it is known."""
        known = self._summaries.get((key, consts))
        if known is None and (key, consts) in self._packed:
            unpacked = pickle.loads(self._packed[key, consts])
            for which, summary in unpacked.items():
                self._packed.pop(which, None)
                self._summaries.setdefault(which, summary)
            known = self._summaries[key, consts]
        return known

    def put(self, key: str, consts: Consts, summary: Summary) -> None:
        """`summary` is that of function `key`."""
        self._summaries[key, consts] = summary
        self._new[key, consts] = None

    def drop(self, key: str, consts: Consts) -> None:
        """The summary was provisional."""
        del self._summaries[key, consts]
        self._new.pop((key, consts), None)
        self._shown.pop((key, consts), None)

    def show(self, key: str, consts: Consts, shown: Shown) -> None:
        """What a run of `key` with `consts` has shown, for when all is done."""
        self._shown[key, consts] = shown

    # --- from process to process -------------------------------------------------------------

    def share(self, keys: Iterable[str], with_facts: bool = False) -> Share:
        """What was found out since this was last asked, when `keys` were summarised."""
        made = list(self._new)
        self._new = {}
        own = set(keys)
        facts = b""
        if with_facts:
            shown = {which: self._shown[which] for which in made if which in self._shown}
            found = {key: self.facts[key] for key in own if key in self.facts}
            facts = pickle.dumps((found, shown), pickle.HIGHEST_PROTOCOL)
        return Share(
            tuple(made),
            {key: self.relevant[key] for key in own if key in self.relevant},
            {key: self.steps[key] for key in own if key in self.steps},
            pickle.dumps({which: self._summaries[which] for which in made}, pickle.HIGHEST_PROTOCOL),
            facts,
        )

    def learn(self, share: Share) -> None:
        """Takes over what another process has found out."""
        self.relevant.update(share.relevant)
        self.steps.update(share.steps)
        fresh = [which for which in share.summarised if which not in self._summaries and which not in self._packed]
        self._packed.update(dict.fromkeys(fresh, share.summaries))
        if share.facts:
            self._packed_facts.append(share.facts)

    def settle(self, order: Sequence[str], functions: Mapping[str, Func]) -> None:
        """All functions are summarised: brings the facts into the `order` given, with what calls with constants have
        shown of each."""
        for packed in self._packed_facts:
            facts, shown = pickle.loads(packed)
            self.facts.update(facts)
            self._shown.update(shown)
        self._packed_facts.clear()
        self.facts = {key: self.facts[key] for key in order if key in self.facts}
        for (key, _), shown in sorted(self._shown.items(), key=lambda item: repr(item[0])):
            _add(self.facts[key], functions[key], shown)
        self._shown.clear()


def site_at(func: Func, place: Place, contexts: tuple[Context, ...]) -> AllocationSite:
    """The allocation that `func` sees at `place`."""
    call = func.blocks[place.block].instrs[place.position]
    assert isinstance(call, Call)
    return AllocationSite(call, place.block, place.position, place.name, place.via, place.width, contexts)


def _add(facts: FunctionFacts, func: Func, shown: Shown) -> None:
    """What callers' constants have shown at the allocations of the function itself, and below the functions that
    they have passed, which are called now, too."""
    for called, callings in shown.calls.items():
        if called not in facts.calls:
            facts.passed.setdefault(called, callings)
    unknown = dict.fromkeys(shown.contexts)
    for number, site in enumerate(facts.sites):
        place = Place(site.block, site.position, site.name, site.via, site.width)
        unknown.pop(place, None)
        new = tuple(context for context in shown.contexts.get(place, ()) if context not in site.contexts)
        if new:
            facts.sites[number] = site._replace(contexts=(*site.contexts, *new)[:MAX_CONTEXTS])
    facts.sites += [site_at(func, place, shown.contexts[place]) for place in unknown if shown.contexts[place]]
