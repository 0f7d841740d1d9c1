"""Names for contents."""

from __future__ import annotations

import hashlib
import re

_SIZE = 16


def digest(*parts: str | bytes) -> str:
    """32 hex digits that name `parts`, in this order and divided like this."""
    found = hashlib.blake2b(digest_size=_SIZE)
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        found.update(b"%d:" % len(data))
        found.update(data)
    return found.hexdigest()


class Spelling:
    """Spells paths below the absolute path `root` without it: what is kept of a tree is true of every copy of it."""

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")
        self._below = re.compile(f"^([^/]*){re.escape(self._root)}(?=/|$)")

    def of(self, word: str) -> str:
        """A path, or an argument that ends in one, like that of an -I option."""
        return self._below.sub(rf"\1{_ROOT}", word)

    def path(self, name: str) -> str:
        """The path that is spelled `name`."""
        return f"{self._root}{name.removeprefix(_ROOT)}" if name.startswith(_ROOT) else name


_ROOT = "<root>"
