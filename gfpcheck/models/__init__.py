"""Knowledge about the kernel as data (TOML), by kernel version."""

from gfpcheck.models.types import (
    ATOMIC_KINDS,
    CONTEXT_KINDS,
    Allocator,
    LockOp,
    ModelError,
    Models,
    ReclaimRoot,
    Scope,
)

__all__ = [
    "ATOMIC_KINDS",
    "CONTEXT_KINDS",
    "Allocator",
    "LockOp",
    "ModelError",
    "Models",
    "ReclaimRoot",
    "Scope",
]
