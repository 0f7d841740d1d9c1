"""What a rule is told about the function that allocates."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Allocator:
    """What the models know of an allocator (gfpcheck/models/types.py says it at length).

    `family` is what it rests on: "slab", "page", "vmalloc", "kvmalloc", "mempool", "percpu", "bulk", "contig",
    "cache", "preload", "charge", or "" where nobody knows. `needs` are flags that it does not work without, `rejects`
    those that it ignores or refuses. `takes_flags`: its flags are an argument, which the caller writes.
    """

    family: str = ""
    needs: str = ""
    rejects: str = ""
    takes_flags: bool = True


ANY = Allocator()
"""An allocator of which only its `gfp_t` argument is known."""
