"""What the tool itself is made of: results of another version are worth nothing."""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path

import msgspec

from gfpcheck import __version__
from gfpcheck.store import digest

_PACKAGE = Path(__file__).parent.parent


@functools.cache
def code_digest(*folders: str) -> str:
    """Names the code and data of those folders of the package (none: all of it), and what runs it."""
    found = [__version__, sys.version, msgspec.__version__]
    for folder in folders or ("",):
        # Links are followed: the built-in rules are one.
        for parent, below, names in os.walk(_PACKAGE / folder, followlinks=True):
            below[:] = sorted(name for name in below if name != "__pycache__")
            for name in sorted(names):
                path = Path(parent, name)
                found += [str(path.relative_to(_PACKAGE)), digest(path.read_bytes())]
    return digest(*found)
