"""What a rule is told about how a function comes to be called."""

from __future__ import annotations

from dataclasses import dataclass

from gfpcheck.findings import Place
from gfpcheck.rule_api.locks import Lock, Scope


@dataclass(frozen=True, slots=True)
class Way:
    """A way in which a function comes to be called, from the function `start` down: `calls` are the places of the
    calls, the outermost first. Where somebody holds something the way ends: `locks` are held, and `scopes` open, in
    `start`.

    `context` is what is known of how `start` itself is called: "irq", "bh", "rcu" or "preempt" for a callback in
    atomic context, "reclaim" for a function that memory reclaim calls, "thread" and "work" for the main function of a
    thread or a work item, "" where nothing is.
    """

    start: str
    context: str
    calls: tuple[Place, ...]
    locks: tuple[Lock, ...]
    scopes: tuple[Scope, ...]


def no_ways() -> tuple[Way, ...]:
    """The ways to a function that nothing is known of."""
    return ()
