"""What the survey of locks says. Plain data: it is kept, and written as JSON."""

from __future__ import annotations

from typing import Literal

import msgspec

from gfpcheck.findings import Place, Step
from gfpcheck.overview.surveyed import Survey

SCHEMA_VERSION = 1
"""Of the JSON; it grows when a key changes its meaning or goes away."""

Hazard = Literal["fs", "io", "reclaim", "none", "unknown"]
HAZARDS: tuple[Hazard, ...] = ("fs", "io", "reclaim", "none", "unknown")
"""What an allocation may come to wait for, the worst first."""
MEANING: dict[Hazard, str] = {
    "fs": "may enter reclaim and the file system (GFP_KERNEL)",
    "io": "may enter reclaim and wait for I/O, but not for the file system (GFP_NOFS)",
    "reclaim": "may enter reclaim, but starts no I/O (GFP_NOIO)",
    "none": "does not enter reclaim (GFP_ATOMIC, or in reclaim itself)",
    "unknown": "its flags are not known on any way",
}

Kind = Literal["reclaim", "no-fail"]
Confidence = Literal["high", "medium", "low"]
CONFIDENCES: tuple[Confidence, ...] = ("high", "medium", "low")


class Allocation(msgspec.Struct, frozen=True):
    """An allocation that may be made with a lock of some class held: at `place`, by `call` with `flags`, those that are
    in effect. `held_at` is where `holder` takes the lock, `calls` is the number of calls from there down. `no_fail`: it
    is repeated until there is memory."""

    place: Place
    call: str
    flags: str
    hazard: Hazard
    no_fail: bool
    holder: str
    held_at: Place
    calls: int


class Taken(msgspec.Struct, frozen=True):
    """Reclaim waits for a lock: `steps` lead from the function pointer `root` down to it. `gate` is the flag without
    which it does not get there. `sure`: no pointer on the way may mean many functions, and it is not far."""

    root: str
    gate: str
    mode: str
    sure: bool
    io: bool
    steps: tuple[Step, ...]


class Order(msgspec.Struct, frozen=True):
    """`second` is waited for while `first` is held, in `places` places; `steps` are how that comes in one of them.
    `certain`: the lock is surely held there, and the calls on the way are made so."""

    first: str
    first_mode: str
    second: str
    second_mode: str
    places: int
    certain: bool
    steps: tuple[Step, ...]


class LockClass(msgspec.Struct, frozen=True):
    """All locks of one class, as lockdep would name it. In `taken` places a task waits for one until it has it; `tried`
    counts the places where it tries, or gives up when it is killed.

    `allocations` may be made with it held, each place once, with the worst hazard; `reclaim` are the ways on which
    reclaim waits for it; `waiters` are told in words, `more_waiters` are further places. `nested`: places where one is
    waited for while another of the class is held.
    """

    cls: str
    kind: str
    folder: str
    taken: int
    tried: int
    nested: int
    allocations: tuple[Allocation, ...]
    reclaim: tuple[Taken, ...]
    waiters: tuple[str, ...]
    more_waiters: int

    def count(self, hazard: Hazard) -> int:
        """The number of allocations with this hazard."""
        return sum(each.hazard == hazard for each in self.allocations)

    @property
    def no_fail(self) -> int:
        """The number of allocations that are repeated until there is memory."""
        return sum(each.no_fail for each in self.allocations)


class Half(msgspec.Struct, frozen=True):
    """What one task does in a cycle."""

    title: str
    steps: tuple[Step, ...]


class Finding(msgspec.Struct, frozen=True):
    """A cycle: each of `locks` is held by a task that waits for the next one, and the last of them waits for the first.
    The holder of the first one waits for memory: in reclaim, which waits for the second one (the same, if there is only
    one), or without end. `halves` are the tasks, the holder first. `allocations` counts those that would do. `doubts`
    are why confidence is not high.
    """

    key: str
    kind: Kind
    confidence: Confidence
    locks: tuple[str, ...]
    place: Place
    message: str
    halves: tuple[Half, ...]
    allocations: int
    doubts: tuple[str, ...]


class Locks(Survey, frozen=True, kw_only=True):
    """All lock classes of the files asked for, by name; the orders between them; the cycles, the surest first.
    `left_out` counts what was seen and not followed or not told, by what it is."""

    classes: tuple[LockClass, ...]
    orders: tuple[Order, ...]
    findings: tuple[Finding, ...]
    left_out: dict[str, int]
