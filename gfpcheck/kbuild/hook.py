"""What Kbuild says to a checker (`make C=1 CHECK=...`): which file, and exactly how it is compiled."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gfpcheck.kbuild.commands import Command
from gfpcheck.kbuild.types import PlanError

_KCONFIG = "/include/linux/kconfig.h"
_GENERATED = "/include/generated/uapi"
_FLAGS = "-Wp,-M"
"""How c_flags of scripts/Makefile.lib begin. What is before them are CHECKFLAGS: for sparse, which has none of the
macros that a compiler defines by itself."""


class Checked(NamedTuple):
    """One file to check. `name` is how Kbuild spells it, `tree` the kernel's sources, `build` the folder that it is
    built in, with the generated headers."""

    name: str
    command: Command
    tree: Path
    build: Path

    @property
    def path(self) -> Path:
        """The file, from the root of the file system."""
        return Path(self.command.cwd, self.name)


def read_check(words: Sequence[str], cwd: str) -> Checked:
    """Takes apart `$(CHECKFLAGS) $(c_flags) $<`, as a checker is given it in the folder `cwd`. Raises PlanError if that
    is not what `words` are."""
    flags = next((index for index, word in enumerate(words) if word.startswith(_FLAGS)), 0)
    name = words[-1] if words else ""
    forced = (value for option, value in itertools.pairwise(words) if option == "-include")
    tree = next((value for value in forced if f"/{value}".endswith(_KCONFIG)), None)
    generated = (word[2:] for word in words if word.startswith("-I") and f"/{word[2:]}".endswith(_GENERATED))
    made = min(generated, key=len, default=None)  # the architecture has another one, further down
    if not name.endswith(".c") or tree is None or made is None:
        raise PlanError('this is not how Kbuild runs a checker; say: make C=1 CHECK="gfpcheck kbuild" fs/xfs/')
    command = Command(("cc", *words[flags:-1]), cwd)
    return Checked(name, command, _above(cwd, tree, _KCONFIG), _above(cwd, made, _GENERATED))


def _above(cwd: str, path: str, below: str) -> Path:
    """The folder in which `path` ends with `below`."""
    return Path(os.path.normpath(str(Path(cwd, path))[: -len(below)] or "/"))
