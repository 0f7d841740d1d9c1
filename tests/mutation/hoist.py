"""The oracle for hoisted allocations: GFP_KERNEL before a spinning lock is taken, moved to after."""

from __future__ import annotations

import re

from .atomic import OPS, SPINNING, atomic_lock
from .claims import Claim, Edit, Step, Unsure
from .ctext import Call, Function, Source, closing
from .down import KernelAllocations, Way, kernel_call
from .folder import Folder
from .sites import situation_at

NEAR = 1500
"""Characters between the allocation and the lock."""
_LOCK = re.compile(rf"\b({'|'.join(name for name, op in SPINNING.items() if op.acquires)})\s*\(")
_PROMISING = re.compile(r"=\s*(?:\w*(?:alloc|create|new|dup|init|build|prepare|make)\w*\(|\w+\([^;{}]*\bGFP_KERNEL)")
_ASSIGNED = re.compile(r"(?<=[;{}])\s*([A-Za-z_]\w*(?:(?:->|\.)\w+)*)\s*=\s*(?=([A-Za-z_]\w*)\s*\()")
_CONTROL = re.compile(r"\b(?:return|goto|break|continue|case|default)\b|^[ \t]*\w+[ \t]*:(?!:)", re.MULTILINE)


def sites(code: str) -> list[int]:
    """Lock statements not far behind the assignment of what may be new memory."""
    found = [match.start() for match in _LOCK.finditer(code)] if "GFP_KERNEL" in code else []
    return [offset for offset in found if _PROMISING.search(code, max(0, offset - NEAR // 2), offset)]


class HoistOracle:
    """Judges the lock statements of one directory."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._below = KernelAllocations(folder, OPS)

    def claim(self, source: Source, offset: int) -> Claim:
        """What becomes of the allocation nearest before the lock statement at `offset` when it is moved under the
        lock: one with GFP_KERNEL, or the call of a function that always makes one. Raises Unsure."""
        function = source.function_at(offset)
        if function is None:
            raise Unsure("not in a function")
        begin = max(function.start, offset - NEAR)
        reason = "no allocation before the lock"
        for match in reversed(list(_ASSIGNED.finditer(source.code, begin, offset))):
            call = source.call_at(match.end())
            below = self._below.of_call(call, source.name) if call is not None else None
            if call is None or below is None:
                continue
            try:
                return self._moved(source, function, match, call, offset, below)
            except Unsure as unsure:
                reason = str(unsure)
        raise Unsure(reason)

    def _moved(
        self,
        source: Source,
        function: Function,
        target: re.Match[str],
        call: Call,
        lock: int,
        below: Way,
    ) -> Claim:
        code = source.code
        if not re.match(r"\s*;", code[call.end :]):
            raise Unsure("the allocation is no plain statement")
        start = target.start(1)
        end = _with_check(code, code.index(";", call.end) + 1, target[1])
        between = code[end:lock]
        if end > lock or not _same_block(between) or re.search(rf"(?<![\w.>]){re.escape(target[1])}(?!\w)", between):
            raise Unsure("what lies between allocation and lock depends on it")
        around = situation_at(source, function, call.start, OPS)
        if around.drops or atomic_lock(around) is not None:
            raise Unsure("under a lock already")
        locking = source.call_at(lock)
        if locking is None:
            raise Unsure("the lock is not taken by a plain statement")
        after = code.index("\n", locking.end)
        if code[locking.end : after].strip() != ";":
            raise Unsure("the lock is not taken by a plain statement")
        if atomic_lock(situation_at(source, function, after, OPS, missing_ok=True)) is None:
            raise Unsure("the lock is not taken by a plain statement")
        moved = source.text[start:end]
        indent = code[code.rfind("\n", 0, start) + 1 : start]
        edits = (Edit(start, end, "\n" * moved.count("\n")), Edit(after, after, f"\n{indent}{moved}"))
        first = source.line(lock) + source.text.count("\n", lock, after) + 1
        lines = (first, first + source.line(call.end) - source.line(start))
        how = " with GFP_KERNEL" if kernel_call(call) else ""
        why = (
            Step(source.name, source.line(lock), f"{function.name}() takes {locking.args[0][0]}"),
            Step(source.name, source.line(start), f"{function.name}() calls {call.name}(){how}, moved below"),
            *below[1],
        )
        return Claim("hoisted", source.name, function.name, lines, below[0], edits, why, "GFP1")


def _with_check(code: str, end: int, target: str) -> int:
    """`end`, or the end of the `if` behind it that handles failure."""
    check = re.compile(r"\s*if\s*(\()").match(code, end)
    closed = closing(code, check.start(1)) if check else None
    failed = re.compile(rf"!\s*{re.escape(target)}(?!\w)|\bIS_ERR|\bNULL\b")
    if check is None or closed is None or not failed.search(code, check.end(), closed):
        return end
    body = re.compile(r"\s*(\{)").match(code, closed)
    if body is not None:
        return closing(code, body.start(1)) or end
    return code.index(";", closed) + 1


def _same_block(text: str) -> bool:
    """True if control comes from the beginning of `text` to its end, in one block."""
    depth = 0
    outer = []
    for char in text:
        depth += {"{": 1, "}": -1}.get(char, 0)
        if depth < 0:
            return False
        outer.append(char if depth == 0 else " ")
    flat = "".join(outer)
    jumps = (flat[: match.start()].rstrip() for match in _CONTROL.finditer(flat))
    return depth == 0 and not any(not before or before.endswith((";", "{", "}")) for before in jumps)
