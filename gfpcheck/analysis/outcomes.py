"""From the states in which a function returns to the outcomes that its callers see."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from gfpcheck.analysis import values
from gfpcheck.analysis.balance import consistent
from gfpcheck.analysis.paths import depth, has_class, names_in, put, reads_memory, replace
from gfpcheck.analysis.queries import asks
from gfpcheck.analysis.state import (
    LOST,
    WAITING,
    ClosedScope,
    HeldLock,
    Key,
    OpenScope,
    Release,
    State,
    anonymous,
    blur,
    distinct,
    is_given,
    join,
    may_read,
)
from gfpcheck.analysis.summary import ORIGIN, RETURNED, Facts, Outcome, Stored
from gfpcheck.analysis.values import TOP, Value
from gfpcheck.ir import Addr, Assign, Bin, Const, Deref, Expr, Field, Func, Index, Temp, Var

MAX_OUTCOMES = 8
MAX_FACTS = 6
SIMPLE = 2
OWNED = frozenset({"spin", "raw_spin", "rwlock", "seqlock", "mutex", "rwsem", "rt_mutex"})
"""Kinds that only the task that took the lock releases. Others (buffer and page locks, semaphores) change hands."""
MAX_POINTERS = 2
"""Pointers followed on the way to a lock that callers are told of. Beyond that, two readings of the path hardly
mean the same lock."""

Members = tuple[tuple[Expr, Expr], ...]
Terms = tuple[Expr, Expr]
"""An expression of the function, and what callers know it by."""

_NAMED = (RETURNED, ORIGIN)


def stores_for_callers(func: Func) -> bool:
    """True if the function stores where a parameter points."""
    instrs = (instr for block in func.blocks for instr in block.instrs)
    return any(isinstance(instr, Assign) and is_given(instr.dst) for instr in instrs)


class Names:
    """Which expressions of a function mean the same to its callers. `taken` are the classes of the locks that it has
    been seen to take, `doubted` those of which it may have released a caller's, `stored` the members that it assigns.
    `blurred`: a callee that is told by a parameter does too much to be kept apart."""

    def __init__(self, func: Func) -> None:
        changed: set[Expr] = set()
        stored: dict[Expr, None] = {}
        for block in func.blocks:
            for instr in block.instrs:
                if not isinstance(instr, Assign):
                    for argument in instr.args:
                        if isinstance(argument, Addr) and isinstance(argument.base, Var):
                            changed.add(argument.base)
                elif isinstance(instr.dst, Var):
                    changed.add(instr.dst)
                elif isinstance(instr.dst, Field) or is_given(instr.dst):
                    stored[instr.dst] = None
        self._fixed = frozenset(Var(param.name, "p") for param in func.params) - changed
        self.stored = tuple(expr for expr in stored if isinstance(expr, Field))
        self._given: dict[Expr, None] = {e: None for e in stored if is_given(e) and e.base in self._fixed}
        self._usable: dict[Expr, bool] = {}
        self.taken: set[str] = set()
        self.doubted: set[str] = set()
        self.blurred = False

    def store(self, target: Expr) -> None:
        """A callee stores into `target`: if that is where a parameter points, callers will know."""
        if is_given(target) and target.base in self._fixed and target not in self._given:
            self._given[target] = None
            self._usable.clear()

    def stores(self, state: State) -> Stored:
        """What the function has stored where its parameters point."""
        bound = ((place, state.binds.get(place)) for place in self._given)
        return tuple((place, state.value(place), self.means(own)) for place, own in bound if own is not None)

    def means(self, expr: Expr, terms: Iterable[Terms] = ()) -> Expr | None:
        """`expr` in terms that callers know (parameters, globals, what is returned); None if it has none."""
        for own, name in terms:
            expr = put(expr, own, name)
        if not _lasting(expr):
            return None
        for name in names_in(expr):
            known = name in self._fixed or name in _NAMED or (isinstance(name, Var) and name.kind in "gf")
            if not known:
                return None
        return expr

    def terms(self, state: State, returned: Expr | None) -> tuple[Terms, ...]:
        """What callers have a name for, because it is returned or stored for them."""
        first = self._returned(returned)
        bound = ((state.binds.get(place), place) for place in self._given)
        more = ((own, place) for own, place in bound if isinstance(own, Var | Temp) and self.means(own) is None)
        return (*more,) if first is None else (first, *more)

    def _returned(self, returned: Expr | None) -> Terms | None:
        """What the returned value names for callers: itself or, if it is a pointer into an object that they cannot
        name otherwise, that object."""
        if returned is None or isinstance(returned, Var | Temp):
            return None if returned is None else (returned, RETURNED)
        inner: Expr = returned
        while isinstance(inner, Addr | Field):
            inner = inner.base
        if not isinstance(inner, Deref) or inner is returned or self.means(returned) is not None:
            return None
        return inner.base, ORIGIN

    def releases(self, state: State, terms: Sequence[Terms] = (), finished: bool = False) -> tuple[Release, ...]:
        """The caller's locks that `state` has released, in the caller's terms. One that cannot be named stands for
        the caller's lock of its class, unless it was taken here under another name. When the function is `finished`,
        what its annotations say it releases is released."""
        found: dict[Release, None] = {}
        given = [Release(h.instance, h.cls, h.kind) for h in state.locks if h.given_up] if finished else []
        for release in (*state.released, *given):
            instance = self.means(release.instance, terms)
            if instance is not None:
                found[release._replace(instance=instance)] = None
            elif release.kind in OWNED and has_class(release.cls) and release.cls not in self.taken:
                found[release._replace(instance=anonymous(release.cls))] = None
        return tuple(found)

    def facts(self, state: State, simple: bool = False) -> Facts:
        """What `state` knows of the values that the caller passed; if `simple`, only of the parameters themselves
        and of what they point at directly."""
        found: list[tuple[Expr, Value]] = []
        for expr, value in state.facts.items():
            usable = self._usable.get(expr)
            if usable is None:
                usable = self._usable[expr] = self._is_usable(expr)
            if usable and (not simple or depth(expr) <= SIMPLE):
                known = Value(value.ones, value.zeros, value.nonzero, value.not_error)
                if known != TOP:
                    found.append((expr, known))
        return tuple(found)

    def _is_usable(self, expr: Expr) -> bool:
        """True if `expr` has in the whole function the value that the caller passed."""
        names = names_in(expr)
        known = all(name in self._fixed or (isinstance(name, Var) and name.kind == "g") for name in names)
        return bool(names) and known and not any(may_read(expr, stored) for stored in (*self.stored, *self._given))


class Returns:
    """Collects the returning states of one function, one for each situation and for each set of answers to the
    questions that it asks about the context; if `fine`, also to those about its parameters."""

    def __init__(self, func: Func, fine: bool = False) -> None:
        self.names = Names(func)
        self.fine = fine
        self.blurred = False
        self._pointer = func.ret.endswith("*")
        self._asserted: dict[HeldLock, None] = {}
        self._always: set[HeldLock] | None = None
        self._found: dict[Key, tuple[State, Value, Expr | None, Members, Stored]] = {}

    def add(self, state: State, returned: Expr | None) -> None:
        """`state` returns `returned`."""
        path: Expr | None = None
        members: Members = ()
        value = TOP
        if returned is not None:
            path = state.resolve(returned)
            value = state.value(path)
            members = self._members(state, path)
        self._note_asserted(state)
        stored = self.names.stores(state)
        terms = self.names.terms(state, path)
        state = self._exported(state, terms)
        if path is not None:
            origin = [each for each in terms if each[1] == ORIGIN]
            path = None if value.constant is not None else self.names.means(path, origin)
        number = value.constant  # a mode, flags, an answer; error codes are all alike
        kind = number if number is not None and number >= 0 else (value.truth, self._pointer and value.is_error)
        effects = state.locks or state.scopes or state.released or state.closed
        if self.fine and effects:
            asked = frozenset(self.names.facts(state))
        else:
            asked = frozenset((expr, known) for expr, known in state.facts.items() if asks(expr))
        put_there = tuple((place, known.truth) for place, known, _ in stored) if effects else ()
        situation: Key = (*state.key(()), asked, kind, (path, members) if effects or members else None, put_there)
        old = self._found.get(situation)
        if old is None and len(self._found) >= MAX_OUTCOMES:
            self.blurred = True
            situation = next(reversed(self._found))
            old = self._found[situation]
            state = blur(old[0], state)
        elif old is not None:
            state = join(old[0], state)
        if old is not None:
            value = values.join(old[1], value)
            path = path if path == old[2] else None
            members = members if members == old[3] else ()
            stored = _both(stored, old[4])
        self._found[situation] = (state, value, path, members, stored)

    def facts(self, value: Value) -> list[dict[Expr, Value]]:
        """What is known, in the caller's terms, in each of the states that may return `value`."""
        return [
            dict(self.names.facts(state))
            for state, returned, *_ in self._found.values()
            if values.meet(returned, value) is not None
        ]

    def outcomes(self) -> tuple[Outcome, ...]:
        """The distinct outcomes."""
        telling = _telling([dict(self.names.facts(state)) for state, *_ in self._found.values()])
        found = tuple(
            dict.fromkeys(
                Outcome(
                    value,
                    path,
                    members,
                    state.locks,
                    state.released,
                    state.scopes,
                    state.closed,
                    tuple((expr, known) for expr, known in self.names.facts(state) if expr in telling),
                    stored,
                )
                for state, value, path, members, stored in self._found.values()
            )
        )
        unnamed = _unnamed(found)
        found = consistent(_all_waiting(found), self.names.taken)
        self.names.doubted |= unnamed - _unnamed(found)
        if len(found) < 2 or any(outcome.has_effect for outcome in found):
            return found
        if len(found) <= 4 and any(o.value.constant is not None or o.value.tied for o in found):
            return found
        value, stored = found[0].value, found[0].stored
        for outcome in found[1:]:
            value = values.join(value, outcome.value)
            stored = _both(stored, outcome.stored)
        paths = {outcome.path for outcome in found}
        return (Outcome(value, paths.pop() if len(paths) == 1 else None, stored=stored),)

    def asserted(self) -> tuple[HeldLock, ...]:
        """The caller's locks that the function asserts are held, in the caller's terms; on some paths only: "may"."""
        return tuple(lock._replace(may=lock not in (self._always or ())) for lock in self._asserted)

    def _note_asserted(self, state: State) -> None:
        here = {
            lock._replace(instance=instance, may=False)
            for lock in state.locks
            if lock.origin == "asserted" and not lock.may and (instance := self.names.means(lock.instance)) is not None
        }
        self._asserted.update(dict.fromkeys(sorted(here, key=lambda lock: (lock.cls, lock.text, lock.site))))
        self._always = here if self._always is None else self._always & here

    def _exported(self, state: State, terms: Sequence[Terms]) -> State:
        """`state` with only those locks that callers can name, in their terms."""
        result = state.copy()
        result.locks = distinct(
            lock._replace(instance=instance)
            for lock in state.locks
            if not lock.asserted and (instance := self.names.means(lock.instance, terms)) is not None
        )
        result.scopes = tuple(self._scope(scope, terms) for scope in state.scopes if not scope.inherited)
        result.closed = tuple(ClosedScope(kind, self.names.means(token) or LOST) for kind, token in state.closed)
        result.released = self.names.releases(state, terms, finished=True)
        return result

    def _scope(self, scope: OpenScope, terms: Sequence[Terms]) -> OpenScope:
        """`scope` with its token in the caller's terms."""
        token = self.names.means(scope.token, terms)
        if token is not None:
            return scope._replace(token=token, kept=None if token == RETURNED else token)
        kept = self.names.means(scope.kept, terms) if scope.kept is not None else None
        return scope._replace(token=kept or LOST, kept=kept or LOST)

    def _members(self, state: State, path: Expr) -> Members:
        """The members of a returned local structure that callers can make sense of."""
        if not isinstance(path, Var | Temp):
            return ()
        known = [(replace(member, {path: RETURNED}), bound) for member, bound in state.members_of(path)]
        return tuple((member, bound) for member, bound in known if self.names.means(bound) is not None)


def _all_waiting(outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
    """The outcomes, without a task state that some of them leave and others do not: a function that is there to put the
    task into a state always does, and from others nobody comes back so, whatever was overlooked."""
    waiting = [any(scope.kind == WAITING for scope in outcome.opened) for outcome in outcomes]
    if all(waiting) or not any(waiting):
        return outcomes
    return tuple(
        outcome._replace(opened=tuple(scope for scope in outcome.opened if scope.kind != WAITING))
        for outcome in outcomes
    )


def _both(a: Stored, b: Stored) -> Stored:
    """What is stored in either case."""
    one, other = ({place: (value, path) for place, value, path in stored} for stored in (a, b))
    found = []
    for place in {**one, **other}:
        (value, path), (value_there, path_there) = one.get(place, (TOP, None)), other.get(place, (TOP, None))
        found.append((place, values.join(value, value_there), path if path == path_there else None))
    return tuple(found)


def _unnamed(outcomes: tuple[Outcome, ...]) -> set[str]:
    """The classes of the caller's locks that are released under a name which callers do not know."""
    return {r.cls for outcome in outcomes for r in outcome.released if r.instance == anonymous(r.cls)}


def _telling(facts: list[dict[Expr, Value]]) -> frozenset[Expr]:
    """The expressions whose values tell some of the outcomes apart, the simplest first."""
    found = []
    for expr in dict.fromkeys(expr for known in facts for expr in known):
        present = [known[expr] for known in facts if expr in known]
        if any(values.meet(a, b) is None for a, b in itertools.combinations(present, 2)):
            found.append(expr)
    return frozenset(sorted(found, key=depth)[:MAX_FACTS])


def _lasting(expr: Expr) -> bool:
    """True if the path means the same memory to the caller afterwards: few pointers, no computed index, no
    element of a list."""
    pointers = 0
    while isinstance(expr, Field | Deref | Addr | Index):
        if isinstance(expr, Index) and not isinstance(expr.index, Const | Var):
            return False
        pointers += isinstance(expr, Deref)
        expr = expr.base
    return pointers <= MAX_POINTERS and not (isinstance(expr, Bin) and reads_memory(expr))
