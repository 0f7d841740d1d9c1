"""The algebra of GFP flags: names to bits and back, with the values that the analysed tree defines."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gfpcheck.models.types import ModelError

_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]{1,16}|0|[1-9][0-9]{0,18})\Z")
_NAME = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_WORD = 0xFFFF_FFFF
_FEW = 4
"""More unknown flags than this are not worth naming one by one."""


class GfpFlags:
    """Flags by name, with the values of one tree.

    `values` are the folded values, compound names (GFP_KERNEL) among them; `compound` are the names to show sets of
    flags under, best first (`Models.gfp_compound`). A name that the tree lacks has mask 0. `constants` are those of the
    tree's other constants that are known (`Models.constants`).
    """

    def __init__(
        self, values: Mapping[str, int], compound: Sequence[str] = (), constants: Mapping[str, int] | None = None
    ) -> None:
        self.constants = dict(constants or {})
        self.values = {name: value & _WORD for name, value in values.items()}
        self._compound = [(name, self.values[name]) for name in compound if self.values.get(name)]
        singles = ((value, name) for name, value in self.values.items() if value.bit_count() == 1)
        names: dict[int, str] = {}
        for bit, name in sorted(singles, key=lambda pair: (pair[0], not pair[1].startswith("__"), pair[1])):
            names.setdefault(bit, name)
        self._singles = names
        self._parsed: dict[str, int] = {}

    def mask(self, name: str) -> int:
        """The bits of a flag or set of flags, 0 if the tree does not have it."""
        return self.values.get(name, 0)

    def parse(self, expression: str) -> int:
        """The bits of `A | B | 0x10`; a name that the tree lacks has none. Raises ModelError for anything else."""
        known = self._parsed.get(expression)
        if known is not None:
            return known
        bits = 0
        for word in expression.split("|"):
            name = word.strip()
            if _NAME.match(name):
                bits |= self.mask(name)
            elif _NUMBER.match(name):
                bits |= int(name, 0) & _WORD
            else:
                raise ModelError(f"not an expression of allocation flags: {expression!r}")
        self._parsed[expression] = bits
        return bits

    def render(self, ones: int, unknown: int = 0) -> str:
        """What a kernel developer would write for these bits: `GFP_NOFS | __GFP_NOFAIL`.

        `unknown` are bits of which nobody knows whether they are set; they are named after the others.
        """
        known = self._sum(ones & _WORD & ~unknown)
        doubtful = unknown & _WORD
        if not doubtful:
            return known
        if doubtful.bit_count() > _FEW:
            return "unknown flags" if known == "0" else f"{known} | unknown flags"
        maybe = " | ".join(f"{name}?" for name in self._words(doubtful))
        return maybe if known == "0" else f"{known} | {maybe}"

    def _sum(self, bits: int) -> str:
        if not bits:
            return "0"
        fitting = [(name, value) for name, value in self._compound if not value & ~bits]
        # max() keeps the first of equals: the order of `compound` decides.
        name, value = max(fitting, key=lambda pair: pair[1].bit_count(), default=("", 0))
        return " | ".join([*([name] if name else []), *self._words(bits & ~value)])

    def _words(self, bits: int) -> list[str]:
        words = [name for bit, name in self._singles.items() if bits & bit]
        rest = bits & ~sum(bit for bit in self._singles if bits & bit)
        return [*words, hex(rest)] if rest else words

    def blocks(self, bits: int) -> bool:
        """True if an allocation with these flags may sleep: gfpflags_allow_blocking() in include/linux/gfp.h."""
        return bool(bits & self.direct_reclaim)

    @property
    def direct_reclaim(self) -> int:
        return self.mask("__GFP_DIRECT_RECLAIM")

    @property
    def kswapd_reclaim(self) -> int:
        return self.mask("__GFP_KSWAPD_RECLAIM")

    @property
    def fs(self) -> int:
        return self.mask("__GFP_FS")

    @property
    def io(self) -> int:
        return self.mask("__GFP_IO")

    @property
    def nofail(self) -> int:
        return self.mask("__GFP_NOFAIL")

    @property
    def noretry(self) -> int:
        return self.mask("__GFP_NORETRY")

    @property
    def retry_mayfail(self) -> int:
        return self.mask("__GFP_RETRY_MAYFAIL")

    @property
    def nolockdep(self) -> int:
        return self.mask("__GFP_NOLOCKDEP")

    @property
    def nowarn(self) -> int:
        return self.mask("__GFP_NOWARN")

    @property
    def high(self) -> int:
        return self.mask("__GFP_HIGH")

    @property
    def memalloc(self) -> int:
        return self.mask("__GFP_MEMALLOC")

    @property
    def nomemalloc(self) -> int:
        return self.mask("__GFP_NOMEMALLOC")

    @property
    def zero(self) -> int:
        return self.mask("__GFP_ZERO")

    @property
    def account(self) -> int:
        return self.mask("__GFP_ACCOUNT")

    @property
    def movable(self) -> int:
        return self.mask("__GFP_MOVABLE")

    @property
    def highmem(self) -> int:
        return self.mask("__GFP_HIGHMEM")

    @property
    def dma(self) -> int:
        return self.mask("__GFP_DMA")

    @property
    def dma32(self) -> int:
        return self.mask("__GFP_DMA32")

    @property
    def comp(self) -> int:
        return self.mask("__GFP_COMP")

    @property
    def kernel(self) -> int:
        return self.mask("GFP_KERNEL")
