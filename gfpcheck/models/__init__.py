"""What gfpcheck knows of the kernel: data (TOML in `data/`), its loader, and the algebra of GFP flags.

`load((6, 12, 0))` gives the `Models` of one kernel version; functions are looked up in it by `base_name()`.
"""

from gfpcheck.models.gfp import GfpFlags
from gfpcheck.models.loader import load
from gfpcheck.models.parse import FILES
from gfpcheck.models.types import (
    ATOMIC_KINDS,
    CONTEXT_KINDS,
    PREEMPTION_OFF,
    SLEPT_ON,
    Allocator,
    Callback,
    CallbackMember,
    CallContext,
    Contract,
    EntryKind,
    EntryPoint,
    Failure,
    Family,
    LockKind,
    LockOp,
    ModelError,
    Models,
    Query,
    ReclaimRoot,
    Scope,
    ScopeKind,
    When,
    Word,
    WordFlag,
    Worker,
    base_name,
)

__all__ = [
    "ATOMIC_KINDS",
    "CONTEXT_KINDS",
    "FILES",
    "PREEMPTION_OFF",
    "SLEPT_ON",
    "Allocator",
    "CallContext",
    "Callback",
    "CallbackMember",
    "Contract",
    "EntryKind",
    "EntryPoint",
    "Failure",
    "Family",
    "GfpFlags",
    "LockKind",
    "LockOp",
    "ModelError",
    "Models",
    "Query",
    "ReclaimRoot",
    "Scope",
    "ScopeKind",
    "When",
    "Word",
    "WordFlag",
    "Worker",
    "base_name",
    "load",
]
