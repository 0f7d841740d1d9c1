"""Finds all calls with restricted flags, and what asks for these."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from gfpcheck.analysis.results import AllocationSite
from gfpcheck.driver.analyse import Knowledge
from gfpcheck.driver.origins import Origins
from gfpcheck.driver.places import Places
from gfpcheck.driver.source import Source
from gfpcheck.overview.nofs.types import TOKENS, WHYS, Flag, Reason, Restriction, Restrictions
from gfpcheck.overview.surveyed import asked_for, heading
from gfpcheck.overview.transactions import Transactions
from gfpcheck.overview.writing import some
from gfpcheck.rule_api import Allocation, Function, Lock, ReclaimPath, Scope, Situation, Way

_TRANSACTIONS = 3
"""Transactions that are named of those that may be open."""
_STARTS = 3
"""Functions that are named of those in which the ways begin."""
_SAYS_WHY = re.compile(r"lockdep|reclaim|recurs|deadlock|dead lock|false positive", re.IGNORECASE)
_SCOPES: dict[Flag, tuple[str, ...]] = {
    "GFP_NOFS": ("nofs", "noio"),
    "GFP_NOIO": ("noio",),
    "__GFP_NOLOCKDEP": ("nofs", "noio"),
}
"""The scopes that make a flag needless: in them nothing is done that it would forbid, or be silent of."""
_SAVE: dict[Flag, str] = {"GFP_NOFS": "NOFS", "GFP_NOIO": "NOIO", "__GFP_NOLOCKDEP": "NOFS"}


def find_restrictions(source: Source, known: Knowledge) -> Restrictions:
    """The calls with restricted flags in the files asked for in `source`."""
    asked = asked_for(source, known)
    finder = _Finder(source, known)
    found = [call for key in sorted(asked) for call in finder.of(key)]
    found.sort(key=lambda call: (call.file, call.line, call.column, call.flag))
    return Restrictions(calls=tuple(_numbered(found)), **heading(source, known, asked))


def _numbered(found: Sequence[Restriction]) -> Iterator[Restriction]:
    seen: Counter[str] = Counter()
    for each in found:
        key = f"{each.flag} {each.file} {each.function} {each.call}"
        seen[key] += 1
        yield msgspec.structs.replace(each, key=key if seen[key] == 1 else f"{key} #{seen[key]}")


class _Finder:
    def __init__(self, source: Source, known: Knowledge) -> None:
        self._known = known
        self._engine = known.engine
        self._places = Places(known.program)
        self._origins = Origins(known.engine, source.gfp)
        self._transactions = Transactions(known)
        self._gfp = source.gfp

    def of(self, key: str) -> Iterator[Restriction]:
        """The calls of function `key` that are given one of the flags."""
        facts = self._engine.facts[key]
        chosen: dict[tuple[int, int, Flag], AllocationSite] = {}
        for site in sorted(facts.sites, key=lambda site: len(site.via)):
            for flag in self._written(site):
                chosen.setdefault((site.block, site.position, flag), site)
        if not chosen:
            return
        function = self._known.views.function(key, facts)
        allocations = {(a.place, a.name, a.via): a for a in function.allocations}
        func = self._known.program.functions[key]
        for (_, _, flag), site in chosen.items():
            place = self._places.at(func, site.call.loc)
            allocation = allocations[place, site.name, self._places.sites(site.via)]
            yield self._restriction(key, flag, site, function, allocation)

    def _written(self, site: AllocationSite) -> Iterator[Flag]:
        """The flags that this call, rather than a caller or the function called, says."""
        if not 0 <= site.call.gfp < len(site.call.args) or site.call.cleanup:
            return
        entry = None if site.via else self._engine.effects.allocator(site.call)
        if entry is not None and (entry.flags or entry.word):
            return
        settled = self._origins.below(site).flags
        for flag in TOKENS:
            if any(self._has(flag, c.flags.ones, c.flags.zeros) for c in site.contexts) and not any(
                self._has(flag, c.given.ones, c.given.zeros) for c in site.contexts
            ):
                decisive = {"GFP_NOFS": "__GFP_FS", "GFP_NOIO": "__GFP_IO"}.get(flag, flag)
                mask = self._gfp.parse(decisive)
                if settled is None or not settled.ones & mask:
                    yield flag  # type: ignore[misc]

    def _has(self, flag: str, ones: int, zeros: int) -> bool:
        fs, io, sleeps = self._gfp.parse("__GFP_FS"), self._gfp.parse("__GFP_IO"), self._gfp.direct_reclaim
        if flag == "__GFP_NOLOCKDEP":
            mask = self._gfp.parse(flag)
            return bool(mask) and ones & mask == mask
        if ones & sleeps != sleeps or not zeros & fs:
            return False
        return bool(zeros & io) if flag == "GFP_NOIO" else ones & io == io

    def _restriction(
        self, key: str, flag: Flag, site: AllocationSite, function: Function, allocation: Allocation
    ) -> Restriction:
        situations = [
            situation
            for situation, context in zip(allocation.situations, site.contexts, strict=True)
            if self._has(flag, context.flags.ones, context.flags.zeros)
        ]
        transactions = self._transactions.around(key).union(*map(self._transactions.at, site.contexts))
        reasons = sorted(
            set(_reasons(flag, function, allocation, situations, transactions)),
            key=_rank,
        )
        verdict = reasons[0].why if reasons else "none"
        return Restriction(
            "",
            flag,
            allocation.place.file,
            allocation.place.line,
            allocation.place.col,
            function.name,
            allocation.call,
            " or ".join(dict.fromkeys(str(situation.flags) for situation in situations)),
            verdict,
            tuple(reasons),
            _advice(flag, reasons),
            _looked_at(function.ways, situations),
        )


def _rank(reason: Reason) -> tuple[bool, int, bool, str, str]:
    """The best comes first. A scope that is open on some ways does not say why the flag is there on the others."""
    partial = reason.why in ("transaction", "scope") and not reason.always
    return partial or reason.why == "held", WHYS.index(reason.why), not reason.always, reason.what, reason.place


def _reasons(
    flag: Flag,
    function: Function,
    allocation: Allocation,
    situations: Sequence[Situation],
    transactions: frozenset[str],
) -> Iterator[Reason]:
    ways = function.ways
    yield from _scopes(flag, ways, situations, transactions)
    yield from _locks(flag, function, situations)
    for way in ways:
        if way.context == "reclaim":
            place = f"{way.calls[0].file}:{way.calls[0].line}" if way.calls else ""
            always = all(each.context == "reclaim" for each in ways)
            yield Reason("reclaim", f"reclaim calls {way.start}()", way.start, place, always=always)
    if function.io is not None:
        first = function.io.steps[0].place
        yield Reason("io", function.io.root, first.function, f"{first.file}:{first.line}")
    if flag == "__GFP_NOLOCKDEP" and _SAYS_WHY.search(function.comments_before(allocation.place)):
        yield Reason("comment", "a comment in the function says why", function.name, always=True)


def _scopes(
    flag: Flag, ways: Sequence[Way], situations: Sequence[Situation], transactions: frozenset[str]
) -> Iterator[Reason]:
    """The scopes that are open there, by the function itself or on the ways to it."""
    kinds = _SCOPES[flag]
    here = [[scope for scope in situation.scopes if scope.kind in kinds] for situation in situations]
    above = [[scope for scope in way.scopes if scope.kind in kinds] for way in ways]
    always = all(any(scope.sure for scope in scopes) for scopes in here) or (bool(above) and all(above))
    found = [scope for scopes in (*here, *above) for scope in scopes]
    if not found:
        return
    if transactions:
        yield Reason("transaction", some(sorted(transactions), _TRANSACTIONS), always=always)
        return
    for scope in dict.fromkeys(found):
        yield Reason("scope", str(scope), *_where(scope), always=always)


def _where(scope: Scope) -> tuple[str, str]:
    return (scope.place.function, f"{scope.place.file}:{scope.place.line}") if scope.place else ("", "")


def _locks(flag: Flag, function: Function, situations: Sequence[Situation]) -> Iterator[Reason]:
    """The locks that are held there, here or by callers, and whether reclaim waits for them."""
    ways = function.ways
    sets = [situation.locks for situation in situations]
    held: dict[str, tuple[Lock, bool]] = {}
    takers: dict[str, set[str]] = {}
    for groups in (sets, [way.locks for way in ways]):
        for lock in (lock for locks in groups for lock in locks):
            if lock.is_context or lock.kind == "freeze":
                continue
            takers.setdefault(lock.cls, set()).add(lock.place.function)
            always = all(any(other.cls == lock.cls and not other.may for other in locks) for locks in groups)
            if lock.cls not in held or (always and not held[lock.cls][1]):
                held[lock.cls] = (lock, always)
    for lock, always in held.values():
        place = f"{lock.place.file}:{lock.place.line}"
        also = tuple(sorted(takers[lock.cls] - {lock.place.function}))
        path = next((path for path in function.reclaim_ways(lock) if _forbids(flag, path)), None)
        if path is not None:
            proof = (
                f"{path.root}: {' -> '.join(f'{s.place.function}() {s.place.file}:{s.place.line}' for s in path.steps)}"
            )
            yield Reason("lock", str(lock), lock.place.function, place, proof, always, also)
        else:
            yield Reason("held", str(lock), lock.place.function, place, "", always, also)


def _forbids(flag: Flag, path: ReclaimPath) -> bool:
    """True if the flag keeps reclaim, or lockdep, from what `path` does."""
    if flag == "GFP_NOIO":
        return path.io or path.gate in ("__GFP_IO", "__GFP_FS")
    return path.gate == "__GFP_FS" or flag == "__GFP_NOLOCKDEP"


def _advice(flag: Flag, reasons: Sequence[Reason]) -> str:
    if not reasons:
        return ""
    best = reasons[0]
    if best.why in ("transaction", "scope"):
        if best.always:
            return "needless: the scope is open on all ways that are known"
        return "the scope is open on some ways only: the others may need one"
    if best.why == "lock":
        others = f"; as well in {some((f'{name}()' for name in best.also), _STARTS)}" if best.also else ""
        return f"a {_SAVE[flag]} scope in {best.function}(), after {best.place}, where the lock is taken{others}"
    if best.why == "reclaim" and best.function:
        return f"a {_SAVE[flag]} scope in {best.function}(), where reclaim enters, if it is called by others, too"
    if best.why == "io":
        return f"a {_SAVE[flag]} scope in {best.function}(), where the way begins"
    return ""


def _looked_at(ways: Sequence[Way], situations: Sequence[Situation]) -> str:
    """What there was to look at: the ways into the function, and what is held on them."""
    starts = dict.fromkeys(f"{way.start}()" for way in ways)
    more = len(starts) - _STARTS
    named = ", ".join(list(starts)[:_STARTS]) + (f" and {more} more" if more > 0 else "")
    locks = len({lock.cls for locks in _all_locks(ways, situations) for lock in locks})
    return f"{_number(len(ways), 'way')} from {named}; {_number(locks, 'lock')} held"


def _all_locks(ways: Iterable[Way], situations: Iterable[Situation]) -> Iterator[Sequence[Lock]]:
    yield from ([lock for lock in way.locks if not lock.is_context] for way in ways)
    yield from ([lock for lock in each.locks if not lock.is_context] for each in situations)


def _number(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
