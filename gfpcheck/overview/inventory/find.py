"""Finds all requirements of the files asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from gfpcheck.analysis.paths import names_in
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.analysis.trace import Context
from gfpcheck.analysis.values import MAX_ERRNO
from gfpcheck.driver.analyse import Knowledge
from gfpcheck.driver.origins import Origins
from gfpcheck.driver.places import Places
from gfpcheck.driver.source import Source
from gfpcheck.ir import Assign, Bin, Const, Expr, Func, Return
from gfpcheck.overview.bounds import Bounds
from gfpcheck.overview.caches import Caches
from gfpcheck.overview.inventory.helpers import Helpers
from gfpcheck.overview.inventory.sizes import Sizes
from gfpcheck.overview.inventory.types import TOKEN, Held, Inventory, Kind, Requirement
from gfpcheck.overview.inventory.unchecked import COSTLY_ORDER, is_tried_hard, is_unchecked
from gfpcheck.overview.surveyed import asked_for, heading
from gfpcheck.overview.transactions import Transactions
from gfpcheck.rule_api import Allocation, Function, Situation, Way


def take_inventory(source: Source, known: Knowledge) -> Inventory:
    """The inventory of the files asked for in `source`."""
    asked = asked_for(source, known)
    finder = _Finder(source, known, asked)
    found = [requirement for key in sorted(asked) for requirement in finder.of(key)]
    found.sort(key=lambda r: (r.file, r.line, r.column, r.kind, r.call, r.via))
    return Inventory(requirements=tuple(_numbered(found)), **heading(source, known, asked))


def _numbered(found: Sequence[Requirement]) -> Iterator[Requirement]:
    """With keys that tell equal ones apart by their order in the file."""
    seen: Counter[str] = Counter()
    for each in found:
        subject = each.cache or each.object or each.size.text
        key = f"{each.kind} {each.file} {each.function} {each.call} {subject}".strip()
        seen[key] += 1
        yield msgspec.structs.replace(each, key=key if seen[key] == 1 else f"{key} #{seen[key]}")


class _Finder:
    def __init__(self, source: Source, known: Knowledge, asked: frozenset[str]) -> None:
        self._known = known
        self._engine = engine = known.engine
        self._program = program = known.program
        self._asked = asked
        self._nofail = engine.effects.gfp.nofail
        self._places = Places(program)
        self._origins = Origins(engine, source.gfp)
        self._loops = {key: known.loops.retry_loops(program.functions[key], engine.facts[key].sites) for key in asked}
        self._helpers = Helpers(engine, asked, self._loops)
        self._transactions = Transactions(known)
        bounds = Bounds(program, engine.inliner)
        self._sizes = Sizes(engine, bounds, Caches(program, engine.effects, bounds), source.gfp)

    def of(self, key: str) -> Iterator[Requirement]:
        """The requirements of function `key`."""
        facts = self._engine.facts[key]
        chosen = list(self._choose(key, facts.sites))
        if not chosen:
            return
        function = self._known.views.function(key, facts)
        allocations = {(a.place, a.name, a.via): a for a in function.allocations}
        func = self._program.functions[key]
        for kind, site, contexts, unless in chosen:
            place = self._places.at(func, site.call.loc)
            allocation = allocations[place, site.name, self._places.sites(site.via)]
            yield self._requirement(key, kind, site, contexts, unless, function, allocation)

    def _choose(
        self, key: str, sites: Sequence[AllocationSite]
    ) -> Iterator[tuple[Kind, AllocationSite, list[Context], tuple[str, ...]]]:
        """The sites that are requirements, one for each call, with the situations in which they are."""
        func = self._program.functions[key]
        looping = {(s.block, s.position): loop for loop in self._loops[key] for s in loop.sites}
        done: set[tuple[int, int]] = set()
        for site in sorted(sites, key=lambda site: len(site.via)):
            point = (site.block, site.position)
            if point in done or site.call.cleanup:
                continue
            demanding = [c for c in site.contexts if c.flags.ones & self._nofail and not c.given.ones & self._nofail]
            kind: Kind | None = None
            unless: tuple[str, ...] = ()
            if point in looping:
                kind, demanding, unless = "loop", list(site.contexts), looping[point].unless
            elif demanding:
                kind = self._kind(func, site)
            elif not site.via and self._may_write(func, site):
                kind, demanding = "explicit", [c for c in site.contexts if not c.flags.zeros & self._nofail]
            elif site.via and self._helpers.brings(func, *point):
                kind, demanding = "helper", list(site.contexts)
            elif is_tried_hard(site, self._engine.effects) and is_unchecked(func, site):
                size = self._sizes.of(func, site)[0]
                if size.order is not None and size.order <= COSTLY_ORDER:
                    kind, demanding = "small", list(site.contexts)
            if kind is not None:
                done.add(point)
                yield kind, site, demanding, unless

    def _kind(self, func: Func, site: AllocationSite) -> Kind | None:
        """Of an allocation with __GFP_NOFAIL: written at this call, or by a helper below it; None if a function of the
        files asked for, that is no helper, has it in the list."""
        if self._writes(func, site):
            return "explicit"
        if not site.via:
            return "helper"  # the models know what it adds
        on_the_way = [f"{each.file}:{each.function}" in self._asked for each in site.via]
        if not any(on_the_way) and not site.width:
            return "helper"
        return "helper" if self._helpers.brings(func, site.block, site.position) else None

    def _writes(self, func: Func, site: AllocationSite) -> bool:
        """True if the flags that this call is given have __GFP_NOFAIL."""
        call = site.call
        if not 0 <= call.gfp < len(call.args):
            return False
        argument = call.args[call.gfp]
        if isinstance(argument, Const):
            return bool(argument.value & self._nofail)
        if not site.via:
            entry = self._engine.effects.allocator(call)
            return entry is None or "__GFP_NOFAIL" not in entry.adds
        settled = self._origins.below(site).flags
        return settled is None or settled.has(TOKEN) is not True

    def _may_write(self, func: Func, site: AllocationSite) -> bool:
        """True if the function adds __GFP_NOFAIL to flags that it was given, on some of the ways to the call."""
        number = site.call.gfp
        if not 0 <= number < len(site.call.args) or all(c.flags.zeros & self._nofail for c in site.contexts):
            return False
        names = names_in(site.call.args[number])
        return any(
            isinstance(instr, Assign) and instr.dst in names and _adds(instr.src, self._nofail)
            for block in func.blocks
            for instr in block.instrs
        )

    def _requirement(
        self,
        key: str,
        kind: Kind,
        site: AllocationSite,
        contexts: Sequence[Context],
        unless: tuple[str, ...],
        function: Function,
        allocation: Allocation,
    ) -> Requirement:
        func = self._program.functions[key]
        size, type_, cache = self._sizes.of(func, site)
        shown = [allocation.situations[site.contexts.index(context)] for context in contexts]
        transactions = frozenset[str]().union(self._transactions.around(key), *map(self._transactions.at, contexts))
        return Requirement(
            "",
            kind,
            func.file,
            allocation.place.line,
            allocation.place.col,
            func.name,
            allocation.call,
            site.name,
            tuple(f"{place.file}:{place.line} {place.function}" for place in allocation.via),
            type_,
            size,
            cache,
            _joined(str(situation.flags) for situation in shown),
            _joined(str(situation.effective) for situation in shown),
            _held(shown, function.ways),
            tuple(sorted({str(scope) for situation in shown for scope in situation.scopes})),
            tuple(sorted({way.context or "called" for way in function.ways})),
            tuple(sorted(transactions)),
            self._handles(func),
            unless,
        )

    def _handles(self, func: Func) -> bool:
        """True if the function says of something that it has failed: the caller is ready for that."""
        if func.ret == "void":
            return False
        outcomes = self._engine.summary(f"{func.file}:{func.name}").outcomes
        if any(outcome.value.is_error for outcome in outcomes):
            return True
        if func.ret.endswith("*"):
            known = {outcome.value.truth for outcome in outcomes}
            return False in known and len(known) > 1
        errors = (instr.src if isinstance(instr, Assign) else None for block in func.blocks for instr in block.instrs)
        returned = (block.term.value for block in func.blocks if isinstance(block.term, Return))
        return any(isinstance(e, Const) and -MAX_ERRNO <= e.value < 0 for e in (*errors, *returned))


def _adds(expr: Expr, bit: int) -> bool:
    """True if `expr` is made by setting `bit`."""
    if isinstance(expr, Const):
        return bool(expr.value & bit)
    return isinstance(expr, Bin) and expr.op == "|" and (_adds(expr.left, bit) or _adds(expr.right, bit))


def _held(situations: Sequence[Situation], ways: Sequence[Way]) -> tuple[Held, ...]:
    """The locks that may be held: those of the function itself, then those of its callers."""
    found: dict[tuple[str, str], Held] = {}
    for own, sets in (("here", [s.locks for s in situations]), ("callers", [way.locks for way in ways])):
        for locks in sets:
            for lock in locks:
                if lock.is_context:
                    continue
                always = all(any(o.cls == lock.cls and not o.may for o in others) for others in sets)
                by = "here" if own == "here" and lock.origin == "taken" else "callers"
                found.setdefault((lock.cls, lock.kind), Held(lock.cls, lock.kind, by, not always))  # type: ignore[arg-type]
    return tuple(sorted(found.values()))


def _joined(texts: Iterator[str]) -> str:
    return " or ".join(dict.fromkeys(texts))
