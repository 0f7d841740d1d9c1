"""What a rule is told about a function: its allocations and loops, in context."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from gfpcheck.findings import Confidence, Finding, Level, Place, Step
from gfpcheck.rule_api.allocator import ANY, Allocator
from gfpcheck.rule_api.calls import Call, no_calls
from gfpcheck.rule_api.flags import Flags
from gfpcheck.rule_api.locks import Lock, Scope
from gfpcheck.rule_api.scopes import ScopeEnd, ScopeLeak
from gfpcheck.rule_api.sleep import Sleep, no_sleep, no_sleep_under
from gfpcheck.rule_api.ways import Way, no_ways
from gfpcheck.rule_api.workers import WorkerWait, no_waits

DEEP = 3
"""Calls between the finding's function and the allocation, or the lock's acquisition, beyond which confidence is
low: every call on the way is one more place to be wrong about."""

MANY = 8
"""Functions that a pointer on the way may mean, beyond which confidence is low: hardly all of them are called here."""


@dataclass(frozen=True, slots=True)
class Situation:
    """One way in which an allocation is reached: with these `locks` held and `scopes` in force.

    `flags` are those asked for, `effective` those left by the scopes (current_gfp_context() of
    include/linux/sched/mm.h). `size` is the number of bytes asked for, `order` that of pages as a power of two; None
    where it is no known constant. `given` is what is known of the flags that the function itself was given as a
    parameter; None if it has none.
    """

    locks: tuple[Lock, ...]
    scopes: tuple[Scope, ...]
    flags: Flags
    effective: Flags
    size: int | None = None
    order: int | None = None
    given: Flags | None = None

    @property
    def reclaims(self) -> bool | None:
        """Whether direct reclaim may be entered: it may sleep and is not itself part of reclaim."""
        if any(scope.kind == "noreclaim" for scope in self.scopes):
            return False
        return self.effective.sleeps


@dataclass(frozen=True, slots=True)
class Nested:
    """An allocation from a reserve waits while an element of the same `pool`, allocated at `first`, is in hand.
    `exchanged`: that one is given back as soon as this one is there. `unseen`: a function called has kept that one
    somewhere."""

    pool: str
    first: Place
    exchanged: bool = False
    unseen: bool = False

    @property
    def doubtful(self) -> bool:
        """True if there may never be two, or are hardly meant to be."""
        return self.exchanged or self.unseen


@dataclass(frozen=True, slots=True)
class Allocation:
    """A call that allocates, by itself or through the functions that it calls.

    `name` is the allocator as the source names it, `call` the function that this line calls (the same for a direct
    allocation). `situations` are all ways in which it is reached. `via` leads from the first call in that function to
    the allocation's own place; `targets` is the number of functions that the widest function pointer on the way may
    mean, 0 if all calls are direct. `allocator` is what is known of the one at its end. `settled_below` are the flags
    that a function below sets or clears whoever calls it; None for a direct allocation. `amount_settled_below`: one of
    them knows the size or the order, too. `in_loop`: this line may run again and again. `needless_tests` are
    the places where this function tests the result for NULL, though it never is on any path to there. `nested_in` says
    that it waits for an element of a reserve of which the function has one in hand. `told`: the call is told of the
    flags that the function itself was given.
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
    needless_tests: tuple[Place, ...] = ()
    nested_in: Nested | None = None
    told: bool = False

    @property
    def decides_amount(self) -> bool:
        """True if size and order are decided here, rather than in a function below."""
        return not self.amount_settled_below

    @property
    def needless_lines(self) -> str:
        """For messages: "line 5", or "lines 5, 7 and 9"."""
        *others, last = (str(place.line) for place in self.needless_tests)
        return f"lines {', '.join(others)} and {last}" if others else f"line {last}"

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
    """A loop that tries `allocations` again until they succeed, and never gives up.

    `unless` are the fixed conditions under which it does end; `waits` are the functions that it
    calls between two tries. `waits_with` are the flags that the one that waits for memory (memalloc_retry_wait()) is
    told, None if no such function is called.
    """

    allocations: tuple[Allocation, ...]
    place: Place
    unless: tuple[str, ...]
    waits: tuple[str, ...]
    waits_with: Flags | None = None


@dataclass(frozen=True, slots=True)
class ReclaimPath:
    """Reclaim waits for a lock class: `steps` lead from the function pointer `root` down to the acquisition.

    `gate` is the flag without which reclaim does not get there, empty for any direct reclaim. `sure`: no function
    pointer on the way may mean many functions, and it is the module's own way. `io`: it is the way of data to a device.
    """

    root: str
    gate: str
    steps: tuple[Step, ...]
    sure: bool = True
    io: bool = False


@dataclass(frozen=True, slots=True)
class IoPath:
    """A function is run to bring data to a device: `steps` lead from the function pointer `root` down to it. `sure`: no
    function pointer on the way may mean many functions, and no worker that does other things as well."""

    root: str
    steps: tuple[Step, ...]
    sure: bool


def no_comments(place: Place) -> str:
    """The comments of a function whose source nobody has."""
    return ""


@dataclass(frozen=True)
class Function:
    """A function with what the analysis knows of it: its `allocations`, its `retry_loops`, its `calls`.

    `scope_leaks` are the allocation scopes that it opens and forgets, `scope_ends` the calls by which it closes one.
    `thread_main`: it is the main function of a thread, which ends with it.

    `reclaim` has the ways in which reclaim waits for locks, by class, the best first; `reclaim_takes()` looks one up.
    `io` is the way on which it is run to bring data to a device, if it is.
    `tests_flags`: it goes one way or another by the flags that it is given.
    `included_by` is the number of analysed files that include the header it stands in, 0 for a
    function of a C file. `uncertain` is true when the analysis had to blur its lock sets.
    `kernel` is the version, or () outside a kernel. `constants` are constants of the tree that have a value there
    ("PAGE_SIZE"), from the list `constants` of the models. `find_calls`, `find_comments`,
    `find_waits`, `find_ways`, `find_sleep` and `find_sleep_under` are for `calls`, `comments_before()`, `waits`,
    `ways`, `sleep` and `sleep_under()` alone.
    """

    name: str
    file: str
    place: Place
    allocations: tuple[Allocation, ...]
    retry_loops: tuple[RetryLoop, ...]
    reclaim: Mapping[str, Sequence[ReclaimPath]]
    kernel: tuple[int, ...]
    included_by: int
    uncertain: bool
    io: IoPath | None = None
    constants: Mapping[str, int] = field(default_factory=dict)
    scope_leaks: tuple[ScopeLeak, ...] = ()
    scope_ends: tuple[ScopeEnd, ...] = ()
    thread_main: bool = False
    find_calls: Callable[[], tuple[Call, ...]] = no_calls
    find_comments: Callable[[Place], str] = no_comments
    find_waits: Callable[[], tuple[WorkerWait, ...]] = no_waits
    find_ways: Callable[[], tuple[Way, ...]] = no_ways
    find_sleep: Callable[[], Sleep | None] = no_sleep
    find_sleep_under: Callable[[Lock], Sleep | None] = no_sleep_under
    tests_flags: bool = False

    @functools.cached_property
    def calls(self) -> tuple[Call, ...]:
        """The calls that the function makes, in order, each with the situations in which it is reached.

        They are computed when a rule asks for them, which takes about as long as the analysis of the function did.
        """
        return self.find_calls()

    @functools.cached_property
    def ways(self) -> tuple[Way, ...]:
        """The ways in which the function is entered, as far as what is analysed calls it, shortest first; itself if
        nobody does. Contexts flow down the whole call graph: what is held there was taken by whoever is on the way."""
        return self.find_ways()

    @functools.cached_property
    def waits(self) -> tuple[WorkerWait, ...]:
        """Where the function waits, in a NOFS or NOIO scope, for another task that allocates without it."""
        return self.find_waits()

    @functools.cached_property
    def sleep(self) -> Sleep | None:
        """How the function sleeps: for memory, for a lock, for anything; None if it does not, as far as is known."""
        return self.find_sleep()

    def sleep_under(self, lock: Lock) -> Sleep | None:
        """What always sleeps, other than for memory, where this function seems to hold `lock`. If there is such a thing
        in code that runs, then what is thought of the lock is wrong."""
        return self.find_sleep_under(lock)

    def comments_before(self, place: Place) -> str:
        """What the comments of this function say: those above it, and those in it down to the statement at `place`."""
        return self.find_comments(place)

    def reclaim_takes(self, lock: Lock) -> ReclaimPath | None:
        """How memory reclaim comes to wait for a lock of this class, if it does: the best of `reclaim_ways()`."""
        return next(iter(self.reclaim_ways(lock)), None)

    def reclaim_ways(self, lock: Lock) -> Sequence[ReclaimPath]:
        """The ways in which memory reclaim comes to wait for a lock of this class, with different gates; sure and short
        ones first."""
        return self.reclaim.get(lock.cls, ())

    def finding(
        self,
        *,
        rule: str,
        level: Level,
        message: str,
        allocation: Allocation | None = None,
        call: Call | None = None,
        place: Place | None = None,
        situation: Situation | None = None,
        locks: Sequence[Lock] = (),
        scopes: Sequence[Scope] = (),
        steps: Sequence[Step] = (),
        other: Sequence[Step] = (),
        confidence: Confidence = Confidence.HIGH,
        subject: Sequence[str] = (),
    ) -> Finding:
        """A finding at `allocation`, at `call` or at `place`: its flow is where each of `locks` was taken, `steps`, and
        the allocation or the call.

        `situation` is the one of the allocation that is reported. `subject` is added to what the fingerprint is made of
        (function, allocator or function called, lock classes). Raises ValueError unless one of `allocation`, `call` and
        `place` is given.
        """
        if sum(where is not None for where in (allocation, call, place)) != 1:
            raise ValueError("a finding is at an allocation, at a call or at a place")
        deepest = max([allocation.depth if allocation else 0, *(len(lock.via) for lock in locks)])
        targets = allocation.targets if allocation else 0
        # Nobody has read that all callers keep what the documentation of a table promises.
        unsure = any(lock.may or lock.origin == "contract" for lock in locks)
        if self.uncertain or unsure or deepest > DEEP or targets > MANY:
            confidence = Confidence.LOW
        elif allocation and (allocation.depth or targets):
            confidence = min(confidence, Confidence.MEDIUM, key=lambda c: c.rank)
        if self.included_by:
            files = "1 file" if self.included_by == 1 else f"{self.included_by} files"
            message += f" (inline function, included by {files})"
        flow: list[Step] = []
        for lock in locks:
            flow += _acquisition(lock, self.name)
        for scope in scopes:
            if scope.place is not None:
                flow.append(Step(scope.place, f"{scope} opened here", "enter", 0, True))
        flow += steps
        properties: dict[str, object] = {"function": self.name}
        named: tuple[str, ...]
        if allocation is not None:
            reported = situation or allocation.situations[0]
            flow += _way_to(allocation, reported.effective)
            properties["gfp"] = str(reported.effective)
            if str(reported.flags) != str(reported.effective):
                properties["gfp_asked"] = str(reported.flags)
            place = allocation.place
            # What lies between may be taken apart or put together without a change to the hazard.
            named = (
                (allocation.call, allocation.via[-1].function, allocation.name)
                if allocation.via
                else (allocation.name,)
            )
        elif call is not None:
            flow.append(Step(call.place, f"{call.name}() is called here", "call", 0, True))
            place, named = call.place, (call.name,)
        else:
            named = ()
        assert place is not None
        properties["locks"] = [_describe(lock) for lock in locks]
        properties["depth"] = allocation.depth if allocation else 0
        if self.included_by:
            properties["included_by"] = self.included_by
        classes = tuple(sorted({lock.identity for lock in locks}))
        subject = (self.name, *named, *classes, *subject)
        return Finding(rule, level, confidence, place, message, tuple(flow), subject, tuple(other), properties)


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
