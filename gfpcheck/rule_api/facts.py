"""What a rule is told about a function: its allocations and loops, in context."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gfpcheck.findings import Confidence, Finding, Level, Place, Step
from gfpcheck.models import ATOMIC_KINDS, CONTEXT_KINDS
from gfpcheck.rule_api.allocator import ANY, Allocator
from gfpcheck.rule_api.flags import Flags

DEEP = 3
"""Calls between the finding's function and the allocation, or the lock's acquisition, beyond which confidence is
low: every call on the way is one more place to be wrong about."""

MANY = 8
"""Functions that a pointer on the way may mean, beyond which confidence is low: hardly all of them are called here."""

_KIND_NAMES = {
    "spin": "spinlock",
    "raw_spin": "raw spinlock",
    "bit_spin": "bit spinlock",
    "seqlock": "seqlock write section",
    "local_lock": "local lock",
    "rcu": "RCU read-side critical section",
    "irq": "section with interrupts off",
    "bh": "section with softirqs off",
    "preempt": "section with preemption off",
    "percpu_rwsem": "percpu rwsem",
    "rt_mutex": "rt_mutex",
    "ww_mutex": "ww_mutex",
    "bit_sleep": "lock",
    "freeze": "freeze protection",
    "sleeping": "lock",
    "srcu": "SRCU read-side critical section",
}

_DURING = {
    "rcu": "in an RCU read-side critical section",
    "irq": "with interrupts off",
    "bh": "in softirq context",
    "preempt": "with preemption off",
}


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is held, or a context that was entered.

    `cls` is the class as lockdep would name it ("struct xfs_inode.i_lock"), `text` the lock as the
    source writes it. `place` is the line in this function that took it, `via` the places below in
    the functions that did it. `may`: held on some of the paths only. `origin` is "taken" when the code took it;
    else it was held when the function was entered, as `place` proves: "asserted" (lockdep_assert_held()), "annotated",
    "callback" (where the function is registered), "contract" (what the member that it is stored in promises), and
    `because` says so in words ("registered by request_irq()").
    """

    cls: str
    kind: str
    mode: str
    text: str
    place: Place
    via: tuple[Place, ...]
    may: bool
    origin: str = "taken"
    because: str = ""

    @property
    def promised(self) -> bool:
        """True if nothing in the function says so, only the place where it is registered or stored."""
        return self.origin in ("callback", "contract")

    @property
    def atomic(self) -> bool:
        """True if the task may not sleep while it is held."""
        return self.kind in ATOMIC_KINDS

    @property
    def is_context(self) -> bool:
        """True for contexts that are no lock: nobody waits for them."""
        return self.kind in CONTEXT_KINDS or self.kind == "srcu"

    @property
    def during(self) -> str:
        """For messages: "in softirq context", "with spinlock q->lock (struct queue.lock) held"."""
        return _DURING.get(self.kind) or f"with {self} held"

    def __str__(self) -> str:
        kind = _KIND_NAMES.get(self.kind, self.kind)
        if self.kind in CONTEXT_KINDS:
            return kind
        mode = " (shared)" if self.mode == "shared" else ""
        named = f"{kind} {self.text}"
        return f"{named}{mode}" if self.cls in self.text else f"{named} ({self.cls}){mode}"


@dataclass(frozen=True, slots=True)
class Scope:
    """An allocation scope in force: "nofs", "noio", "noreclaim" or "pin"."""

    kind: str


@dataclass(frozen=True, slots=True)
class Situation:
    """One way in which an allocation is reached. `flags` are those asked for, `effective` those left
    by the scopes in force (current_gfp_context() of include/linux/sched/mm.h). `size` is the number of bytes asked
    for, `order` that of pages as a power of two; None where it is no known constant."""

    locks: tuple[Lock, ...]
    scopes: tuple[Scope, ...]
    flags: Flags
    effective: Flags
    size: int | None = None
    order: int | None = None

    @property
    def reclaims(self) -> bool | None:
        """Whether direct reclaim may be entered: it may sleep and is not itself part of reclaim."""
        if any(scope.kind == "noreclaim" for scope in self.scopes):
            return False
        return self.effective.sleeps


@dataclass(frozen=True, slots=True)
class Allocation:
    """A call that allocates, by itself or through the functions that it calls.

    `name` is the allocator as the source names it, `call` the function that this line calls (the same for
    a direct allocation). `via` leads from the first call in that function to the allocation's own place;
    `targets` is the number of functions that the widest function pointer on the way may mean; 0 if all are direct.
    `allocator` is what is known of the one at its end. `settled_below` are the
    flags that a function below sets or clears whoever calls it; None for a direct allocation. `amount_settled_below`:
    one of them knows the size or the order, too. `in_loop`: this line may run again and again.
    """

    name: str
    place: Place
    situations: tuple[Situation, ...]
    via: tuple[Place, ...] = ()
    call: str = ""
    targets: int = 0
    allocator: Allocator = ANY
    settled_below: Flags | None = None
    amount_settled_below: bool = False
    in_loop: bool = False

    @property
    def decides_amount(self) -> bool:
        """True if size and order are decided here, rather than in a function below."""
        return not self.amount_settled_below

    def decides(self, names: str) -> bool:
        """True if one of the flags `names` ("__GFP_IO | __GFP_FS") is set or cleared here, rather than in a function
        below: what is wrong with it is to be mended here."""
        return self.settled_below is None or self.settled_below.has(names) is not True

    @property
    def depth(self) -> int:
        """The number of calls between this line and the allocation."""
        return len(self.via)

    def __str__(self) -> str:
        """For messages: "kmalloc()", or "helper(), which reaches kmalloc(),"."""
        return f"{self.call}(), which reaches {self.name}()," if self.via else f"{self.name}()"


@dataclass(frozen=True, slots=True)
class RetryLoop:
    """A loop that tries allocations again until they succeed, and never gives up.

    `unless` are the fixed conditions under which it does end; `waits` are the functions that it
    calls between two tries.
    """

    allocations: tuple[Allocation, ...]
    place: Place
    unless: tuple[str, ...]
    waits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReclaimPath:
    """Reclaim waits for a lock class: from the function pointer `root` down to the acquisition.

    `gate` is the flag without which reclaim does not get there, empty for any direct reclaim.
    """

    root: str
    gate: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Function:
    """A function with what the analysis knows of it.

    `included_by` is the number of analysed files that include the header it stands in, 0 for a
    function of a C file. `uncertain` is true when the analysis had to blur its lock sets.
    `kernel` is the version, or () outside a kernel. `constants` are constants of the tree that have a value there
    ("PAGE_SIZE"), from the list `constants` of the models.
    """

    name: str
    file: str
    place: Place
    allocations: tuple[Allocation, ...]
    retry_loops: tuple[RetryLoop, ...]
    reclaim: dict[str, ReclaimPath]
    kernel: tuple[int, ...]
    included_by: int
    uncertain: bool
    constants: Mapping[str, int] = field(default_factory=dict)

    def reclaim_takes(self, lock: Lock) -> ReclaimPath | None:
        """How memory reclaim comes to wait for a lock of this class, if it does."""
        return self.reclaim.get(lock.cls)

    def finding(
        self,
        *,
        rule: str,
        level: Level,
        allocation: Allocation,
        message: str,
        situation: Situation | None = None,
        locks: Sequence[Lock] = (),
        steps: Sequence[Step] = (),
        other: Sequence[Step] = (),
        confidence: Confidence = Confidence.HIGH,
        subject: Sequence[str] = (),
    ) -> Finding:
        """A finding at `allocation`: its flow is where each of `locks` was taken, `steps`, the allocation.

        `subject` is added to what the fingerprint is made of (function, allocator, lock classes).
        """
        deepest = max([allocation.depth, *(len(lock.via) for lock in locks)])
        if self.uncertain or any(lock.may for lock in locks) or deepest > DEEP or allocation.targets > MANY:
            confidence = Confidence.LOW
        elif allocation.depth or allocation.targets:
            confidence = min(confidence, Confidence.MEDIUM, key=lambda c: c.rank)
        if self.included_by:
            files = "1 file" if self.included_by == 1 else f"{self.included_by} files"
            message += f" (inline function, included by {files})"
        flow: list[Step] = []
        for lock in locks:
            flow += _acquisition(lock, self.name)
        flow += steps
        flags = situation.effective if situation else allocation.situations[0].effective
        flow += _way_to(allocation, flags)
        classes = tuple(sorted({lock.cls for lock in locks}))
        properties: dict[str, object] = {
            "function": self.name,
            "gfp": str(flags),
            "locks": [_describe(lock) for lock in locks],
            "depth": allocation.depth,
        }
        if self.included_by:
            properties["included_by"] = self.included_by
        return Finding(
            rule,
            level,
            confidence,
            allocation.place,
            message,
            tuple(flow),
            (self.name, *(place.function for place in allocation.via), allocation.name, *classes, *subject),
            tuple(other),
            properties,
        )


def _way_to(allocation: Allocation, flags: Flags) -> list[Step]:
    """The steps from the finding's line to the allocation."""
    last = f"{allocation.name}() allocates here with {flags}"
    if not allocation.via:
        return [Step(allocation.place, last, "allocation", 0, True)]
    steps = [Step(allocation.place, f"{allocation.call}() is called here", "call", 0, True)]
    for depth, (place, below) in enumerate(itertools.pairwise(allocation.via), 1):
        steps.append(Step(place, f"which calls {below.function}()", "call", depth))
    steps.append(Step(allocation.via[-1], last, "allocation", allocation.depth, True))
    return steps


def _acquisition(lock: Lock, function: str) -> list[Step]:
    kind = "enter" if lock.is_context else "acquire"
    if lock.promised:
        text = f"{function}() is {lock.because} here: it is called {lock.during}"
    else:
        verb = "entered here" if lock.is_context else "taken here"
        text = f"{lock} {verb if lock.origin == 'taken' else 'is known to be held here'}"
    steps = [Step(lock.place, text, kind, 0, True)]
    for depth, place in enumerate(lock.via, 1):
        steps.append(Step(place, f"by {place.function}()", kind, depth))
    return steps


def _describe(lock: Lock) -> dict[str, object]:
    return {
        "class": lock.cls,
        "kind": lock.kind,
        "mode": lock.mode,
        "text": lock.text,
        "file": lock.place.file,
        "line": lock.place.line,
    }
