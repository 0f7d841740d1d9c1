"""Which `asm/` headers an architecture takes from asm-generic, and which its build generates.

The rules are those of the kernel's scripts/Makefile.asm-headers (scripts/Makefile.asm-generic before 6.11).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

_LIST = re.compile(r"^(generic|generated|mandatory|syscall)-y[ \t]*[:+]?=[ \t]*((?:.*\\\n)*.*)$", re.MULTILINE)


class Wrappers(NamedTuple):
    """File names: `generic` ones wrap the asm-generic header of the same name, `generated` ones are made otherwise."""

    generic: list[str]
    generated: list[str]


def wrappers(root: Path, srcarch: str, folder: str, read: Callable[[str], str]) -> Wrappers:
    """The headers missing from arch/`srcarch`/include/`folder`; `folder` is "asm" or "uapi/asm"."""
    lists: dict[str, list[str]] = {"generic": [], "generated": [], "mandatory": [], "syscall": []}
    common = "include/asm-generic/Kbuild" if folder == "asm" else "include/uapi/asm-generic/Kbuild"
    source = f"arch/{srcarch}/include/{folder}"
    for path in (f"{source}/Kbuild", common):
        for match in _LIST.finditer(read(path)):
            lists[match[1]] += match[2].replace("\\\n", " ").split("#")[0].split()
    made = sorted({*lists["generated"], *lists["syscall"]})
    generic = {*lists["generic"], *lists["mandatory"]} - set(made)
    return Wrappers(sorted(name for name in generic if not (root / source / name).is_file()), made)
