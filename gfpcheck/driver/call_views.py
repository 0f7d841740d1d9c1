"""The calls of a function as the rule API shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from gfpcheck import ir
from gfpcheck.analysis.engine import Engine, Held
from gfpcheck.analysis.paths import show
from gfpcheck.analysis.program import callee_name
from gfpcheck.analysis.state import HeldLock
from gfpcheck.driver.places import Places
from gfpcheck.rule_api import Call, CallSituation, Effect, Lock, Scope


class CallViews:
    """Builds `Call` objects for rules. One object serves a whole program; `lock` shows a lock as rules see it."""

    def __init__(self, engine: Engine, places: Places, lock: Callable[[HeldLock], Lock]) -> None:
        self._engine = engine
        self._places = places
        self._lock = lock

    def of(self, key: str, entry: frozenset[str]) -> tuple[Call, ...]:
        """The calls of function `key`, which is entered with the scopes `entry`, in order."""
        func = self._engine.program.functions[key]
        calls = {(block, index): call for block, index, call in self._engine.program.calls(func)}
        held = self._engine.watch(key, calls)
        found = (self._call(func, call, held[point], entry) for point, call in calls.items())
        return tuple(sorted(found, key=lambda call: call.place))

    def _call(self, func: ir.Func, call: ir.Call, held: Iterable[Held], entry: frozenset[str]) -> Call:
        return Call(
            self._engine.effects.display_name(call),
            callee_name(call),
            self._places.at(func, call.loc),
            tuple(map(show, call.args)),
            tuple(dict.fromkeys(self._situation(each, entry) for each in held)),
            tuple(dict.fromkeys(self._effects(func, call))),
        )

    def _situation(self, held: Held, entry: frozenset[str]) -> CallSituation:
        scopes = tuple(map(Scope, with_entry(entry, held.scopes)))
        return CallSituation(tuple(map(self._lock, held.locks)), scopes, held.values)

    def _effects(self, func: ir.Func, call: ir.Call) -> Iterator[Effect]:
        """What the models say of the function called."""
        effects, models, name = self._engine.effects, self._engine.effects.models, callee_name(call)
        for op in effects.lock_ops(func, call):
            yield Effect(op.does, op.kind)
            yield from (Effect(op.does, context) for context in op.disables)
        scope = effects.scopes.operation(call)
        if scope is not None:
            yield Effect(scope.does, scope.kind)
        allocator = effects.allocator(call) if effects.allocates(func, call) else None
        if allocator is not None:
            yield Effect("allocate", allocator.family)
        if name in models.callbacks:
            yield Effect("register", models.callbacks[name].context)
        if name in models.noreturn:
            yield Effect("noreturn")


def with_entry(entry: frozenset[str], scopes: Iterable[str]) -> tuple[str, ...]:
    """The kinds of scopes in force: those open at entry, then those opened here."""
    return (*sorted(entry), *dict.fromkeys(kind for kind in scopes if kind not in entry))
