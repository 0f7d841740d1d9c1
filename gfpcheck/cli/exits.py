"""Exit codes, documented in the README."""

from enum import IntEnum


class Exit(IntEnum):
    """CLEAN: nothing at or above --fail-on. FOUND: findings. FAILED: it could not do what was asked."""

    CLEAN = 0
    FOUND = 1
    FAILED = 2
