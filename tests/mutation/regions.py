"""Which locks are held at a place of a function, read from the structure of its text.

A lock counts as held if a plain statement took it in a block around the place, and no statement on the way from there
can have released it: sections that end in a jump are stepped over, branches that come together agree on
what both hold. What a called function does is not looked at. Doubt counts as "not held".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from .ctext import Function, Source, closing, squeeze


class Op(NamedTuple):
    """What a function does to locks. `arg` is the number of the argument that names the lock, -1: there is none.
    `assigned`: the acquisition may stand on the right of an assignment."""

    acquires: bool
    kind: str
    arg: int = 0
    assigned: bool = False


class Held(NamedTuple):
    """A lock that is held. `key` is its expression as written, without white space."""

    kind: str
    key: str
    offset: int


class Situation(NamedTuple):
    """What is held at a place. `drops`: something was released before that the function had not taken."""

    held: tuple[Held, ...]
    drops: bool


@dataclass
class _Frame:
    kind: str
    before: Situation
    now: Situation
    dead: str = ""
    """The jump that ends it."""
    branches: list[Situation | None] = field(default_factory=list)
    released: set[tuple[str, str]] = field(default_factory=set)


_STRUCTURE = re.compile(
    r"(?P<open>\{)|(?P<close>\})|(?P<jump>\b(?:return|goto|break|continue)\b)|(?P<case>\b(?:case|default)\b)"
    r"|(?P<label>^[ \t]*[A-Za-z_]\w*[ \t]*:(?!:))|\b(?P<name>[A-Za-z_]\w*)\s*\(",
    re.MULTILINE,
)

_GUARD = re.compile(r"guard\s*\(\s*(\w+)\s*\)\s*\(([^;]*?)\)\s*;")
_SCOPED = re.compile(r"scoped_guard\s*\(\s*(\w+)\s*,?([^;]*)\)\Z")
_GUARDS = {
    **dict.fromkeys(("mutex", "rwsem_read", "rwsem_write"), "sleeping"),
    **{f"{lock}{how}": "spin" for lock in ("spinlock", "raw_spinlock") for how in ("", "_bh", "_irq", "_irqsave")},
    **{f"{lock}{how}": "spin" for lock in ("read_lock", "write_lock") for how in ("", "_irq", "_irqsave")},
    "rcu": "rcu",
    "preempt": "preempt",
    "irq": "irq",
    "irqsave": "irq",
}


def situations(source: Source, function: Function, ops: Mapping[str, Op], at: Iterable[int]) -> dict[int, Situation]:
    """The situation at each offset of `at`; offsets that no path of the structure leads to are left out."""
    walk = _Walk(source, function, ops, sorted(at))
    walk.run()
    return walk.found


class _Walk:
    def __init__(self, source: Source, function: Function, ops: Mapping[str, Op], wanted: list[int]) -> None:
        self._source = source
        self._code = source.code
        self._function = function
        self._ops = ops
        self._wanted = wanted
        self.found: dict[int, Situation] = {}
        nothing = Situation((), False)
        self._frames = [_Frame("function", nothing, nothing)]

    def run(self) -> None:
        for match in _STRUCTURE.finditer(self._code, self._function.start + 1, self._function.end - 1):
            self._note(match.start())
            kind = match.lastgroup
            if kind == "open":
                self._open(match.start())
            elif kind == "close":
                self._close(match.end())
            elif kind == "jump":
                if self._plain(match.start()):
                    self._note(self._code.find(";", match.end()))  # what is returned still runs
                    self._frames[-1].dead = match["jump"]
            elif kind == "case":
                switch = next((frame for frame in reversed(self._frames) if frame.kind == "switch"), self._frames[0])
                self._frames[-1].now, self._frames[-1].dead = switch.before, ""
            elif kind == "label" and match["label"].strip(" \t:") != "default":
                if self._frames[-1].dead:
                    self._frames[-1].now, self._frames[-1].dead = Situation((), True), ""
            elif match["name"]:
                self._call(match["name"], match.start("name"))
        self._note(self._function.end)

    def _note(self, until: int) -> None:
        while self._wanted and self._wanted[0] <= until:
            offset = self._wanted.pop(0)
            if not any(frame.dead for frame in self._frames):
                self.found[offset] = self._frames[-1].now

    # --- blocks ----------------------------------------------------------------------------

    def _open(self, offset: int) -> None:
        outer = self._frames[-1]
        kind, head = self._head(offset)
        frame = _Frame(kind, outer.now, outer.now, outer.dead)
        if head.startswith("scoped_guard"):
            lock = _guarded(head)
            if lock is not None:
                frame.now = Situation((*outer.now.held, Held(lock[0], lock[1], offset)), outer.now.drops)
                frame.kind = "guard"
        self._frames.append(frame)

    def _head(self, offset: int) -> tuple[str, str]:
        """The kind of the block that opens at `offset`, and the text that heads it."""
        before = self._code[self._function.start : offset].rstrip()
        if before.endswith("else"):
            return "else", ""
        if re.search(r"\bdo\Z", before):
            return "do", ""
        if not before.endswith(")"):
            return "bare", ""
        depth = 0
        for position in range(len(before) - 1, -1, -1):
            depth += {")": 1, "(": -1}.get(before[position], 0)
            if depth == 0:
                word = re.search(r"(\w+)\s*\Z", before[:position])
                name = word[1] if word else ""
                kind = name if name in ("if", "switch") else "loop"
                return kind, before[word.start() :] if word else ""
        return "loop", ""

    def _close(self, after: int) -> None:
        if len(self._frames) == 1:
            return
        frame = self._frames.pop()
        outer = self._frames[-1]
        result = None if frame.dead else frame.now
        if frame.dead not in ("return", "goto"):
            outer.released |= frame.released
        if frame.kind in ("bare", "do", "guard"):
            if frame.kind == "guard" and result is not None:
                result = _meet([frame.before, result])
            if result is None and not outer.dead:
                outer.dead = frame.dead if frame.kind == "bare" else ""
            elif result is not None:
                outer.now = result
            return
        if frame.kind in ("if", "else") and (outer.branches or frame.kind == "if"):
            outer.branches.append(result)
            if frame.kind == "if" and self._else_block(after):
                outer.now = frame.before
                return
            if frame.kind == "if":
                outer.branches.append(frame.before)
            alive = [branch for branch in outer.branches if branch is not None]
            outer.branches = []
            if alive:
                outer.now = _meet(alive)
            else:
                outer.dead = frame.dead
            return
        # A loop or switch may be passed by, or left at any break.
        held = tuple(lock for lock in frame.before.held if (lock.kind, lock.key) not in frame.released)
        outer.now = Situation(held, frame.before.drops or frame.now.drops)

    def _else_block(self, after: int) -> bool:
        """True if a braced else branch begins behind `after`."""
        match = re.compile(r"\s*else\b\s*(\{|if\s*\()?").match(self._code, after)
        if match is None or match[1] is None:
            return False
        if match[1] == "{":
            return True
        end = closing(self._code, match.end() - 1)
        return end is not None and self._code[end:].lstrip()[:1] == "{"

    # --- locks -----------------------------------------------------------------------------

    def _plain(self, offset: int, assigned: bool = False) -> bool:
        """True if a statement of its own begins at `offset` (or one that assigns what stands there)."""
        before = self._code[self._function.start : offset].rstrip()
        if assigned:
            before = re.sub(r"[\w\]\[.>*-]+\s*=\Z", "", before).rstrip()
            before = re.sub(r"(?<=[;{}])\s*(?:struct\s+)?\w+\s*\**\Z", "", before)
        return before.endswith((";", "{", "}", ":"))

    def _call(self, name: str, offset: int) -> None:
        frame = self._frames[-1]
        op = self._ops.get(name)
        if name == "guard":
            lock = _guarded(self._code[offset : offset + 200])
            if lock is not None and self._plain(offset):
                frame.now = Situation((*frame.now.held, Held(lock[0], lock[1], offset)), frame.now.drops)
            return
        call = self._source.call_at(offset) if op else None
        if op is None or call is None:
            return
        key = squeeze(call.args[op.arg][0]) if 0 <= op.arg < len(call.args) else ""
        if op.acquires:
            if self._plain(offset, op.assigned):
                frame.now = Situation((*frame.now.held, Held(op.kind, key, offset)), frame.now.drops)
            return
        kept = [lock for lock in frame.now.held if lock.kind != op.kind or lock.key != key]
        if len(kept) < len(frame.now.held):
            frame.released.add((op.kind, key))
            frame.now = Situation(tuple(kept), frame.now.drops)
            return
        # Some other lock of the kind: perhaps one of these by another name, perhaps the caller's.
        frame.released |= {(lock.kind, lock.key) for lock in kept if lock.kind == op.kind}
        frame.now = Situation(tuple(lock for lock in kept if lock.kind != op.kind), True)


def _guarded(text: str) -> tuple[str, str] | None:
    """Kind and key of `guard(class)(lock)` or `scoped_guard(class, lock)`."""
    match = _GUARD.match(text) or _SCOPED.match(text)
    kind = _GUARDS.get(match[1]) if match else None
    return (kind, squeeze(match[2])) if match and kind else None


def _meet(states: list[Situation]) -> Situation:
    """What all of `states` hold."""
    first, *others = states
    held = first.held
    for other in others:
        keys = {(lock.kind, lock.key) for lock in other.held}
        held = tuple(lock for lock in held if (lock.kind, lock.key) in keys)
    return Situation(held, any(state.drops for state in states))
