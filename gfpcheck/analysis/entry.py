"""Which allocation scopes are in force whenever a function is entered.

A scope that every known caller has open is open in the callee, too: most of a filesystem runs inside
transactions that it did not start itself. A function that may be called from elsewhere (no caller is known,
or it is stored in a member that nobody here calls through) is entered without any.
"""

from __future__ import annotations

from collections.abc import Collection, Set
from typing import NamedTuple

from gfpcheck.analysis.edges import Edges

Scopes = frozenset[str]
_NONE: Scopes = frozenset()


class EntryScopes(NamedTuple):
    """The scopes in force at entry, by function id; functions without any are left out. `sure` are those that some
    function was seen to open, rather than that a parameter carries them."""

    scopes: dict[str, Scopes]
    sure: dict[str, Scopes]


def entry_scopes(functions: Collection[str], edges: Edges) -> EntryScopes:
    """The scopes in force at entry of each of the `functions`."""
    every: dict[str, list[tuple[str, Scopes]]] = {}
    own: dict[str, list[tuple[str, Scopes]]] = {}
    for caller in functions:
        for edge in edges.of(caller):
            if edge.passed:
                continue  # where it is passed says more of it than all who call the function that it is passed to
            opened = [calling.scopes for calling in edge.callings]
            always = all(opened)  # seldom
            kinds = [frozenset(scope.kind for scope in scopes) for scopes in opened] if always else [_NONE]
            every.setdefault(edge.callee, []).append((caller, kinds[0].intersection(*kinds)))
            if always:
                kinds = [frozenset(scope.kind for scope in scopes if not scope.inherited) for scopes in opened]
            own.setdefault(edge.callee, []).append((caller, kinds[0].intersection(*kinds)))
    known = every.keys() - edges.outside
    return EntryScopes(_fixpoint(functions, known, every), _fixpoint(functions, known, own))


def _fixpoint(
    functions: Collection[str], known: Set[str], callers: dict[str, list[tuple[str, Scopes]]]
) -> dict[str, Scopes]:
    """The scopes that all callers have open. Functions that are not `known` to be called from there alone have none."""
    everything = _NONE.union(*(scopes for sites in callers.values() for _, scopes in sites))
    if not everything:
        return {}
    entry: dict[str, Scopes] = {key: everything if key in known else _NONE for key in functions}
    callees: dict[str, set[str]] = {}
    for callee, sites in callers.items():
        for caller, _ in sites:
            callees.setdefault(caller, set()).add(callee)
    pending = sorted(entry)
    while pending:
        key = pending.pop()
        if not entry[key]:
            continue
        found = everything
        for caller, scopes in callers[key]:
            found &= entry[caller] | scopes
            if not found:
                break
        if found != entry[key]:
            entry[key] = found
            pending += sorted(callees.get(key, ()))
    return {key: scopes for key, scopes in entry.items() if scopes}
