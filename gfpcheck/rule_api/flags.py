"""GFP flags as a rule sees them: each flag set, clear or unknown."""

from __future__ import annotations

from collections.abc import Iterable

from gfpcheck.models import GfpFlags

_MASK = 0xFFFFFFFF
_CLEARS = {"nofs": "__GFP_FS", "noio": "__GFP_IO | __GFP_FS", "pin": "__GFP_MOVABLE"}
"""What each scope takes away: current_gfp_context() of include/linux/sched/mm.h."""


class Flags:
    """A set of GFP flags, some of which may be unknown.

    `ones` are the bits known to be set, `zeros` those known to be clear.
    """

    __slots__ = ("_gfp", "ones", "zeros")

    def __init__(self, ones: int, zeros: int, gfp: GfpFlags) -> None:
        self.ones = ones & _MASK
        self.zeros = zeros & _MASK
        self._gfp = gfp

    def has(self, names: str) -> bool | None:
        """Whether all of `names` ("__GFP_IO | __GFP_FS") are set; None if that is not known.

        A flag that this kernel does not have is never set.
        """
        mask = self._mask(names)
        if not mask or self.zeros & mask:
            return False
        return True if self.ones & mask == mask else None

    def any_of(self, names: str) -> bool:
        """Whether one of `names` at least is known to be set."""
        return bool(self.ones & self._mask(names))

    def lacks(self, names: str) -> bool:
        """Whether one of `names` at least is known to be clear."""
        return bool(self.zeros & self._mask(names))

    @property
    def known(self) -> bool:
        """Whether nothing is unknown of them."""
        return self.ones | self.zeros == _MASK

    def named(self, names: str) -> str:
        """Those of `names` that are known to be set, for messages."""
        return self._gfp.render(self.ones & self._mask(names))

    def _mask(self, names: str) -> int:
        return self._gfp.parse(names) if names else 0

    @property
    def sleeps(self) -> bool | None:
        """Whether the allocator may sleep: gfpflags_allow_blocking() of include/linux/gfp.h."""
        return self.has("__GFP_DIRECT_RECLAIM")

    def without(self, names: str) -> Flags:
        """The same flags with `names` cleared."""
        mask = self._mask(names)
        return Flags(self.ones & ~mask, self.zeros | mask, self._gfp)

    def within(self, scopes: Iterable[str]) -> Flags:
        """What is left of the flags where allocation scopes of these kinds are open."""
        left = self
        for kind in scopes:
            left = left.without(_CLEARS.get(kind, ""))
        return left

    def __str__(self) -> str:
        """As a kernel developer would write them."""
        return self._gfp.render(self.ones, _MASK & ~(self.ones | self.zeros))
