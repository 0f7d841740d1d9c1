"""Functions that certainly allocate with GFP_KERNEL: in a statement of their outermost block."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .claims import Evidence, Step
from .ctext import Call, Function, Source
from .folder import Folder
from .regions import Op
from .sites import MAX_DEPTH, situation_at

_FLAGS = re.compile(r"GFP_KERNEL(?:\s*\|\s*__GFP_(?:ZERO|NOWARN|COMP))*")
_WORDS = re.compile(r"[{}]|\b(?:return|goto)\b|\b([A-Za-z_]\w*)\s*\(")

Way = tuple[int, Evidence]
"""The number of calls down to an allocation, and the chain as evidence."""


def kernel_call(call: Call) -> bool:
    """True if an argument of `call` is GFP_KERNEL, and the call is not one that only looks at flags."""
    return any(_FLAGS.fullmatch(text) for text, _ in call.args) and not call.name.isupper()


class KernelAllocations:
    """The GFP_KERNEL allocations that calls in one directory always come to."""

    def __init__(self, folder: Folder, ops: Mapping[str, Op]) -> None:
        self._folder = folder
        self._ops = ops
        self._known: dict[tuple[Function, int], Way | None] = {}

    def of_call(self, call: Call, file: str, budget: int = MAX_DEPTH) -> Way | None:
        """The shortest way from `call` to an allocation, `budget` calls at most; None if the text shows none."""
        if kernel_call(call):
            return 0, ()
        callee = self._folder.define(call.name, file) if budget else None
        below = self._of_function(callee, budget - 1) if callee is not None else None
        return None if below is None else (below[0] + 1, below[1])

    def _of_function(self, function: Function, budget: int) -> Way | None:
        key = (function, budget)
        if key not in self._known:
            self._known[key] = None
            self._known[key] = self._search(function, budget)
        return self._known[key]

    def _search(self, function: Function, budget: int) -> Way | None:
        source = self._folder.source_of(function)
        best: Way | None = None
        for call in _outermost(source, function):
            below = self.of_call(call, source.name, budget)
            if below is None or (best is not None and best[0] <= below[0]):
                continue
            if situation_at(source, function, call.start, self._ops, missing_ok=True).drops:
                continue
            how = "" if below[1] else " with GFP_KERNEL"
            here = Step(source.name, source.line(call.start), f"{function.name}() calls {call.name}(){how}")
            best = (below[0], (here, *below[1]))
        return best


def _outermost(source: Source, function: Function) -> list[Call]:
    """The calls in statements of the function's outermost block, up to the first jump there. Those in an unbraced
    conditional statement are left out, and those within expressions."""
    found = []
    depth = 0
    for match in _WORDS.finditer(source.code, function.start + 1, function.end - 1):
        depth += {"{": 1, "}": -1}.get(match[0], 0)
        if depth:
            continue
        before = source.code[function.start : match.start()].rstrip()
        if match[1]:
            statement = re.sub(r"(?:\breturn|[\w\]\[.>*-]+\s*=)\Z", "", before).rstrip()
            declared = re.sub(r"(?<=[;{}])\s*(?:struct\s+)?\w+\s*\**\Z", "", statement)
            call = source.call_at(match.start()) if declared.endswith((";", "{", "}")) else None
            if call is not None:
                found.append(call)
        elif match[0] == "goto" and before.endswith((";", "{", "}", ":")):
            break
    return found
