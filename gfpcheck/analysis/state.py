"""Abstract states: what is held, which scopes are open, and what is known of values.

A program point carries one state for each *situation* (lock set, scopes, values of `gfp_t`
variables); states of the same situation are joined. This is what keeps `if (x) lock; ... if (x)
unlock;` apart without following every path: the two branches differ in their lock sets, and each
state remembers what `x` was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from typing import Literal, NamedTuple, TypeGuard

from gfpcheck.analysis import values
from gfpcheck.analysis.paths import (
    MAX_SIZE,
    canonical,
    followed,
    has_member_of_variable,
    is_member_of_variable,
    is_opaque,
    locals_in,
    members_in,
    names_in,
    parts,
    put,
    reads_memory,
    replace,
    root,
    size,
)
from gfpcheck.analysis.values import TOP, Value
from gfpcheck.ir import Addr, Bin, Const, Deref, Expr, Field, Index, Loc, Temp, Un, Var


class Site(NamedTuple):
    """A place in a function, which `word` and `nth` name as in `Loc`; or in a file's tables, as `ir.stored_at` says, if
    `function` is empty."""

    file: str
    function: str
    word: int
    nth: int

    @property
    def loc(self) -> Loc:
        """The place in the function."""
        return Loc(self.word, self.nth)


def chain(site: Site, via: tuple[Site, ...]) -> tuple[Site, ...]:
    """`site` and what it leads to, without the way round if that leads back to it."""
    return via[len(via) - 1 - via[::-1].index(site) :] if site in via else (site, *via)


NO_OBJECT = Const(0)
"""The instance of a context, which is no object."""

Origin = Literal["taken", "asserted", "annotated", "callback", "contract"]
"""How a lock is known to be held: the code took it; lockdep_assert_held() or the like; an annotation of the function;
the place where the function is registered; the documented locking of the member that it is stored in."""


class HeldLock(NamedTuple):
    """A lock that is held, or a context that is entered, on this path.

    `text` is the lock as the source writes it. `via` is the chain from the function's own line
    down to the acquisition, when a callee took it. `may`: only on some of the joined paths.
    `nesting` counts nested contexts. `tried`: taken by a trylock. `last`: only by who drops the last reference to its
    object. `origin`: how it is known to be held; unless it was "taken", a caller took it, and `because` says in words
    what proves that. `given_up`: an annotation says that the function releases it in the end, however it does that.
    """

    instance: Expr
    cls: str
    kind: str
    mode: str
    site: Site
    text: str
    via: tuple[Site, ...] = ()
    may: bool = False
    nesting: int = 1
    tried: bool = False
    last: bool = False
    origin: Origin = "taken"
    because: str = ""
    given_up: bool = False

    @property
    def named(self) -> str:
        """The lock as the source writes it, with its class if that does not say it."""
        return self.text if self.cls in self.text else f"{self.text} ({self.cls})"

    @property
    def asserted(self) -> bool:
        """True if it was held when the function was entered: the caller took it."""
        return self.origin != "taken"

    @property
    def identity(self) -> tuple[Expr, str, str, bool, int]:
        return (self.instance, self.kind, self.mode, self.may, self.nesting)


def anonymous(cls: str) -> Expr:
    """The instance of a lock of class `cls` that no path names any more: one for all of them."""
    return Var(f"<{cls}>", "l")


def distinct(locks: Iterable[HeldLock]) -> tuple[HeldLock, ...]:
    """The locks without those that are indistinguishable from an earlier one."""
    found: dict[tuple[Expr, str], HeldLock] = {}
    for lock in locks:
        found.setdefault((lock.instance, lock.kind), lock)
    return tuple(found.values())


class Release(NamedTuple):
    """A lock of the caller that this function has released."""

    instance: Expr
    cls: str
    kind: str


LOST = Var("<lost>", "g")
"""The token of a scope that no path names any more, or the place of one that somebody unknown may have."""


WAITING = "waiting"
"""The kind of the "scope" of a task whose state says that it is about to wait."""


class OpenScope(NamedTuple):
    """An allocation scope in force, or a state of the task. `token` is what the call that opened it returned, which
    ends it again; `kept` is the memory that the token was put into, or `LOST` if it was handed to somebody unknown.
    `inherited`: open at entry, because a parameter carries it. `of_object`: the token is an object (a transaction)."""

    kind: str
    token: Expr
    site: Site
    via: tuple[Site, ...] = ()
    inherited: bool = False
    kept: Expr | None = None
    of_object: bool = False

    @property
    def is_own(self) -> bool:
        """True if the function that is looked at is the one who has to close it: it alone has the token."""
        return not (self.inherited or self.of_object) and self.kept is None and self.token != LOST


class ClosedScope(NamedTuple):
    """A scope of the caller that this function has closed, by the token that it closed it with."""

    kind: str
    token: Expr


Key = tuple[object, ...]


class State:
    """One abstract state. Never changed in place once it has left the transfer function."""

    __slots__ = ("binds", "closed", "facts", "locks", "released", "scopes")

    def __init__(
        self,
        locks: tuple[HeldLock, ...] = (),
        released: tuple[Release, ...] = (),
        scopes: tuple[OpenScope, ...] = (),
        closed: tuple[ClosedScope, ...] = (),
        binds: dict[Expr, Expr] | None = None,
        facts: dict[Expr, Value] | None = None,
    ) -> None:
        self.locks = locks
        self.released = released
        self.scopes = scopes
        self.closed = closed
        self.binds = binds if binds is not None else {}
        self.facts = facts if facts is not None else {}

    def copy(self) -> State:
        return State(self.locks, self.released, self.scopes, self.closed, dict(self.binds), dict(self.facts))

    def key(self, split: Iterable[Expr]) -> Key:
        """What keeps states apart; `split` are the variables whose constant values do, too."""
        return (
            frozenset(lock.identity for lock in self.locks),
            frozenset(self.released),
            tuple((scope.kind, scope.inherited, scope.kept is not None) for scope in self.scopes),
            self.closed,
            tuple(self._choice(var) for var in split),
        )

    def _choice(self, name: Expr) -> object:
        """The constant, or the function, that `name` holds; None if that is not known."""
        bound = self.binds.get(name)
        return bound if isinstance(bound, Var) and bound.kind == "f" else self.eval(name).constant

    # --- reading ---------------------------------------------------------------------------

    def resolve(self, expr: Expr) -> Expr:
        """`expr` with local variables replaced by what they were last assigned, canonical."""
        if type(expr) is Const:
            return expr
        binds = self.binds
        plain = canonical(expr)
        if type(plain) is Var or type(plain) is Temp:
            return binds.get(plain, plain)
        if binds.keys().isdisjoint(names_in(plain)) and not has_member_of_variable(plain):
            return plain
        resolved = replace(plain, binds)
        return resolved if size(resolved) <= MAX_SIZE else plain

    def eval(self, expr: Expr) -> Value:
        """The value of `expr`."""
        return self.value(self.resolve(expr))

    def value(self, expr: Expr) -> Value:
        """The value of a resolved expression."""
        if type(expr) is Const:
            return values.const(expr.value)
        fact = self.facts.get(expr)
        if type(expr) is Bin:
            computed = values.binary(expr.op, self.value(expr.left), self.value(expr.right))
        elif type(expr) is Un:
            computed = values.unary(expr.op, self.value(expr.operand))
        elif type(expr) is Addr or (type(expr) is Var and expr.kind == "f"):
            computed = values.VALID_POINTER
        else:
            return fact if fact is not None else TOP
        if fact is None:
            return computed
        both = values.meet(computed, fact)
        return fact if both is None else both

    # --- writing (on a private copy only) --------------------------------------------------

    def learn(self, expr: Expr, value: Value) -> bool:
        """Add the fact that resolved `expr` is `value`; False if that cannot be."""
        met = values.meet(self.value(expr), value)
        if met is None:
            return False
        if not isinstance(expr, Const) and not is_opaque(expr):
            self.facts[expr] = met
        return True

    def assign(self, dst: Expr, src: Expr) -> None:
        """`dst = src`."""
        resolved = self.resolve(src)
        value = self.value(resolved)
        if isinstance(dst, Var | Temp) and not (isinstance(dst, Var) and dst.kind == "g"):
            members = self.members_of(src)
            self.forget(dst)
            for member, bound in members:
                self.binds[replace(member, {src: dst})] = bound
            if members:
                return  # a structure is copied member by member
            if isinstance(resolved, Const) or dst in names_in(resolved) or is_opaque(resolved):
                self._note(dst, value)
            elif size(resolved) < MAX_SIZE:
                self.binds[dst] = resolved
        else:
            target = self.place(dst)
            self.overwrite(target)
            if is_member_of_variable(target) and not is_opaque(resolved):
                self.binds[target] = resolved
                return
            self._note(target, value)
            if is_given(target):
                self.binds[target] = CHANGED if is_opaque(resolved) else resolved

    def store(self, target: Expr, value: Value, path: Expr | None) -> None:
        """A callee has put something of this `value`, which `path` names if it has one, into `target`."""
        if path is not None:
            self.assign(target, path)
        elif isinstance(target, Var | Temp):
            self.forget(target)
        else:
            self.overwrite(target)
            if is_given(target):
                self.binds[target] = CHANGED
        if value != TOP and not self.learn(self.resolve(target), value):
            self.facts[target] = value

    def place(self, lvalue: Expr) -> Expr:
        """The path of the memory that `lvalue` names (its own value is not looked at)."""
        if isinstance(lvalue, Field):
            return Field(self.place(lvalue.base), lvalue.record, lvalue.member)
        if isinstance(lvalue, Deref):
            return canonical(Deref(self.resolve(lvalue.base)))
        if isinstance(lvalue, Index):
            return Index(self.place(lvalue.base), self.resolve(lvalue.index))
        return lvalue

    def members_of(self, name: Expr) -> list[tuple[Expr, Expr]]:
        """What is known of the members of the local structure `name`: (member, what it was assigned)."""
        return [(m, e) for m, e in self.binds.items() if is_member_of_variable(m) and root(m) == name]

    def _unbind(self, bound: Expr) -> Value:
        """What `bound` was assigned is not called so any more; its value."""
        value = self.value(self.binds.pop(bound))
        if is_given(bound):
            self.binds[bound] = CHANGED
        return value

    def _note(self, expr: Expr, value: Value) -> None:
        if value != TOP:
            self.facts[expr] = value

    def forget(self, name: Expr) -> None:
        """`name` gets a new value: what is known of the old one goes on under the name of another local that has it,
        else it goes, and paths that began with it are marked old."""
        self._hand_on(name)
        if self.scopes:
            self._lose_tokens(lambda token: name in names_in(token))
        for bound in [b for b, e in self.binds.items() if name in names_in(e) or name in names_in(b)]:
            value = self._unbind(bound)
            if name not in names_in(bound):
                self._note(bound, value)
        for fact in [f for f in self.facts if name in names_in(f)]:
            del self.facts[fact]
        if any(name in names_in(lock.instance) for lock in self.locks):
            self.locks = distinct(
                lock._replace(instance=anonymous(lock.cls), may=True) if name in names_in(lock.instance) else lock
                for lock in self.locks
            )

    def forget_members(self, name: Expr, members: Set[tuple[str, str]]) -> None:
        """Some `members` of the local structure `name`, or of what it holds, get new values."""
        for bound in [b for b, e in self.binds.items() if _reads(b, name, members) or _reads(e, name, members)]:
            value = self._unbind(bound)
            if not _reads(bound, name, members):
                self._note(bound, value)
        for fact in [f for f in self.facts if _reads(f, name, members)]:
            del self.facts[fact]

    def overwrite(self, lvalue: Expr) -> None:
        """Memory at `lvalue` changes: forget what it, and anything that may be the same memory, held. What it held
        itself goes on under the name of a local that has it."""
        self._hand_on(lvalue)
        if self.scopes:
            self._lose_tokens(lambda token: may_read(token, lvalue))
        for bound in [b for b, e in self.binds.items() if may_read(e, lvalue) or b == lvalue]:
            value = self._unbind(bound)
            if bound != lvalue:
                self._note(bound, value)
        for fact in [f for f in self.facts if may_read(f, lvalue)]:
            del self.facts[fact]

    def _lose_tokens(self, is_gone: Callable[[Expr], bool]) -> None:
        """The scopes whose tokens, or their places, change are not named by them any more."""
        self.scopes = tuple(
            scope._replace(token=LOST, kept=LOST)
            if is_gone(scope.token)
            else scope._replace(kept=LOST)
            if scope.kept is not None and is_gone(scope.kept)
            else scope
            for scope in self.scopes
        )

    def _hand_on(self, old: Expr) -> None:
        """What is known of the value of `old`, which changes, is known by a local's name that was assigned it."""
        name = next((n for n, expr in self.binds.items() if expr == old and isinstance(n, Var | Temp)), None)
        if name is None:
            return
        del self.binds[name]
        self.binds = {bound: put(expr, old, name) for bound, expr in self.binds.items()}
        self.facts = {put(fact, old, name): value for fact, value in self.facts.items()}
        self.locks = tuple(lock._replace(instance=put(lock.instance, old, name)) for lock in self.locks)
        if self.scopes:
            self.scopes = tuple(scope._replace(token=put(scope.token, old, name)) for scope in self.scopes)

    def forget_memory(self, rechecked: Set[tuple[str, str]]) -> None:
        """Another iteration: what the loop reads again may have changed since, but not what was read into a local.
        Members that it does not look at are taken to be as they were."""
        changing = [f for f in self.facts if reads_memory(f) and _is_read_again(f, rechecked)]
        for fact in changing:
            self._hand_on(fact)
        for fact in changing:
            self.facts.pop(fact, None)

    def forget_own(self, stored: Iterable[Expr]) -> None:
        """Others may have changed what the function itself has `stored` in memory."""
        changing = [f for f in self.facts if reads_memory(f) and any(may_read(f, lvalue) for lvalue in stored)]
        for fact in changing:
            self._hand_on(fact)
        for fact in changing:
            self.facts.pop(fact, None)

    def keep_only(self, live: frozenset[Expr]) -> None:
        """Drop what is known of dead variables, so that more states become equal."""
        if self.binds:
            dead = [b for b in self.binds if not names_in(b) <= live]
            for bound in dead:
                del self.binds[bound]
        reachable = set(live)
        for expr in self.binds.values():
            reachable |= names_in(expr)
        for lock in self.locks:
            reachable |= names_in(lock.instance)
        gone = [f for f in self.facts if not locals_in(f) <= reachable]
        for fact in gone:
            del self.facts[fact]


CHANGED = Var("<changed>", "l")
"""What was stored where a parameter points, if that has no name any more."""


def is_given(lvalue: Expr) -> TypeGuard[Deref]:
    """True for what a parameter points at as a whole: `*p`."""
    return isinstance(lvalue, Deref) and isinstance(lvalue.base, Var) and lvalue.base.kind == "p"


def _is_read_again(expr: Expr, rechecked: Set[tuple[str, str]]) -> bool:
    members = members_in(expr)
    return not members or not members.isdisjoint(rechecked)


def _reads(expr: Expr, name: Expr, members: Set[tuple[str, str]]) -> bool:
    return name in names_in(expr) and not members_in(expr).isdisjoint(members)


def may_read(expr: Expr, lvalue: Expr) -> bool:
    """True if evaluating `expr` may read the memory at `lvalue`.

    Members alias members of the same name and record only; other pointers, equal paths only.
    """
    if isinstance(lvalue, Field):
        return (lvalue.record, lvalue.member) in members_in(expr)
    if isinstance(lvalue, Index):
        return any(isinstance(part, Index) and part.base == lvalue.base for part in parts(expr))
    return lvalue in parts(expr)


def join(a: State, b: State, widen: bool = False) -> State:
    """Both states of one situation in one. With `widen`, only what `a` knew remains, and of values that differ whether
    they are zero or errors: so a loop comes to an end."""
    merged = values.widen if widen else values.join
    binds = {name: expr for name, expr in a.binds.items() if b.binds.get(name) == expr}
    facts: dict[Expr, Value] = {}
    for expr, value in a.facts.items():
        other = b.facts.get(expr)
        if other == value or (other is None and _cannot_be_read(expr, b)):
            facts[expr] = value
        else:
            joined = merged(value, b.value(b.resolve(expr)) if other is None else other)
            if joined != TOP:
                facts[expr] = joined
    if not widen:
        for expr, value in b.facts.items():
            if expr not in a.facts:
                joined = value if _cannot_be_read(expr, a) else values.join(a.value(a.resolve(expr)), value)
                if joined != TOP:
                    facts[expr] = joined
    for name in {**a.binds, **b.binds}:
        if name in binds:
            continue
        if name not in facts and (not widen or name in a.binds):
            joined = merged(a.eval(name), b.eval(name))
            if joined != TOP:
                facts[name] = joined
        if is_given(name):
            binds[name] = CHANGED
    scopes = a.scopes if a.scopes == b.scopes else tuple(map(_one_of, a.scopes, b.scopes))
    return State(a.locks, a.released, scopes, a.closed, binds, facts)


def _one_of(a: OpenScope, b: OpenScope) -> OpenScope:
    """One of two scopes of a situation, which may have been opened in two places."""
    if a.token == b.token and a.kept == b.kept:
        return a
    token = a.token if a.token == b.token else LOST
    return a._replace(token=token, kept=LOST if token == LOST or a.kept is not None else None)


def _cannot_be_read(expr: Expr, state: State) -> bool:
    """True if `expr` follows a pointer that is NULL in `state`: whoever reads it has come by the other way."""
    return any(state.eval(pointer).truth is False for pointer in followed(expr))


def blur(a: State, b: State, widen: bool = False) -> State:
    """Two situations in one, when there are too many: what only one holds becomes "may". `widen` as in `join`."""
    held = {lock.identity[:3]: lock for lock in b.locks}
    locks = []
    for lock in a.locks:
        other = held.pop(lock.identity[:3], None)
        locks.append(lock if other is not None and not other.may else lock._replace(may=True))
    locks += [lock._replace(may=True) for lock in b.locks if lock.identity[:3] in held]
    shared = join(a, b, widen)
    scopes = a.scopes if len(a.scopes) <= len(b.scopes) else b.scopes
    released = tuple(dict.fromkeys((*a.released, *b.released)))
    return State(tuple(locks), released, scopes, a.closed, shared.binds, shared.facts)
