"""The oracle for GFP_NOFS: is a lock or a transaction held that reclaim takes in the same directory?

Reclaim's side is a search through the text from the functions stored in its pointers. Both sides name a lock by the
structure that declares it: the type of its object in the function's text, else the only structure with that member. No
claim is made where the lock's object is made by the function that takes the lock.
"""

from __future__ import annotations

import re
from collections import deque

from .claims import Claim, Edit, Evidence, Step, Unsure
from .ctext import Call, Function, Source
from .folder import Folder
from .regions import Held
from .sites import MAX_DEPTH, called, flagged_call, passed_down, situation_at
from .taken import OPS, Taken

_SITE = re.compile(r"\bGFP_NOFS\b")
# Their transactions open a scope of their own.
_SCOPED_TRANSACTION = re.compile(r"\b(?:handle_t|handle|xfs_trans\w*)\b")


def sites(code: str) -> list[int]:
    """Where the flags are named."""
    return [match.start() for match in _SITE.finditer(code)]


class ReclaimOracle:
    """Judges the sites of one directory."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._taken = Taken(folder)

    def claim(self, source: Source, offset: int) -> Claim:
        """What becomes of the site when its GFP_NOFS becomes GFP_KERNEL. Raises Unsure."""
        if not self._taken.ways:
            raise Unsure("the text shows no lock that reclaim takes here")
        function, call, argument = flagged_call(source, offset)
        below, chain = passed_down(self._folder, source, call, argument, OPS)
        hazard, above, why = self.held(source, function, call)
        if above + below > MAX_DEPTH:
            raise Unsure(f"more than {MAX_DEPTH} calls between lock and allocation")
        lines = (source.line(call.start), source.line(call.end - 1))
        here = Step(source.name, lines[0], f"{function.name}() calls {call.name}() with GFP_NOFS")
        edits = (Edit(offset, offset + len("GFP_NOFS"), "GFP_KERNEL"),)
        return Claim(hazard, source.name, function.name, lines, above + below, edits, (*why, here, *chain), "GFP2")

    def held(self, source: Source, function: Function, call: Call, removed: int = -1) -> tuple[str, int, Evidence]:
        """(hazard, calls above, evidence) of the nearest lock or transaction that reclaim waits for, the scope that
        opens at `removed` disregarded. Raises Unsure."""
        queue: deque[tuple[Source, Function, Call, Evidence]] = deque([(source, function, call, ())])
        seen = {function}
        while queue:
            source, function, call, why = queue.popleft()
            self._refuse_scopes(source, function)
            around = situation_at(source, function, call.start, OPS, missing_ok=bool(why))
            if any(lock.kind == "scope" and lock.offset != removed for lock in around.held):
                raise Unsure("in a scope already")
            for lock in reversed(around.held):
                name = self._taken.lock_class(lock, function) if not _is_new(source, function, lock) else None
                way = self._taken.ways.get(name) if name is not None else None
                if way is not None:
                    line = source.line(lock.offset)
                    taker = Step(source.name, line, f"{function.name}() takes {lock.key or name}")
                    hazard = "nofs transaction" if lock.kind == "transaction" else "nofs lock"
                    return hazard, len(why), (*way, taker, *why)
            if around.drops or len(why) == MAX_DEPTH:
                continue
            for site in sorted(self._folder.callers(function), key=lambda s: (s.source.name, s.call.start)):
                if site.caller not in seen:
                    seen.add(site.caller)
                    queue.append((site.source, site.caller, site.call, (called(site), *why)))
        raise Unsure("the text shows no lock above that reclaim takes")

    def _refuse_scopes(self, source: Source, function: Function) -> None:
        if _SCOPED_TRANSACTION.search(source.code, function.start, function.end) or "handle" in function.params:
            raise Unsure("perhaps in a transaction with a scope of its own")


def _is_new(source: Source, function: Function, lock: Held) -> bool:
    """True if the function itself makes the object that the lock lies in: nobody else can have it."""
    owner = re.match(r"&?(\w+)->", lock.key)
    made = rf"(?<![\w.>]){owner[1]}\s*=\s*\w*alloc\w*\s*\(" if owner else ""
    return owner is not None and re.search(made, source.code[function.start : lock.offset]) is not None
