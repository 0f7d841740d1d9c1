"""Trees that differ from the one on disk in some files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

Contents = Mapping[str, bytes | None]
"""Files by their path below a root: their contents, None for one that is not there."""

_SUFFIXES = (".c", ".h", ".S", ".inc")
_NAMES = ("Makefile", "Kbuild", "Kconfig")


class ChangeError(Exception):
    """The change cannot be read or applied; the message is for the user."""


class Side(NamedTuple):
    """A tree as it is before or after a change: the tree on disk at `root`, but for the files in `replaced`.

    `name` says what it is ("HEAD", "the working tree").
    """

    root: Path
    name: str
    replaced: Contents

    def read(self, path: str) -> bytes | None:
        """The contents of a file of this side; None if it is not there. Raises ChangeError."""
        if path in self.replaced:
            return self.replaced[path]
        try:
            return (self.root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ChangeError(f"{path}: {error.strerror or error}") from error

    def differing(self, other: Side) -> list[str]:
        """The files that are not the same on both sides, sorted."""
        either = sorted({*self.replaced, *other.replaced})
        return [path for path in either if self.read(path) != other.read(path)]


def concerns(path: str) -> bool:
    """True for a file that can change what is found: C, and what decides how it is built."""
    name = path.rpartition("/")[2]
    return path.endswith(_SUFFIXES) or name.startswith(_NAMES)
