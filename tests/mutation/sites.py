"""Sites whose flags are written at the call: the call, what passes the flags down, what is held there."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .claims import Evidence, Step, Unsure
from .ctext import Call, Function, Source
from .folder import CallSite, Folder
from .regions import Op, Situation, situations

MAX_DEPTH = 3
"""Calls between lock and allocation up to which claims are made."""

# They look at flags, keep them for later, or drop the caller's lock when the flags allow it.
_NO_ALLOCATORS = re.compile(
    r"[A-Z_0-9]+|gfp\w*|sk_gfp_mask|mapping_set_gfp_mask|memalloc_retry_wait|xa_init_flags|__xa_\w+|__idr_\w+"
)


def flagged_call(source: Source, offset: int) -> tuple[Function, Call, int]:
    """The function, the call and the number of the argument that the flags at `offset` are. Raises Unsure."""
    function = source.function_at(offset)
    if function is None:
        raise Unsure("not in a function")
    call = source.call_around(offset)
    if call is None:
        raise Unsure("the flags are no argument of a call")
    for number, (text, start) in enumerate(call.args):
        if start <= offset < start + len(text) + 2:
            if not re.fullmatch(r"[\w\s|()]+", text):
                raise Unsure("the flags are computed")
            if _NO_ALLOCATORS.fullmatch(call.name):
                raise Unsure("not an allocation")
            return function, call, number
    raise Unsure("the flags are no argument of a call")


def passed_down(
    folder: Folder, source: Source, call: Call, argument: int, ops: Mapping[str, Op], depth: int = 0
) -> tuple[int, Evidence]:
    """How many calls below `call` its flags reach a function defined elsewhere, and the chain. Raises Unsure."""
    if source.code[: call.start].rstrip().endswith(("->", ".")):
        raise Unsure("the flags are passed on through a pointer")
    callee = folder.define(call.name, source.name)
    if callee is None:
        return 0, ()
    if depth == MAX_DEPTH or argument >= len(callee.params):
        raise Unsure("the flags are passed down too far")
    below = folder.source_of(callee)
    flags = callee.params[argument]
    handed_on = re.compile(rf"{re.escape(flags)}(\s*\|\s*[A-Z_]+)*")
    for match in re.compile(rf"\b{re.escape(flags)}\b").finditer(below.code, callee.start, callee.end):
        inner = below.call_around(match.start())
        if inner is None or _NO_ALLOCATORS.fullmatch(inner.name):
            continue
        number = next((n for n, (text, _) in enumerate(inner.args) if handed_on.fullmatch(text)), None)
        if number is None:
            continue
        if situation_at(below, callee, inner.start, ops, missing_ok=True).drops:
            raise Unsure("the callee releases a lock that it has not taken")
        further, chain = passed_down(folder, below, inner, number, ops, depth + 1)
        here = Step(below.name, below.line(inner.start), f"{callee.name}() passes {flags} to {inner.name}()")
        return further + 1, (here, *chain)
    raise Unsure("the callee does not visibly pass the flags on")


def situation_at(
    source: Source, function: Function, offset: int, ops: Mapping[str, Op], missing_ok: bool = False
) -> Situation:
    """What is held at `offset`. Raises Unsure if no path leads there, unless `missing_ok`."""
    found = situations(source, function, ops, [offset]).get(offset)
    if found is None:
        if missing_ok:
            return Situation((), True)
        raise Unsure("the text shows no path to the site")
    return found


def called(site: CallSite) -> Step:
    line = site.source.line(site.call.start)
    return Step(site.source.name, line, f"{site.caller.name}() calls {site.call.name}()")
