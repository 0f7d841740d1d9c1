"""An allocation forbids the allocator more than anything that was found asks for.

## What it finds

`GFP_ATOMIC` or `GFP_NOWAIT` where no lock that spins is held, and no caller or registration is atomic; `GFP_NOFS` or
`GFP_NOIO` where no lock is held, no scope or transaction is open, and neither reclaim nor I/O waits for the function.
The message says what was looked at.

## Why it is a bug

It is work that the allocator is not allowed to do, for no reason. Documentation/core-api/gfp_mask-from-fs-io.rst says
that "the restricted gfp mask is used "just in case" without a deeper consideration", and that "an excessive use of
GFP_NOFS/GFP_NOIO can lead to memory over-reclaim or other memory reclaim issues"; an allocation with GFP_ATOMIC takes
from reserves that interrupt handlers need, and fails sooner. Documentation/core-api/memory-allocation.rst has the
right flags: "Most of the time GFP_KERNEL is what you need".

## Bad

```c
static int probe(struct device *dev)
{
        struct state *state = kzalloc(sizeof(*state), GFP_ATOMIC);
        ...
}
```

## Good

```c
static int probe(struct device *dev)
{
        struct state *state = kzalloc(sizeof(*state), GFP_KERNEL);
        ...
}
```

## How it is decided

The flags must be constants that stand at the allocation; `__GFP_KSWAPD_RECLAIM` is in all of these, and what lacks it
is tried only. Nothing must be held there in any situation, and nothing in any of the ways in which the function is
entered, however many calls long. Confidence is medium where all ways lead to the main functions of threads and to work
items, which are known to hold nothing; where a way begins at a function of which it is not known who calls it, low. It
is low, too, for GFP_NOFS and GFP_NOIO: that reclaim never waits until such a worker is done (for a request that it
ends, a zone that it frees, a lock of the cluster that it recovers) is not known; and for GFP_ATOMIC and GFP_NOWAIT from
a memory pool, which would wait for an element instead of failing. The rule is off by default: that nobody was found who
needs the flags does not prove that there is nobody.

## When to ignore it

When a caller outside the files analysed holds a lock; where failing at once is what is wanted, as with a fallback.
"""

from collections.abc import Iterator

from gfpcheck.rule_api import Allocation, Confidence, Finding, Flags, Function, Level, Rule, Situation, Step, Way

KNOWN = ("thread", "work")
"""Ways to be called of which it is known that nothing is held."""
OPPORTUNISTIC = "__GFP_NOWARN | __GFP_NOMEMALLOC"
"""An allocation that does not wait and has these does not want to: it is tried, and there is another way. So it is with
one that wakes nobody up who reclaims; without any flags, pagecache_get_page() does not allocate at all."""
SHOWN = 3
"""Ways that are named in the message."""


class OverRestrictiveFlags(Rule):
    id = "GFP602"
    name = "over-restrictive-flags"
    family = "style"
    level = Level.NOTE
    summary = "GFP_ATOMIC, GFP_NOFS or GFP_NOIO is used and nothing that was found asks for it."
    default = False

    def check(self, function: Function) -> Iterator[Finding]:
        for allocation in function.allocations:
            forbids = _forbids(allocation)
            if forbids in ("nofs", "noio") and function.io is not None:
                continue  # data waits for it on its way to a device
            if forbids and not any(_explains(forbids, situation) for situation in allocation.situations):
                ways = function.ways
                if not any(_explains(forbids, way) or way.context not in ("", *KNOWN) for way in ways):
                    yield self._report(function, allocation, ways, _wanted(allocation, forbids))

    def _report(self, function: Function, allocation: Allocation, ways: tuple[Way, ...], wanted: bool) -> Finding:
        situation = allocation.situations[0]
        known = all(way.context in KNOWN for way in ways)
        return function.finding(
            rule=self.id,
            level=self.level,
            allocation=allocation,
            situation=situation,
            steps=[Step(place, f"called from {place.function}()", "call") for way in ways for place in way.calls],
            message=f"{allocation} with {situation.flags} is more careful than anything found asks for: "
            f"{_looked_at(ways)}",
            confidence=Confidence.MEDIUM if known and not wanted else Confidence.LOW,
        )


def _wanted(allocation: Allocation, forbids: str) -> bool:
    """True if the flags may well be wanted for a reason that is not looked for: reclaim may wait for a worker without
    any lock."""
    return forbids != "atomic" or allocation.allocator.family == "mempool"


def _forbids(allocation: Allocation) -> str:
    """What an allocation whose flags are written here forbids in any situation: "atomic", "nofs", "noio" or nothing."""
    if allocation.via or not allocation.allocator.takes_flags:
        return ""
    found = {_kind(situation.flags) for situation in allocation.situations}
    return found.pop() if len(found) == 1 else ""


def _kind(flags: Flags) -> str:
    if not flags.known:
        return ""
    if flags.sleeps is False:
        tries = flags.has(OPPORTUNISTIC) is True or flags.lacks("__GFP_KSWAPD_RECLAIM")
        return "" if tries else "atomic"
    if flags.has("__GFP_IO") is False:
        return "noio"
    return "nofs" if flags.has("__GFP_FS") is False else ""


def _explains(forbids: str, where: Situation | Way) -> bool:
    """True if what is held there is a reason for such flags."""
    if forbids == "atomic":
        return any(lock.atomic for lock in where.locks)
    return bool(where.locks) or any(scope.kind != "waiting" for scope in where.scopes)


def _looked_at(ways: tuple[Way, ...]) -> str:
    """For the message: what was looked at and holds nothing."""
    starts = dict.fromkeys(f"{way.start}() ({way.context})" if way.context else f"{way.start}()" for way in ways)
    more = len(starts) - SHOWN
    named = ", ".join(list(starts)[:SHOWN]) + (f" and {more} more" if more > 0 else "")
    return f"no lock, scope, transaction or callback here, nor on the ways from {named}"
