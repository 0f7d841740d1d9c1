"""What a rule is told about the calls of a function that need not allocate anything."""

from __future__ import annotations

from dataclasses import dataclass

from gfpcheck.findings import Place
from gfpcheck.rule_api.locks import Lock, Scope


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that the models say of a function.

    `does` is "acquire", "release", "downgrade" or "assert" with the `kind` of lock or context, "open" or "close" with
    that of a scope, "allocate" with the allocator's family, "register" with the context that a callback is called in,
    or "noreturn".
    """

    does: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class CallSituation:
    """One way in which a call is reached: the `locks` held, the `scopes` in force, and the `values` of the arguments as
    far as they are known constants."""

    locks: tuple[Lock, ...]
    scopes: tuple[Scope, ...]
    values: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A call in the source.

    `name` is what the source names, `function` the function that this leaves after macro expansion: the same, but for
    `spin_lock_irqsave` and its like; empty for a call through a pointer. `place` is where, `arguments` are the
    arguments as C, `situations` the ways in which it is reached, none if it never is. `effects` is what the models say
    of the function.
    """

    name: str
    function: str
    place: Place
    arguments: tuple[str, ...]
    situations: tuple[CallSituation, ...]
    effects: tuple[Effect, ...]


def no_calls() -> tuple[Call, ...]:
    """The calls of a function that nothing is known of."""
    return ()
