"""The oracle for NOFS scopes: memalloc_nofs_save() over a GFP_KERNEL allocation with a lock held that reclaim takes."""

from __future__ import annotations

import re

from .claims import Claim, Edit, Evidence, Step, Unsure
from .ctext import Call, Function, Source
from .down import KernelAllocations
from .folder import Folder
from .reclaim import ReclaimOracle
from .sites import MAX_DEPTH, situation_at
from .taken import OPS

_SITE = re.compile(r"\bmemalloc_nofs_save\b")


def sites(code: str) -> list[int]:
    """Where a scope may be opened."""
    return [match.start() for match in _SITE.finditer(code)]


class ScopeOracle:
    """Judges the scopes of one directory."""

    def __init__(self, folder: Folder) -> None:
        self._reclaim = ReclaimOracle(folder)
        self._below = KernelAllocations(folder, OPS)

    def claim(self, source: Source, offset: int) -> Claim:
        """What becomes of the scope's allocations when it is not opened. Raises Unsure."""
        function = source.function_at(offset)
        save = source.call_at(offset)
        token = re.search(r"[;{}]\s*(?:unsigned int\s+)?(\w+)\s*=\s*\Z", source.code[:offset])
        if function is None or save is None or token is None:
            raise Unsure("the scope's token is no local variable")
        restores = [
            call
            for name, start in source.calls()
            if name == "memalloc_nofs_restore" and save.end < start < function.end and (call := source.call_at(start))
        ]
        if not restores or any(call.args[0][0] != token[1] for call in restores):
            raise Unsure("the scope is closed elsewhere")
        depth, why = self._hazard(source, function, save, restores[-1].end)
        edits = (
            Edit(save.start, save.end, "0"),
            *(Edit(call.start, call.end, f"(void)({token[1]})") for call in restores),
        )
        lines = (source.line(save.start), source.line(restores[-1].end))
        here = Step(source.name, lines[0], f"{function.name}() opens the scope")
        return Claim("nofs scope", source.name, function.name, lines, depth, edits, (here, *why), "GFP2")

    def _hazard(self, source: Source, function: Function, save: Call, end: int) -> tuple[int, Evidence]:
        reason = "the text shows no GFP_KERNEL allocation in the scope"
        for name, start in source.calls():
            call = source.call_at(start) if save.end < start < end else None
            if call is None:
                continue
            found = self._below.of_call(call, source.name)
            scope = situation_at(source, function, start, OPS, missing_ok=True)
            if found is None or not any(lock.offset == save.start for lock in scope.held):
                continue
            try:
                _, above, why = self._reclaim.held(source, function, call, removed=save.start)
            except Unsure as unsure:
                reason = str(unsure)
                continue
            if above + found[0] <= MAX_DEPTH:
                here = Step(source.name, source.line(start), f"{function.name}() calls {name}()")
                return above + found[0], (*why, here, *found[1])
        raise Unsure(reason)
