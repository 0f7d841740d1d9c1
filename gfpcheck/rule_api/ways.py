"""What a rule is told about how a function comes to be called."""

from __future__ import annotations

from dataclasses import dataclass

from gfpcheck.findings import Place
from gfpcheck.rule_api.locks import Lock, Scope


@dataclass(frozen=True, slots=True)
class Way:
    """A way in which a function is entered, from the function `start` down: `calls` are the places of the calls, the
    outermost first; none if nobody is known to call the function, or whoever calls it because of where it is stored or
    registered. `locks` are held and `scopes` open when it is entered, whichever function on the way took them;
    `Lock.place` says where.

    `context` is what is known of how `start` itself is called: "irq", "bh", "rcu" or "preempt" for a callback in
    atomic context, "reclaim" for a function that memory reclaim calls, "thread" and "work" for the main function of a
    thread or a work item, "" where nothing is.

    Ways that bring the same are one, with the fewest calls; `places` is the number of calls of the function that bring
    it. `targets` is the number of functions that the widest function pointer on the way may mean, 0 if all calls are
    direct. `joined`: there are too many ways, and this one stands for all others, each of which has a part of what is
    held.
    """

    start: str
    context: str
    calls: tuple[Place, ...]
    locks: tuple[Lock, ...]
    scopes: tuple[Scope, ...]
    places: int = 1
    targets: int = 0
    joined: bool = False


def no_ways() -> tuple[Way, ...]:
    """The ways to a function that nothing is known of."""
    return ()
