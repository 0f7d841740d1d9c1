"""Locks and scopes as a rule sees them."""

from __future__ import annotations

from dataclasses import dataclass

from gfpcheck.findings import Place
from gfpcheck.models import ATOMIC_KINDS, BIT_KIND, CONTEXT_KINDS

_KIND_NAMES = {
    "spin": "spinlock",
    "raw_spin": "raw spinlock",
    "bit_spin": "bit spinlock",
    "seqlock": "seqlock write section",
    "local_lock": "local lock",
    "preload": "preload section",
    "rcu": "RCU read-side critical section",
    "irq": "section with interrupts off",
    "bh": "section with softirqs off",
    "preempt": "section with preemption off",
    "kmap": "section with a page mapped by kmap_atomic()",
    "percpu_rwsem": "percpu rwsem",
    "rt_mutex": "rt_mutex",
    "ww_mutex": "ww_mutex",
    "bit_sleep": "lock",
    "freeze": "freeze protection",
    "sleeping": "lock",
    "srcu": "SRCU read-side critical section",
}

_SCOPE_NAMES = {"nofs": "NOFS scope", "noio": "NOIO scope", "waiting": "task state other than TASK_RUNNING"}

_DURING = {
    "rcu": "in an RCU read-side critical section",
    "irq": "with interrupts off",
    "bh": "in softirq context",
    "preempt": "with preemption off",
    "kmap": "with a page mapped by kmap_atomic()",
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
    def identity(self) -> str:
        """What the lock is called in fingerprints: its class. One without is named after a variable, which may be
        renamed, so that its kind must do."""
        return f"<{self.kind}>" if self.cls.startswith("<") else self.cls

    @property
    def promised(self) -> bool:
        """True if nothing in the function says so, only the place where it is registered or stored."""
        return self.origin in ("callback", "contract")

    @property
    def since(self) -> str:
        """For messages, after "with LOCK": "held since line 12", "held on entry (stored in struct my_ops.write)"."""
        return f"held on entry ({self.because})" if self.promised else f"held since line {self.place.line}"

    @property
    def atomic(self) -> bool:
        """True if the task may not sleep while it is held."""
        return self.kind in ATOMIC_KINDS

    @property
    def is_context(self) -> bool:
        """True for contexts that are no lock: nobody waits for them."""
        return self.kind in CONTEXT_KINDS or self.kind == "srcu"

    @property
    def is_bit(self) -> bool:
        """True for a bit of a page, a buffer or the like that is slept on. All pages have one class, whosever they are:
        that two of them are locked says less than with other locks. Lockdep has no class for them at all."""
        return self.kind == BIT_KIND

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
    """An allocation scope in force: "nofs", "noio", "noreclaim" or "pin"; or "waiting": the task's state is not
    TASK_RUNNING, because it is about to wait.

    `place` is the line in this function that opened it. Without it, `below` says that a function on the way to the
    allocation opened it; else it was open when this function was entered. `sure`: some function was seen to open it. A
    scope that is not is believed to be open because a parameter (a transaction) usually comes with it.
    """

    kind: str
    place: Place | None = None
    below: bool = False
    sure: bool = True

    def __str__(self) -> str:
        return _SCOPE_NAMES.get(self.kind, f"{self.kind} scope")
