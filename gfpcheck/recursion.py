"""Deep recursion, where the depth is that of what is looked at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def deep_recursion(limit: int) -> Iterator[None]:
    """Allows for `limit` frames, for as long as the block runs: of Python alone, which cost no C stack. Parsers written
    in C need the ordinary limit to survive what is nested too deep."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, limit))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)
