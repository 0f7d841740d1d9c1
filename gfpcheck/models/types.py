"""What gfpcheck knows of the kernel: plain data read from the TOML files beside this module.

One entry is one function. Analysis code looks functions up by name in `Models` and never names
one itself. `since` (inclusive) and `until` (exclusive) limit an entry to kernel versions.

Argument indexes are 0-based and count the arguments of the function that is left after macro
expansion: `spin_lock_irqsave(l, flags)` leaves `_raw_spin_lock_irqsave(l)`.
"""

from __future__ import annotations

from typing import Literal

import msgspec

LockKind = Literal[
    "spin",
    "raw_spin",
    "bit_spin",
    "rwlock",
    "seqlock",
    "local_lock",
    "preload",
    "rcu",
    "irq",
    "bh",
    "preempt",
    "kmap",
    "mutex",
    "rwsem",
    "percpu_rwsem",
    "semaphore",
    "rt_mutex",
    "ww_mutex",
    "srcu",
    "bit_sleep",
    "freeze",
    "sleeping",
]
"""`preload`: what a preload of tree nodes leaves held until its end; `kmap`: preemption is off, but not on PREEMPT_RT;
`bit_sleep`: folio, page and buffer locks; `freeze`: super block freeze protection; `sleeping`: any other lock that is
slept on (a socket's owner, a device, the console)."""

ATOMIC_KINDS: frozenset[str] = frozenset(
    {
        "spin",
        "raw_spin",
        "bit_spin",
        "rwlock",
        "seqlock",
        "local_lock",
        "preload",
        "rcu",
        "irq",
        "bh",
        "preempt",
        "kmap",
    }
)
"""Kinds under which the task may not sleep."""

SLEPT_ON: frozenset[str] = frozenset(
    {"mutex", "rwsem", "percpu_rwsem", "semaphore", "rt_mutex", "ww_mutex", "bit_sleep", "freeze", "sleeping"}
)
"""Kinds of locks that a task sleeps for until it gets them."""

BIT_KIND: LockKind = "bit_sleep"
"""A bit that is slept on: every page and every buffer has one, and all are of one class."""

CONTEXT_KINDS: frozenset[str] = frozenset({"rcu", "irq", "bh", "preempt", "kmap"})
"""Kinds that have no lock object: they nest and are counted."""

PREEMPTION_OFF: frozenset[str] = ATOMIC_KINDS - {"rcu"}
"""Kinds that keep the task from being preempted. RCU's readers may be."""

When = Literal["always", "nonzero", "zero", "nonnull", "not_error", "error"]
"""The return value that says that the operation happened. "zero" is 0 or NULL; "nonnull" is a pointer that is
not NULL; "not_error" is a pointer that is not an ERR_PTR (NULL counts as taken)."""

_NOPROF = "_noprof"


def base_name(function: str) -> str:
    """The name under which models know `function`: without the `_noprof` that memory allocation
    profiling appends to the real function behind an allocator's macro (include/linux/alloc_tag.h)."""
    return function.removesuffix(_NOPROF)


ScopeKind = Literal["nofs", "noio", "noreclaim", "pin"]


Mode = Literal["exclusive", "shared"]
GivesUp = Literal["killable", "interruptible", "timeout"]


class LockOp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one function does to one lock.

    `does`: "acquire", "release", "downgrade" (exclusive to shared), or "assert" (it is held here).
    `arg` is the index of the argument that is the lock, or points at its owner; -1 for no object.
    `member` ("struct inode.i_rwsem") names the lock in what `arg` leads to: it is the lock's class, and
    `arg` tells its instances apart. It is empty when `arg` is the lock itself, and "*" when `arg` is the
    address of a pointer to the lock (`pte_offset_map_lock(..., &ptl)`).
    `instance` is the name of the one lock there is when `arg` is -1 ("rtnl_mutex"). `disables` are
    contexts that the same call switches off (on release: on again).
    `when` says which return value means that the operation happened; with `when_arg` >= 0 it speaks of
    that argument instead (`unlock_sock_fast(sk, slow)`). `try` marks an acquire that never waits.
    `token` is the index of the argument that restores (local_irq_restore(flags)), else -1.
    `gives_up` is what ends the wait of an acquire before it has the lock: a fatal signal ("killable"), any signal
    ("interruptible"), or time. `counter` is the index of the counter whose drop
    to zero an acquire is for.
    `spelled` are the functions that mean the same: what the name's macro calls in some configuration.
    `via` are functions that the name's macro leaves and that mean less by themselves: a call of one of
    them is this operation if the name is what the person typed (`Call.macro`).
    """

    does: Literal["acquire", "release", "downgrade", "assert"]
    kind: LockKind
    arg: int = 0
    member: str = ""
    instance: str = ""
    mode: Mode = "exclusive"
    when: When = "always"
    when_arg: int = -1
    token: int = -1
    disables: tuple[LockKind, ...] = ()
    try_: bool = msgspec.field(default=False, name="try")
    gives_up: GivesUp | None = None
    counter: int = -1
    spelled: tuple[str, ...] = ()
    via: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class Scope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function that opens or closes an allocation scope of the task. `does`: "open" returns the
    token; "close" takes it as argument `arg`. One that closes scopes by their bits in the task's flags has no `kind`
    but `mask_arg`, the index of the argument that holds them (`Models.task_flags`)."""

    does: Literal["open", "close"]
    kind: ScopeKind | Literal[""] = ""
    arg: int = 0
    mask_arg: int = -1
    spelled: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class Transaction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function that starts a transaction, ends it ("commit", "cancel"), or ends it and starts the next ("roll").

    `type_arg` is the argument of a start that says of which type it is: the address of a member that is named so, or a
    number, whose name stands at that place of the list `types` (`Models.transaction_types`). `flags` is the member
    ("struct record.member") with the flags of a transaction, which has none before its start; `type_flags` that with
    those of its type.
    """

    does: Literal["start", "commit", "cancel", "roll"]
    type_arg: int = -1
    types: str = ""
    flags: str = ""
    type_flags: str = ""
    spelled: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class Free(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function that gives back the memory that its argument `arg` points at, or into; `cache_arg` is the cache that
    it came from, or -1."""

    arg: int = 0
    cache_arg: int = -1
    spelled: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class WordFlag(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A flag of a word of flags: its name in the source, its bits, and what it adds to or takes from what an
    allocation is asked for with."""

    name: str
    value: int
    adds: str = ""
    clears: str = ""


class Word(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How allocation flags that are not the kernel's read as the kernel's: `plain` is what a word without any flag
    means ("GFP_KERNEL" for KM_SLEEP, which is 0), then each flag that is set does its part, in order."""

    plain: str
    flags: tuple[WordFlag, ...] = ()


Family = Literal[
    "", "slab", "page", "vmalloc", "kvmalloc", "mempool", "percpu", "bulk", "contig", "cache", "preload", "charge"
]
"""What an allocator rests on: slab objects, whole pages, virtual ranges, either of two, a reserve that a blocking
caller waits for, ... "cache" is a lookup that allocates only what it does not find; "preload" puts tree nodes aside for
a section that may not sleep; "charge" only counts memory, and may go over a limit."""

Failure = Literal["null", "err_ptr", "errno", "false", "count", "never"]


class Allocator(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An allocating function of which more is known than its prototype says.

    `flags` is the fixed flag expression of a function without a `gfp_t` argument ("GFP_KERNEL",
    "GFP_NOFS | __GFP_NOFAIL"); empty: the `gfp_t` argument, found by type. With `word` it is argument `word_arg`
    instead, in flags of another kind, whose `Word` that names.
    `adds`, `clears` are flags that the function itself sets or clears; one that adds __GFP_NOFAIL may still
    fail for want of something else (`sb_bread`: the disk). `needs` are flags that it does not work without,
    `rejects` those that it ignores or refuses.
    `fails` says what failure looks like: "null" (or 0), "err_ptr", "errno", "false", "count" (fewer than asked for)
    or "never"; `fails_otherwise`: it does so for other reasons than want of memory, too (a NULL argument, what else it
    does). `drops_arg` >= 0: the function releases a lock while it blocks, which is that argument or, when
    `drops_member` is not empty, that member of what the argument leads to (as in `LockOp`).
    `sleeps`: it sleeps whatever its flags are. `size_arg`, `count_arg` and `order_arg` are argument indexes or -1;
    the size in bytes is the product of the first two. `pool_arg` is the argument that points at the reserve, `pool` the
    name of the only one that there is. `object_arg`, `name_arg` are those of a function that makes a cache of objects:
    the size of each, and the cache's name.
    """

    flags: str = ""
    word: str = ""
    word_arg: int = -1
    adds: str = ""
    clears: str = ""
    needs: str = ""
    rejects: str = ""
    fails: Failure = "null"
    fails_otherwise: bool = False
    family: Family = ""
    drops_arg: int = -1
    drops_member: str = ""
    sleeps: bool = False
    size_arg: int = -1
    count_arg: int = -1
    order_arg: int = -1
    pool_arg: int = -1
    pool: str = ""
    object_arg: int = -1
    name_arg: int = -1
    spelled: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class ReclaimRoot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function pointer that memory reclaim calls.

    `gate` is the flag without which reclaim does not get there ("__GFP_FS", "__GFP_IO", or empty
    for any direct reclaim). `owns` is the index of the parameter whose object nobody else can
    refer to any more when the function is called (an inode being evicted), or -1: locks embedded in
    that object cannot be held by the allocating task. `mask` is the index of the parameter with the flags of the
    allocation that reclaims, or of one that points at a structure with them in its member `mask_member`: what the
    function does not do without a flag is read off its body. `nonzero` is a member of the object that the function
    owns which is not zero when reclaim calls it. `refused`: a method that has returned 0 for the object, if the same
    table has it and unless the object is met by the way. `kept_by`: a function; what the files that use it make stays
    in use until it is called, so that reclaim hardly finds anything of theirs. `io`: the way that data
    takes to a device.
    """

    record: str
    member: str
    gate: str
    owns: int = -1
    mask: int = -1
    mask_member: str = ""
    nonzero: str = ""
    refused: str = ""
    kept_by: str = ""
    io: bool = False
    note: str = ""
    since: str = ""
    until: str = ""


EntryKind = Literal["exit", "syscall", "fault", "thread", "work"]
"""What brings a task into the code, as a victim of the OOM killer best first: it exits, or is made to; a system call; a
page fault; or it is a kernel thread, or a worker, which is no victim but may be waited for by one."""


class EntryPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A method by which tasks come into the code that implements it, from a place of this `kind`; `through` are
    functions on the way there, the last of which calls the method. `owns` as in `ReclaimRoot`."""

    record: str
    member: str
    kind: EntryKind
    through: tuple[str, ...]
    owns: int = -1
    since: str = ""
    until: str = ""


CallContext = Literal["irq", "bh", "rcu", "preempt", "thread", "work"]
"""What a callback is called in: with interrupts off, as a softirq, as an RCU reader, with preemption off; as a thread
of its own; by a worker."""


class TaskState(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function after which the task runs, or waits: its state is argument `arg`, where 0 means that it runs; without
    an argument (-1) it runs. `when` says which return value means that the function has done so."""

    arg: int = -1
    when: When = "always"
    spelled: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class Worker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function that starts work in another task, or waits for it: the work item is argument `arg`; without one (-1)
    it is all that was started before."""

    does: Literal["start", "wait"]
    arg: int = -1
    spelled: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class Callback(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function that registers its argument `arg`, a function, to be called in `context`; with `member`, the function
    in that member of the object that the argument points at ("struct notifier_block.notifier_call")."""

    arg: int
    context: CallContext
    member: str = ""
    spelled: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class CallbackMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of an object whose function is called in `context`.

    Not if code of the same folder sets the member `unless` ("struct snd_pcm.nonatomic"), or in it the `bit` whose
    name is `flag`.
    """

    record: str
    member: str
    context: CallContext
    unless: str = ""
    bit: int = -1
    flag: str = ""
    note: str = ""
    since: str = ""
    until: str = ""


class Contract(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A member of an operations table whose function is called with locks held.

    Each lock is a path from an argument: its number, the members on the way, the last of which is the lock
    ("1 struct inode.i_rwsem").
    """

    record: str
    member: str
    exclusive: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    since: str = ""
    until: str = ""

    def held(self) -> list[tuple[int, tuple[tuple[str, str], ...], Mode]]:
        """(argument, members as (record, member), mode) of each lock."""
        found: list[tuple[int, tuple[tuple[str, str], ...], Mode]] = []
        modes: tuple[tuple[Mode, tuple[str, ...]], ...] = (("exclusive", self.exclusive), ("shared", self.shared))
        for mode, paths in modes:
            for path in paths:
                number, _, members = path.partition(" ")
                steps = tuple(step.rpartition(".") for step in members.split(" > "))
                found.append((int(number), tuple((record, member) for record, _, member in steps), mode))
        return found


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A function that tells the context it is called in: the bits that are set in what it returns in an interrupt
    handler (`hardirq`) or softirq, and with interrupts (`irq`), softirqs (`bh`) or preemption switched off."""

    hardirq: int = 0
    softirq: int = 0
    irq: int = 0
    bh: int = 0
    preempt: int = 0
    spelled: tuple[str, ...] = ()
    since: str = ""
    until: str = ""


class Models(msgspec.Struct, frozen=True):
    """All entries that hold for one kernel version, by function name (`spelled` names included).

    Look a function up by its `base_name`: Linux 6.10 renamed allocators to `*_noprof`. A function may have several
    lock operations (a lock and a second one, or an acquire per mode). `lock_types` maps the spelled type of a lock
    ("raw_spinlock_t") to its kind, where that says more than the function. `inner` are the members inside a lock type
    that are not its name ("struct spinlock.rlock"). `queued` are the members through which whoever works off a queue
    calls what others have put there: which function one call means, of all that are ever put there, is not known.
    `not_allocators` have a `gfp_t` parameter and allocate nothing. `noreturn` never return though nothing in C says
    so. `steady` functions give the same answer for the same argument for as long as anybody looks (static keys,
    feature tests). `waits` return when another task or an interrupt has done something. `retry_waits` wait for memory
    between two tries of an allocation, as long as their `gfp_t` argument says.
    After a call of `pool_returns` an element of a reserve may be back or on its way; `pool_keeps` are given one
    and leave it with the caller. `last_references` return what is not zero if they have given back the last reference
    to an object. `gfp_flags` are the names to fold through the tree's own headers, `gfp_required`
    those without which gfpcheck must stop. `gfp_compound` are the names under which sets of flags are shown
    (GFP_KERNEL, GFP_NOFS, ...), best first. `task_flags` are scopes that are bits of a task's flags: by member, the
    names of the bits and what they open. `gfp_constants` are other constants to fold through the headers. `gfp_values`
    are the values of flags outside a kernel, where no header has them. `words` are other kinds of flags. `macros` are
    the lock operations with a `via`, by the word typed and the function called. `task_states` are functions that
    change whether the task is one that runs, or one that is about to wait. `opaque` are files and folders
    ("kernel/sched/") whose functions are not looked into when they are called from elsewhere. `workers` are functions
    that have work done by another task. `queries` are functions that tell the context. `callbacks` are functions that
    register a function to be called in a context of its own; `members`, by "struct record.member", are the places
    where such a function is stored. `contracts`, by the same, are methods that are called with sleeping locks held.
    `entry_points` are methods by which tasks come in; with `system_calls` the names of the functions begin that are the
    bodies of system calls. `oom_path` are the functions from an allocation that gets nothing to the killing.
    `transactions` are functions that start and end transactions, `transaction_types` the names of their types by
    number; `frees` are functions that give memory back.
    """

    locks: dict[str, tuple[LockOp, ...]]
    scopes: dict[str, Scope]
    allocators: dict[str, Allocator]
    reclaim_roots: tuple[ReclaimRoot, ...]
    lock_types: dict[str, str]
    inner: frozenset[str]
    not_allocators: frozenset[str]
    noreturn: frozenset[str]
    gfp_flags: tuple[str, ...]
    gfp_required: tuple[str, ...]
    gfp_compound: tuple[str, ...]
    macros: dict[tuple[str, str], tuple[LockOp, ...]] = {}
    queries: dict[str, Query] = {}
    task_states: dict[str, TaskState] = {}
    workers: dict[str, Worker] = {}
    callbacks: dict[str, Callback] = {}
    members: dict[str, CallbackMember] = {}
    contracts: dict[str, Contract] = {}
    steady: frozenset[str] = frozenset()
    queued: frozenset[str] = frozenset()
    waits: frozenset[str] = frozenset()
    retry_waits: frozenset[str] = frozenset()
    pool_returns: frozenset[str] = frozenset()
    pool_keeps: frozenset[str] = frozenset()
    last_references: frozenset[str] = frozenset()
    words: dict[str, Word] = {}
    gfp_values: dict[str, int] = {}
    gfp_constants: tuple[str, ...] = ()
    task_flags: dict[str, dict[str, ScopeKind]] = {}
    opaque: tuple[str, ...] = ()
    entry_points: tuple[EntryPoint, ...] = ()
    system_calls: tuple[str, ...] = ()
    oom_path: tuple[str, ...] = ()
    transactions: dict[str, Transaction] = {}
    transaction_types: dict[str, tuple[str, ...]] = {}
    frees: dict[str, Free] = {}

    def knows(self, function: str) -> bool:
        """True if the function's effect is known, so that its body need not be looked at."""
        name = base_name(function)
        return name in self.locks or name in self.scopes or name in self.allocators or name in self.task_states

    def rolls(self, function: str) -> bool:
        """True if this function ends a transaction and leaves its caller in the next."""
        entry = self.transactions.get(function)
        return entry is not None and entry.does == "roll"

    def defers(self, function: str) -> bool:
        """True if functions passed to this one run later, in another context: it registers or creates something."""
        return function in self.callbacks or self.knows(function)

    @property
    def constants(self) -> tuple[str, ...]:
        """The names of all constants to fold, beside those of flags."""
        return (*self.gfp_constants, *(name for flags in self.task_flags.values() for name in flags))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.locks) | frozenset(self.scopes) | frozenset(self.allocators) | frozenset(self.task_states)


class ModelError(Exception):
    """A model file is wrong; the message names the file, the entry and what is wrong."""
