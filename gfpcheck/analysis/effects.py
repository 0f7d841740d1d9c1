"""What a single call does by itself, as the models say: locks, scopes, allocations."""

from __future__ import annotations

from collections.abc import Iterable

from gfpcheck.analysis import values
from gfpcheck.analysis.paths import canonical, class_of, deref, has_class, is_exact, names_in, owner, show
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.scopes import Scopes
from gfpcheck.analysis.state import NO_OBJECT, HeldLock, Origin, Release, Site, State, anonymous
from gfpcheck.analysis.values import Value
from gfpcheck.analysis.words import read_word
from gfpcheck.ir import Call, Expr, Field, Func, Temp, Var
from gfpcheck.models import CONTEXT_KINDS, PREEMPTION_OFF, Allocator, GfpFlags, LockOp, Models

GFP_BITS = 0xFFFFFFFF
MAX_COUNT = 4

_SAME_KIND = {"raw_spin": "spin"}
"""Kinds that one unlock function serves."""


class Effects:
    """Applies model entries to states. One object serves a whole program."""

    def __init__(self, program: Program, models: Models, gfp: GfpFlags) -> None:
        self.program = program
        self.models = models
        self.gfp = gfp
        self.scopes = Scopes(program, models, gfp)
        self._ops: dict[str, dict[Call, tuple[LockOp, ...]]] = {}
        self._passes: dict[str, bool] = {}

    # --- recognising -----------------------------------------------------------------------

    def lock_ops(self, func: Func, call: Call) -> tuple[LockOp, ...]:
        """The lock operations of `call`: by the function called, else by that and the macro that was typed."""
        key = f"{func.file}:{func.name}"
        known = self._ops.get(key)
        if known is None:
            known = self._ops[key] = self._find_ops(func)
        return known.get(call, ())

    def _find_ops(self, func: Func) -> dict[Call, tuple[LockOp, ...]]:
        found: dict[Call, tuple[LockOp, ...]] = {}
        for _, _, call in self.program.calls(func):
            name = callee_name(call)
            ops = self.models.locks.get(name) or self.models.macros.get((call.macro, name))
            if ops:
                found[call] = ops
        return found

    def allocator(self, call: Call) -> Allocator | None:
        """The entry of an allocating function; None for a call that does not allocate.

        Any function with a `gfp_t` argument allocates unless the models say otherwise; one with a
        body, only if it hands its flags on.
        """
        name = callee_name(call)
        if name in self.models.not_allocators:
            return None
        entry = self.models.allocators.get(name) if name else None
        if entry is not None and (entry.flags or entry.word or call.gfp >= 0):
            return entry
        return Allocator() if call.gfp >= 0 else None

    def concerns(self, func: Func, call: Call) -> bool:
        """True if the call has an effect of its own that the interpreter must see."""
        return bool(self.lock_ops(func, call)) or self.scopes.concerns(call) or self.allocates(func, call)

    def allocates(self, func: Func, call: Call) -> bool:
        """True if the call is to be seen as an allocation of its own. A function of a C file that takes flags is
        not: its summary says what it allocates."""
        if self.allocator(call) is None:
            return False
        if call.gfp < 0 or callee_name(call) in self.models.allocators:
            return True
        callees = self.program.callees(call, func)
        return not callees or all(self._passes_flags_on(callee) for callee in callees)

    def _passes_flags_on(self, key: str) -> bool:
        """True for an inline function of a header that hands its `gfp_t` parameter to an allocator."""
        known = self._passes.get(key)
        if known is not None:
            return known
        self._passes[key] = False
        func = self.program.functions[key]
        result = func.file not in self.program.own_files and any(
            call.gfp >= 0 and self.allocates(func, call) for _, _, call in self.program.calls(func)
        )
        self._passes[key] = result
        return result

    # --- allocations -----------------------------------------------------------------------

    def allocation_flags(self, func: Func, call: Call, arguments: tuple[Expr, ...], state: State) -> Value | None:
        """The flags that the allocation is asked for with, before scopes; None if it is none."""
        if not self.allocates(func, call):
            return None
        entry = self.allocator(call)
        assert entry is not None
        if entry.flags:
            return values.const(self.gfp.parse(entry.flags))
        number = entry.word_arg if entry.word else call.gfp
        value = state.value(arguments[number]) if number < len(arguments) else values.TOP
        if entry.word:
            value = read_word(self.models.words[entry.word], value, self.gfp)
        value = value._replace(ones=value.ones & GFP_BITS, zeros=value.zeros | (values.ALL & ~GFP_BITS))
        if entry.adds:
            value = values.bit_or(value, values.const(self.gfp.parse(entry.adds)))
        if entry.clears:
            value = values.bit_and(value, values.bit_not(values.const(self.gfp.parse(entry.clears))))
        return value

    def never_fails(self, flags: Value) -> bool:
        nofail = self.gfp.nofail
        return bool(nofail) and flags.ones & nofail == nofail

    def during(self, call: Call, arguments: tuple[Expr, ...], state: State, function: str) -> State:
        """`state` while the call allocates: without the lock that it releases itself, be it the caller's."""
        entry = self.allocator(call)
        if entry is None or entry.drops_arg < 0 or entry.drops_arg >= len(arguments):
            return state
        dropped = _object_at(arguments[entry.drops_arg], entry.drops_member)
        cls = class_of(dropped, function)
        without = state.copy()
        self.release_with_contexts(without, Release(dropped, cls, self._kind_of(cls, "spin")), function)
        return without

    def release_with_contexts(self, state: State, release: Release, function: str) -> None:
        """Take the lock out of what is held for as long as somebody allocates, and the contexts that were entered with
        it."""
        number = _find_held(
            state.locks, release.instance, class_here(release.cls, release.instance, function), release.kind
        )
        site = None if number is None else state.locks[number].site
        self.release(state, release.instance, release.cls, release.kind, function)
        state.locks = tuple(lock for lock in state.locks if lock.kind not in CONTEXT_KINDS or lock.site != site)

    def display_name(self, call: Call) -> str:
        """The allocator as the source names it."""
        return call.macro or callee_name(call) or show(call.callee)

    # --- locks -----------------------------------------------------------------------------

    def apply_locks(
        self,
        ops: tuple[LockOp, ...],
        call: Call,
        arguments: tuple[Expr, ...],
        state: State,
        site: Site,
        acquired: dict[HeldLock, bool],
    ) -> list[State]:
        """The states after the lock operations of one call: two if it may or may not succeed."""
        test = next((op for op in ops if op.when != "always"), None)
        if test is None:
            for op in ops:
                self._apply_op(op, call, arguments, state, site, acquired)
            return [state]
        tested = arguments[test.when_arg] if 0 <= test.when_arg < len(arguments) else Temp(call.dst)
        success, failure = values.OUTCOMES[test.when]
        after = []
        for happened, value in ((True, success), (False, failure)):
            current = state.copy()
            if current.learn(tested, value):
                for op in ops:
                    if op.when == "always" or (op.when == test.when) == happened:
                        self._apply_op(op, call, arguments, current, site, acquired)
                after.append(current)
        return after

    def _apply_op(
        self,
        op: LockOp,
        call: Call,
        arguments: tuple[Expr, ...],
        state: State,
        site: Site,
        acquired: dict[HeldLock, bool],
    ) -> None:
        instance, cls = self._object(op, arguments, site.function)
        text = self._text(op, call, instance)
        kind = self._kind_of(cls, op.kind)
        if op.does == "release":
            for context in (op.kind, *op.disables):
                if context == "irq" and op.token < 0:
                    _leave_all(state, context)
            self.release(state, instance, cls, kind, site.function)
            for context in op.disables:
                self.release(state, NO_OBJECT, context, context, site.function)
        elif op.does == "downgrade":
            state.locks = tuple(
                lock._replace(mode="shared") if lock.instance == instance else lock for lock in state.locks
            )
        else:
            origin: Origin = "asserted" if op.does == "assert" else "taken"
            counted = 0 <= op.counter < len(arguments)
            last = counted and owner(deref(arguments[op.counter])) == owner(instance)
            lock = HeldLock(instance, cls, kind, op.mode, site, text, tried=op.try_, last=last, origin=origin)
            if op.does == "acquire":
                for context in op.disables:
                    self.acquire(state, HeldLock(NO_OBJECT, context, context, "exclusive", site, text))
                acquired.setdefault(lock, not op.try_)
                self.acquire(state, lock)
            else:
                self.assert_held(state, lock)

    def _object(self, op: LockOp, arguments: tuple[Expr, ...], function: str) -> tuple[Expr, str]:
        """Instance and class of the lock that `op` works on."""
        if op.kind in CONTEXT_KINDS:
            return NO_OBJECT, op.kind
        if op.arg < 0 or op.arg >= len(arguments):
            name = op.instance or op.kind
            return Var(name, "g"), name
        instance = self.without_inner(_object_at(arguments[op.arg], op.member))
        return instance, class_of(instance, function)

    def _text(self, op: LockOp, call: Call, instance: Expr) -> str:
        """The lock as this call writes it, if it writes a path."""
        if op.kind in CONTEXT_KINDS:
            return ""
        if 0 <= op.arg < len(call.args):
            written = self.without_inner(_object_at(canonical(call.args[op.arg]), op.member))
            if not any(isinstance(name, Temp) for name in names_in(written)):
                return show(written)
        return show(instance)

    def without_inner(self, instance: Expr) -> Expr:
        """The object that `instance` is, or is a part of that has no name of its own."""
        while isinstance(instance, Field) and f"{instance.record}.{instance.member}" in self.models.inner:
            instance = instance.base
        return instance

    def _kind_of(self, cls: str, kind: str) -> str:
        """The kind of lock that `cls` is, by its type; else `kind`, which the function called knows."""
        type_ = self.program.members.get(cls) or self.program.global_types.get(cls)
        return self.models.lock_types.get(type_, kind) if type_ else kind

    def assert_held(self, state: State, lock: HeldLock) -> None:
        """Add `lock`, which is known to be held, unless it is: it, one that may be it by another name, or one that
        brings the context about and takes it away again when it is released. If it was doubted it is not any more."""
        if lock.kind == "irq" and "init" in self._annotations(lock.site):
            return  # before interrupts were ever switched on, when allocations are kept from waiting: GFP_BOOT_MASK
        if lock.kind == "preempt" and any(held.kind in PREEMPTION_OFF and not held.may for held in state.locks):
            return
        if not any(held.instance == lock.instance != NO_OBJECT or held.cls == lock.cls for held in state.locks):
            self.acquire(state, lock)
        elif any(held.may for held in state.locks):
            state.locks = tuple(
                held._replace(may=False) if held.may and held.instance == lock.instance != NO_OBJECT else held
                for held in state.locks
            )

    def _annotations(self, site: Site) -> tuple[str, ...]:
        func = self.program.functions.get(f"{site.file}:{site.function}")
        return () if func is None else func.annotations

    def acquire(self, state: State, lock: HeldLock) -> None:
        """Add `lock` to what is held."""
        for number, held in enumerate(state.locks):
            if held.instance == lock.instance and held.cls == lock.cls and _same_kind(held.kind, lock.kind):
                if lock.kind in CONTEXT_KINDS and held.nesting < MAX_COUNT:
                    nested = held._replace(nesting=held.nesting + lock.nesting)
                    state.locks = (*state.locks[:number], nested, *state.locks[number + 1 :])
                return
        for release in state.released:
            if release.instance == lock.instance and release.cls == lock.cls:
                state.released = tuple(other for other in state.released if other != release)
                return
        state.locks = (*state.locks, lock)

    def release(self, state: State, instance: Expr, cls: str, kind: str, function: str) -> None:
        """Take the lock out of what is held; if it is not held here, it was the caller's."""
        cls = class_here(cls, instance, function)
        number = _find_held(state.locks, instance, cls, kind)
        if number is None:
            release = Release(instance, cls, kind)
            if release not in state.released:
                state.released = (*state.released, release)
            return
        held = state.locks[number]
        rest = (held._replace(nesting=held.nesting - 1),) if held.nesting > 1 else ()
        state.locks = (*state.locks[:number], *rest, *state.locks[number + 1 :])
        if held.asserted:
            state.released = (*state.released, Release(instance, cls, kind))

    def holds(self, locks: Iterable[HeldLock], instance: Expr, cls: str, kind: str, function: str) -> bool:
        """True if one of `locks` is the one that a release of `instance` means."""
        return _find_held(tuple(locks), instance, class_here(cls, instance, function), kind) is not None


def _leave_all(state: State, context: str) -> None:
    """Interrupts are switched on: unlike what restores their state, that does not nest."""
    state.locks = tuple(lock._replace(nesting=1) if lock.kind == context else lock for lock in state.locks)


def class_here(cls: str, instance: Expr, function: str) -> str:
    """The class of a lock that another function knows as `cls`, and `function` as `instance`."""
    if is_exact(cls) or instance == anonymous(cls):
        return cls
    found = class_of(instance, function)
    return found if has_class(found) or not has_class(cls) else cls


def _object_at(argument: Expr, member: str) -> Expr:
    """The lock that a model entry places at `member` of what `argument` leads to (see `LockOp`)."""
    target = canonical(deref(argument))
    if member == "*":
        return canonical(deref(target))
    if member:
        record, _, name = member.rpartition(".")
        return Field(target, record, name)
    return target


def _same_kind(a: str, b: str) -> bool:
    return _SAME_KIND.get(a, a) == _SAME_KIND.get(b, b)


def _find_held(locks: tuple[HeldLock, ...], instance: Expr, cls: str, kind: str) -> int | None:
    """The held lock that an unlock of `instance` means: the same instance, else the last of its
    class (the same object by another name), else the only one that could be it."""
    for number in range(len(locks) - 1, -1, -1):
        if locks[number].instance == instance and _same_kind(locks[number].kind, kind):
            return number
    for number in range(len(locks) - 1, -1, -1):
        if locks[number].cls == cls and _same_kind(locks[number].kind, kind):
            return number
    if kind in CONTEXT_KINDS or instance == anonymous(cls):
        return None
    unclear = [
        number
        for number, lock in enumerate(locks)
        if _same_kind(lock.kind, kind) and not (is_exact(lock.cls) and is_exact(cls))
    ]
    return unclear[0] if len(unclear) == 1 else None
