"""What has been found out about functions: their summaries and facts, and how they get from process to process."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import msgspec

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


Which = tuple[str, Consts]
"""A run: over which function, with which parameters fixed."""


class Found(msgspec.Struct, array_like=True):
    """What a run has found out. A general one, with no parameter fixed, finds `facts`; `relevant` tells whether there
    was anything to run for, `steps` how many blocks were visited."""

    summary: Summary
    relevant: bool
    steps: int
    facts: FunctionFacts | None = None
    shown: Shown | None = None

    @property
    def brief(self) -> Found:
        """What it takes to summarise callers."""
        return Found(self.summary, self.relevant, self.steps)


class Share(msgspec.Struct, array_like=True):
    """A part of the results, for another process: each run with what it has found out, as msgpack."""

    found: tuple[tuple[Which, msgspec.Raw], ...]

    @classmethod
    def of(cls, found: Mapping[Which, Found]) -> Share:
        """The part that is `found`."""
        return cls(tuple((which, msgspec.Raw(_encode(each))) for which, each in found.items()))

    @classmethod
    def brief(cls, found: Mapping[Which, Found]) -> Share:
        """What it takes to summarise the callers of what is `found`."""
        return cls.of({which: each.brief for which, each in found.items()})


class Results:
    """The results so far. Those of another process are decoded when they are asked for."""

    def __init__(self) -> None:
        self.facts: dict[str, FunctionFacts] = {}
        self._found: dict[Which, Found] = {}
        self._encoded: dict[Which, msgspec.Raw] = {}
        self._digests: dict[Which, bytes] = {}
        self._new: dict[Which, None] = {}

    def find(self, which: Which) -> Found | None:
        """What is known of that run."""
        known = self._found.get(which)
        if known is None and which in self._encoded:
            known = _decode(self._encoded.pop(which))
            self._enter(which, known)
        return known

    def put(self, which: Which, found: Found) -> None:
        """That run has `found` something out."""
        self._enter(which, found)
        self._new[which] = None
        self._digests.pop(which, None)

    def _enter(self, which: Which, found: Found) -> None:
        self._found[which] = found
        if found.facts is not None:
            self.facts[which[0]] = found.facts

    def digest(self, which: Which) -> bytes:
        """Names the summary that a run, which is known, has found."""
        known = self._digests.get(which)
        if known is None:
            known = self._digests[which] = short(_canonical(self._found[which].summary))
        return known

    # --- from process to process -------------------------------------------------------------

    def news(self) -> dict[Which, Found]:
        """What was found out since this was last asked."""
        found = {which: self._found[which] for which in self._new}
        self._new = {}
        return found

    def learn(self, share: Share) -> None:
        """Takes over what another process has found out."""
        for which, encoded in share.found:
            if which not in self._found:
                self._encoded.setdefault(which, encoded)

    def settle(self, order: Sequence[str], functions: Mapping[str, Func]) -> None:
        """All functions are summarised: brings the facts into the `order` given, with what calls with constants have
        shown of each."""
        for which in list(self._encoded):
            self.find(which)
        self.facts = {key: self.facts[key] for key in order if key in self.facts}
        shown = [(which, found.shown) for which, found in self._found.items() if found.shown is not None]
        for (key, _), each in sorted(shown, key=lambda item: repr(item[0])):
            _add(self.facts[key], functions[key], each)


_encode = msgspec.msgpack.Encoder().encode
_canonical = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.Decoder(Found).decode


def short(data: bytes) -> bytes:
    """A name for `data`."""
    return hashlib.blake2b(data, digest_size=16).digest()


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
