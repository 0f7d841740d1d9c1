"""Kernel versions that limit a model entry: `since` (inclusive) and `until` (exclusive)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

Version = tuple[int, int, int]
Range = tuple[Version, Version]

FIRST: Version = (0, 0, 0)
NEVER: Version = (1 << 30, 0, 0)

_VERSION = re.compile(r"\d{1,4}(\.\d{1,4}){0,2}\Z")


class Ranged(Protocol):
    """Anything with a version range, as text."""

    @property
    def since(self) -> str: ...
    @property
    def until(self) -> str: ...


T = TypeVar("T", bound=Ranged)


def pad(version: Sequence[int]) -> Version:
    """`version` with exactly three numbers: (6, 12) is (6, 12, 0)."""
    major, minor, patch = (*version, 0, 0, 0)[:3]
    return major, minor, patch


def parse_range(since: str, until: str) -> Range:
    """The range as numbers, open ends filled in. Raises ValueError with a message for the user."""
    for text in (since, until):
        if text and not _VERSION.match(text):
            raise ValueError(f'{text!r} is not a kernel version like "6.12"')
    low = pad([int(part) for part in since.split(".")]) if since else FIRST
    high = pad([int(part) for part in until.split(".")]) if until else NEVER
    if low >= high:
        raise ValueError(f"bad version range: since {since or 'ever'} until {until}")
    return low, high


def overlap(one: Range, other: Range) -> bool:
    """True if some version lies in both."""
    return one[0] < other[1] and other[0] < one[1]


def select(entries: Iterable[T], version: tuple[int, ...]) -> tuple[T, ...]:
    """Those of one function's entries that hold for `version`.

    Without a version there is no kernel to be wrong about: the newest entries hold.
    """
    pairs = [(parse_range(entry.since, entry.until), entry) for entry in entries]
    if version:
        at = pad(version)
        return tuple(entry for (low, high), entry in pairs if low <= at < high)
    newest = max((high for (_, high), _ in pairs), default=NEVER)
    return tuple(entry for (_, high), entry in pairs if high == newest)
