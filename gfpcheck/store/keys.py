"""Names for contents."""

from __future__ import annotations

import hashlib

_SIZE = 16


def digest(*parts: str | bytes) -> str:
    """32 hex digits that name `parts`, in this order and divided like this."""
    found = hashlib.blake2b(digest_size=_SIZE)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        found.update(b"%d:" % len(data))
        found.update(data)
    return found.hexdigest()
