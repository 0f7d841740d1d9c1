"""Which locks memory reclaim waits for, and the chain of calls that proves it.

Reclaim enters the analysed code through function pointers (models/data/reclaim.toml). Everything
called below such a root is searched for locks that are waited for; a trylock waits for nothing. A
lock inside the very object that a root is given and that nobody else can refer to any more (an inode
being evicted) cannot be held by the task that allocates, so it does not count.

An object of one module has that module's operations: below a root, a pointer means the functions nearest to the
module whose objects are being handled (neighbours.py), and a way through a pointer that may still mean many functions
is not sure. What the body of a root does not do without a flag of the allocation that reclaims, it does not do for one
that lacks the flag.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Set
from typing import NamedTuple

from gfpcheck.analysis import values
from gfpcheck.analysis.ahead import Ahead
from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.engine import Engine, Exploration, Given, Question
from gfpcheck.analysis.last_reference import last_reference_calls
from gfpcheck.analysis.neighbours import folder, nearest, same_module
from gfpcheck.analysis.paths import embedded_in, handed_on, has_class, owner, same_object
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.results import Acquisition
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.analysis.trace import Consts
from gfpcheck.analysis.works import Works
from gfpcheck.ir import OWN, Deref, Expr, Field, Func, Loc, Var
from gfpcheck.models import ATOMIC_KINDS, Models, ReclaimRoot

MAX_CHAIN = 16
MAX_VISITS = 3000
"""Functions looked at below one root."""
MANY = 8
"""More functions than this that a pointer may mean, and a way through it is not sure: hardly all are meant here."""
FAR = 8
"""Places on the way to a lock beyond which it is not sure that reclaim goes there: each call is one more condition."""
NEAR = 5
"""Calls on the way to a device beyond which it is not sure that data takes it: what is farther away handles errors."""
GATES = ("__GFP_FS", "__GFP_IO")
"""The flags without which reclaim may stop short, the one that more allocations lack first."""


class ReclaimLock(NamedTuple):
    """Reclaim takes this lock. `chain` holds the call sites from the root function down to the
    acquisition, which is the last; `gate` as in `ReclaimRoot`, or what the functions on the way ask for. `home` is the
    folder of the module whose objects are handled there. `sure`: no pointer on the way may mean many functions, and
    it is an allocating task that comes there. `io`: it is the way of data to a device."""

    cls: str
    kind: str
    mode: str
    gate: str
    root: str
    entry: Site
    chain: tuple[Site, ...]
    text: str
    home: str
    sure: bool
    io: bool

    @property
    def rank(self) -> tuple[bool, int]:
        """What is worth more comes first."""
        return not self.sure, len(self.chain)


class IoWay(NamedTuple):
    """A function is run to bring data to a device: below this root, through these call sites."""

    root: str
    entry: Site
    chain: tuple[Site, ...]
    sure: bool


class _Known(NamedTuple):
    """What is known of a function that is looked at below a root, besides the way there. `mask` is where it finds the
    flags of the allocation, `given` what else is known there; `shielded`: allocations do not wait for I/O there."""

    key: str
    consts: Consts
    owned: frozenset[int]
    mask: Expr | None
    given: Given
    gate: str
    home: str
    sure: bool
    shielded: bool = False

    @property
    def question(self) -> Question:
        """What there is to find out about it."""
        return self.key, self.consts, self.mask, self.given


class _Visit(NamedTuple):
    known: _Known
    chain: tuple[Site, ...]


class Reclaim:
    """The locks that reclaim takes, by class, module and gate: the shortest chain for each. `io` are the functions on
    the way of data to a device. Functions `beyond` the paths asked for are not searched: what is asked about are the
    locks of these. It is found by at most `jobs` processes."""

    def __init__(
        self,
        program: Program,
        engine: Engine,
        models: Models,
        graph: CallGraph,
        beyond: Set[str] = frozenset(),
        jobs: int = 1,
    ) -> None:
        self._program = program
        self._engine = engine
        self._models = models
        self._ending: dict[str, frozenset[Loc]] = {}
        self._bits = [(engine.effects.gfp.mask(flag), flag) for flag in GATES]
        # Below all others there is nothing to be found.
        self._leading = graph.leading_to(
            key
            for key, facts in engine.facts.items()
            if facts.given_up
            or key in graph.vague
            or any(a.blocking and _is_slept_on(a.lock) for a in facts.acquisitions)
        )
        self._leading -= beyond
        sites = graph.leading_to(key for key, facts in engine.facts.items() if facts.sites)
        self._leading_io = self._leading | (sites - beyond)
        self._works = Works(program, models)
        self.io: dict[str, IoWay] = {}
        self.roots = 0
        self._locks: dict[str, dict[tuple[str, str, bool], ReclaimLock]] = {}
        self._filled: dict[str, set[str]] = {}
        self._users: dict[str, frozenset[str]] = {}
        with Ahead(engine, jobs) as self._ahead:
            for root in models.reclaim_roots:
                for key in program.pointers.held((root.record, root.member)):
                    self.roots += 1
                    self._filled.setdefault(_name(root), set()).add(folder(program.functions[key].file))
                    self._search(root, key)

    def ways(self, file: str) -> dict[str, tuple[ReclaimLock, ...]]:
        """The ways in which reclaim comes to wait for the locks that functions in `file` hold, by class, for each gate
        the best. A module that has a function of its own for a root is not entered through another's."""
        own = folder(file)
        found: dict[str, tuple[ReclaimLock, ...]] = {}
        for cls in sorted(self._locks):
            best: dict[tuple[str, bool], ReclaimLock] = {}
            for lock in self._ways_here(own, cls):
                key = (lock.gate, lock.io)
                if key not in best or lock.rank < best[key].rank:
                    best[key] = lock
            if best:
                found[cls] = tuple(sorted(best.values(), key=lambda lock: lock.rank))
        return found

    def _ways_here(self, own: str, cls: str) -> Iterator[ReclaimLock]:
        for lock in self._locks[cls].values():
            if same_module(own, lock.home) or own == folder(lock.chain[-1].file):
                yield lock
            elif own not in self._filled[lock.root]:
                yield lock._replace(sure=False)

    # --- the search ------------------------------------------------------------------------

    def _search(self, root: ReclaimRoot, start: str) -> None:
        func = self._program.functions[start]
        entry = Site(func.file, func.name, *OWN)
        owned = frozenset((root.owns,)) if root.owns >= 0 else frozenset[int]()
        mask = _given(func, root.mask, root.mask_member)
        nonzero = _given(func, root.owns, root.nonzero) if root.nonzero else None
        given: Given = () if nonzero is None else ((nonzero, values.NONZERO),)
        sure = func.file not in self._users_of(root.kept_by)
        first = _Known(start, (), owned, mask, given, root.gate, folder(func.file), sure)
        begin = [first]
        refused = self._refused(root, start)
        if refused:  # what is not refused may be met on the way, if seldom
            begin = [first._replace(given=(*given, *refused)), first._replace(sure=False)]
        queue = [(not known.sure, 0, number, _Visit(known, ())) for number, known in enumerate(begin)]
        seen = set(begin)
        while queue:
            *_, visit = heapq.heappop(queue)
            known = visit.known
            if root.io and not known.shielded:
                way = IoWay(_name(root), entry, visit.chain, known.sure and len(visit.chain) <= NEAR)
                old = self.io.get(known.key)
                if old is None or (not way.sure, len(way.chain)) < (not old.sure, len(old.chain)):
                    self.io[known.key] = way
            found = self._ahead.explore(known.question, (each.known.question for *_, each in reversed(queue)))
            owners = self._owners(known)
            for acquisition in found.acquisitions:
                self._record(root, entry, visit, acquisition, owners, found)
            if len(visit.chain) >= MAX_CHAIN:
                continue
            for below, site in self._below(root, known, found, owners):
                if below not in seen and len(seen) < MAX_VISITS:
                    seen.add(below)
                    chain = (*visit.chain, site)
                    heapq.heappush(queue, (not below.sure, len(chain), len(seen), _Visit(below, chain)))

    def _below(
        self, root: ReclaimRoot, known: _Known, found: Exploration, owners: frozenset[Expr]
    ) -> Iterator[tuple[_Known, Site]]:
        """The functions called, with what is known of them, and where; on the way to a device also those that are left
        to a worker. A work item that is made for one I/O surely has to be done for it."""
        leading = self._leading
        if root.io:
            leading = self._leading_io
            for key, site, own in self._works.put_off(known.key):
                if key in leading:
                    yield _Known(key, (), frozenset(), None, (), known.gate, known.home, known.sure and own), site
        pointed: dict[Site, list[str]] = {}
        for at, _ in found.calls:
            if at.pointed:
                pointed.setdefault(at.site, []).append(at.callee)
        meant = {site: nearest(keys, self._file, known.home) for site, keys in pointed.items()}
        for at, arguments in found.calls:
            if at.callee not in leading:
                continue
            doubtful = root.io and (at.handed or at.site.loc in self._last(known.key))
            home, sure = known.home, known.sure and not doubtful
            if at.pointed:
                if at.callee not in meant[at.site]:
                    continue
                sure = sure and len(meant[at.site]) <= MANY
                target = folder(self._file(at.callee))
                home = home if same_module(home, target) else target
            fixed = at.consts if any(number is not None for number in at.consts) else ()
            passed = frozenset(n for n, argument in enumerate(arguments) if same_object(argument, owners))
            names = [Var(param.name, "p") for param in self._program.functions[at.callee].params[: len(arguments)]]
            passed_as = dict(zip(arguments, names, strict=False))
            mask = None if known.mask is None else handed_on(known.mask, passed_as)
            there = ((handed_on(expr, passed_as), value) for expr, value in known.given)
            given = tuple((expr, value) for expr, value in there if expr is not None)
            gate, shielded = self._gate(known, found, at.site), known.shielded or at.shielded
            yield _Known(at.callee, fixed, passed, mask, given, gate, home, sure, shielded), at.site

    def _refused(self, root: ReclaimRoot, start: str) -> Given:
        """What is known of the object that `start` gets, since another method in the same table has answered no."""
        if not root.refused:
            return ()
        find, stores = self._program.find, self._program.stores
        tables = {
            (store.file, store.owner)
            for store in stores
            if (store.record, store.member) == (root.record, root.member) and find(store.function, store.file) == start
        }
        asked = {
            (store.file, store.owner): find(store.function, store.file)
            for store in stores
            if f"{store.record}.{store.member}" == root.refused and (store.file, store.owner) in tables
        }
        keys = set(asked.values())
        if len(asked) < len(tables) or len(keys) != 1 or (key := keys.pop()) is None:
            return ()
        own = _given(self._program.functions[start], root.owns, "")
        other = _given(self._program.functions[key], 0, "")
        if own is None or other is None:
            return ()
        known = ((handed_on(expr, {other: own}), value) for expr, value in self._engine.returning(key, 0))
        return tuple((expr, value) for expr, value in known if expr is not None)

    def _last(self, key: str) -> frozenset[Loc]:
        """The calls of function `key` that come with the end of an object: one that an I/O is for lives on."""
        if key not in self._ending:
            self._ending[key] = last_reference_calls(self._program.functions[key], self._models)
        return self._ending[key]

    def _users_of(self, name: str) -> frozenset[str]:
        """The files that call function `name`, or have it in a table."""
        if name and name not in self._users:
            program = self._program
            calling = (
                func.file
                for func in program.functions.values()
                for *_, call in program.calls(func)
                if callee_name(call) == name
            )
            stored = (store.file for store in program.stores if store.function == name)
            self._users[name] = frozenset((*calling, *stored))
        return self._users.get(name, frozenset())

    def _file(self, key: str) -> str:
        return self._program.functions[key].file

    def _gate(self, known: _Known, found: Exploration, site: Site) -> str:
        """The flag without which reclaim does not come to `site`."""
        if known.gate == GATES[0]:
            return known.gate
        demanded = found.demanded.get(site, 0)
        return next((flag for bit, flag in self._bits if demanded & bit), known.gate)

    def _owners(self, known: _Known) -> frozenset[Expr]:
        params = self._program.functions[known.key].params
        return frozenset(Var(params[n].name, "p") for n in known.owned if n < len(params))

    def _record(
        self,
        root: ReclaimRoot,
        entry: Site,
        visit: _Visit,
        acquisition: Acquisition,
        owners: frozenset[Expr],
        found: Exploration,
    ) -> None:
        lock, known = acquisition.lock, visit.known
        if not acquisition.blocking or acquisition.kept or not _waits(lock) or embedded_in(lock.instance, owners):
            return
        if lock.last:  # whoever holds the lock of an object has a reference to it: this is not the last one
            return
        chain = (*visit.chain, lock.site, *lock.via)
        gate = self._gate(known, found, lock.site)
        # Whoever works on an object whose lock is tried first holds that one, and is left alone.
        tried = frozenset(owner(other.lock.instance) for other in found.acquisitions if not other.blocking)
        sure = known.sure and len(chain) <= FAR and owner(lock.instance) not in tried
        sure = sure and not (root.io and lock.site.loc in self._last(known.key))
        home, name = known.home, _name(root)
        new = ReclaimLock(lock.cls, lock.kind, lock.mode, gate, name, entry, chain, lock.text, home, sure, root.io)
        locks = self._locks.setdefault(lock.cls, {})
        key = (known.home, gate, root.io)
        if key not in locks or new.rank < locks[key].rank:
            locks[key] = new


def _name(root: ReclaimRoot) -> str:
    return f"{root.record}.{root.member}".removeprefix("struct ")


def _given(func: Func, number: int, name: str) -> Expr | None:
    """Parameter `number` of `func`, or the member `name` of what it points at; None if there is no such parameter."""
    if not 0 <= number < len(func.params):
        return None
    given = Var(func.params[number].name, "p")
    record, _, member = name.rpartition(".")
    return Field(Deref(given), record, member) if member else given


def _waits(lock: HeldLock) -> bool:
    """True for locks that are slept on and can be told apart by class. Protection against freezing is none: it is
    always taken shared, and who freezes has waited for all holders before he needs memory."""
    return _is_slept_on(lock) and has_class(lock.cls) and lock.kind != "freeze"


def _is_slept_on(lock: HeldLock) -> bool:
    return lock.kind not in ATOMIC_KINDS and lock.kind != "srcu"
