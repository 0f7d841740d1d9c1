"""Amounts of memory that can be added and compared."""

from __future__ import annotations

import msgspec

from gfpcheck.overview.demand.asked import Asked

_LARGEST_OBJECT = 2
"""Pages up to which kmalloc() takes objects from a cache (KMALLOC_MAX_CACHE_SIZE of include/linux/slab.h)."""
_BY_PAGE = frozenset(("vmalloc", "kvmalloc"))


class Amount(msgspec.Struct, frozen=True):
    """So many `objects`: `bytes` of those that are parts of pages, and `pages` of their own; `unsized` of the objects
    have no size that is known."""

    objects: int = 0
    bytes: int = 0
    pages: int = 0
    unsized: int = 0

    def __add__(self, other: Amount) -> Amount:
        return Amount(
            self.objects + other.objects,
            self.bytes + other.bytes,
            self.pages + other.pages,
            self.unsized + other.unsized,
        )

    def times(self, number: int) -> Amount:
        """So often."""
        if number == 1 or not self.objects:
            return self
        return Amount(self.objects * number, self.bytes * number, self.pages * number, self.unsized * number)

    def in_pages(self, page: int) -> int:
        """The pages of `page` bytes that it takes if objects fill them."""
        return self.pages + -(-self.bytes // page)

    def weight(self, page: int) -> tuple[int, int]:
        """What amounts are compared by."""
        return self.pages * page + self.bytes, self.objects


NOTHING = Amount()


def most_of(asked: Asked, page: int) -> Amount:
    """The most that one allocation takes."""
    size, order = asked.size.size, asked.size.order
    if size is None and order is None:
        return Amount(1, unsized=1)
    if size is None or asked.family == "page":
        assert order is not None
        return Amount(1, pages=1 << order)
    if size <= _LARGEST_OBJECT * page and asked.family != "vmalloc":
        return Amount(1, size)
    if asked.family in _BY_PAGE or order is None:
        return Amount(1, pages=-(-size // page))
    return Amount(1, pages=1 << order)


def least_of(asked: Asked, page: int) -> Amount:
    """The least: what is only looked for may be there, and what is bounded may be nothing."""
    if asked.maybe:
        return NOTHING
    return most_of(asked, page) if asked.size.how in ("constant", "sizeof", "cache") else Amount(1)
