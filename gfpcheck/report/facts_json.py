"""Facts as one JSON object. `schema_version` grows when a key changes its meaning or goes away."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from gfpcheck.findings import Place
from gfpcheck.report.facts import Facts, FunctionFacts, plain
from gfpcheck.rule_api import Allocation, Function, Lock, RetryLoop

SCHEMA_VERSION = 1

Letters = Mapping[Lock, str]


def lines(facts: Facts) -> Iterator[str]:
    """The lines to print: a function a line."""
    head = json.dumps({"schema_version": SCHEMA_VERSION, "root": facts.root, "setup": facts.setup})
    yield f'{head[:-1]}, "functions": ['
    last = len(facts.functions) - 1
    for number, function in enumerate(facts.functions):
        yield json.dumps(_function(function)) + ("," if number < last else "")
    yield "]}"


def _function(facts: FunctionFacts) -> dict[str, object]:
    function = facts.function
    letters = facts.locks()
    return {
        "name": function.name,
        "file": function.file,
        "line": function.place.line,
        "end_line": facts.end_line,
        "given_up": facts.given_up,
        "uncertain": function.uncertain,
        "sleep": function.sleep
        and {
            "always": function.sleep.always,
            "what": function.sleep.what,
            "way": [_place(place) for place in function.sleep.way],
        },
        "locks": {letter: _lock(lock, function) for lock, letter in letters.items()},
        "entries": [
            {
                "start": way.start,
                "context": way.context,
                "chain": [_place(place) for place in way.calls],
                "locks": [_way_lock(lock) for lock in way.locks],
                "scopes": [scope.kind for scope in way.scopes],
                "places": way.places,
                "targets": way.targets,
                "joined": way.joined,
            }
            for way in function.ways
        ],
        "lines": [
            {"line": line, "states": [{**_held(state.locks, letters), "scopes": state.scopes} for state in states]}
            for line, states in facts.lines.items()
        ],
        "allocations": [_allocation(allocation, letters) for allocation in function.allocations],
        "retry_loops": [_loop(loop) for loop in function.retry_loops],
    }


def _way_lock(lock: Lock) -> dict[str, object]:
    return {"class": lock.cls, "kind": lock.kind, "maybe": lock.may, **_place(lock.place)}


def _lock(lock: Lock, function: Function) -> dict[str, object]:
    path = function.reclaim_takes(lock)
    return {
        "class": lock.cls,
        "kind": lock.kind,
        "mode": lock.mode,
        "text": lock.text,
        "atomic": lock.atomic,
        "origin": lock.origin,
        "because": lock.because,
        **_place(lock.place),
        "via": [_place(place) for place in lock.via],
        "reclaim": path
        and {
            "root": path.root,
            "gate": path.gate,
            "steps": [{**_place(step.place), "text": step.text} for step in path.steps],
        },
    }


def _held(locks: tuple[Lock, ...], letters: Letters) -> dict[str, object]:
    """The locks by letter; `maybe` are those that only some of the joined paths hold."""
    return {
        "locks": [letters[lock] for lock in locks if not lock.may],
        "maybe": [letters[plain(lock)] for lock in locks if lock.may],
    }


def _allocation(allocation: Allocation, letters: Letters) -> dict[str, object]:
    return {
        **_place(allocation.place),
        "name": allocation.name,
        "call": allocation.call,
        "via": [_place(place) for place in allocation.via],
        "targets": allocation.targets,
        "situations": [
            {
                **_held(situation.locks, letters),
                "scopes": [scope.kind for scope in situation.scopes],
                "flags": str(situation.flags),
                "effective": str(situation.effective),
                "sleeps": situation.effective.sleeps,
            }
            for situation in allocation.situations
        ],
    }


def _loop(loop: RetryLoop) -> dict[str, object]:
    return {
        **_place(loop.place),
        "allocations": [allocation.name for allocation in loop.allocations],
        "unless": loop.unless,
        "waits": loop.waits,
    }


def _place(place: Place) -> dict[str, object]:
    return {"file": place.file, "line": place.line, "column": place.col, "function": place.function}
