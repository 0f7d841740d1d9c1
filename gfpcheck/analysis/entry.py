"""Which allocation scopes are in force whenever a function is entered.

A scope that every known caller has open is open in the callee, too: most of a filesystem runs inside
transactions that it did not start itself. A function that may be called from elsewhere (no caller is known,
or it is stored in a member that nobody here calls through) is entered without any.
"""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.pointers import place_of
from gfpcheck.analysis.program import Program
from gfpcheck.ir import Var
from gfpcheck.models import Models

Scopes = frozenset[str]
_NONE: Scopes = frozenset()


class EntryScopes(NamedTuple):
    """The scopes in force at entry, by function id; functions without any are left out. `sure` are those that some
    function was seen to open, rather than that a parameter carries them."""

    scopes: dict[str, Scopes]
    sure: dict[str, Scopes]


def entry_scopes(program: Program, engine: Engine, models: Models) -> EntryScopes:
    """The scopes in force at entry of each function."""
    callers = _callers(program, engine, models)
    outside = _called_from_outside(program)
    known = frozenset(callers) - outside
    return EntryScopes(
        _fixpoint(program, known, {key: [(c, s) for c, s, _ in sites] for key, sites in callers.items()}),
        _fixpoint(program, known, {key: [(c, s) for c, _, s in sites] for key, sites in callers.items()}),
    )


def _fixpoint(
    program: Program, known: frozenset[str], callers: dict[str, list[tuple[str, Scopes]]]
) -> dict[str, Scopes]:
    """The scopes that all callers have open. Functions that are not `known` to be called from there alone have none."""
    everything = _NONE.union(*(scopes for sites in callers.values() for _, scopes in sites))
    if not everything:
        return {}
    entry: dict[str, Scopes] = {key: everything if key in known else _NONE for key in program.functions}
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
        if found != entry[key]:
            entry[key] = found
            pending += sorted(callees.get(key, ()))
    return {key: scopes for key, scopes in entry.items() if scopes}


def _callers(program: Program, engine: Engine, models: Models) -> dict[str, list[tuple[str, Scopes, Scopes]]]:
    """For each function its callers, each with the scopes that it has open at the call and those that it has opened."""
    callers: dict[str, list[tuple[str, Scopes, Scopes]]] = {}
    for caller, func in program.functions.items():
        facts = engine.facts[caller]
        for _, _, call in program.calls(func):
            reached = list(program.callees(call, func))
            if not (isinstance(call.callee, Var) and models.defers(call.callee.name)):
                reached += program.passed_functions(call, func.file)
            for callee in reached:
                site = (caller, facts.entered.get(callee, _NONE), facts.opened.get(callee, _NONE))
                callers.setdefault(callee, []).append(site)
    return callers


def _called_from_outside(program: Program) -> frozenset[str]:
    """Functions stored in members that no analysed function calls through: others do."""
    called = {
        place
        for func in program.functions.values()
        for _, _, call in program.calls(func)
        if not (isinstance(call.callee, Var) and call.callee.kind == "f") and (place := place_of(call.callee))
    }
    return frozenset(
        key for place in program.pointers.places() if place not in called for key in program.pointers.held(place)
    )
