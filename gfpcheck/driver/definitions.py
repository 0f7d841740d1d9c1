"""Where functions of the kernel are defined, by the index of the tree and a look at the file."""

from __future__ import annotations

import re
from pathlib import Path

from gfpcheck.symbols import Index


class Definitions:
    """Finds functions by name, without parsing. What is static, or defined twice, is not found."""

    def __init__(self, root: str, symbols: Index | None) -> None:
        self._root = Path(root)
        self._symbols = symbols
        self._known: dict[str, str] = {}

    def named(self, name: str) -> str:
        """The function for a reader: "out_of_memory() (mm/oom_kill.c:1108)", without a place if there is not one."""
        known = self._known.get(name)
        if known is None:
            place = self._place(name)
            known = self._known[name] = f"{name}() ({place})" if place else f"{name}()"
        return known

    def _place(self, name: str) -> str:
        places = self._symbols.places(name) if self._symbols is not None else ()
        if len(places) != 1:
            return ""
        try:
            text = (self._root / places[0]).read_bytes()
        except OSError:
            return ""
        head = rb"^(?![#/ \t])[\w \t*]*\b" + re.escape(name.encode()) + rb"\s*\([^;{}]*\)[^;{}]*\n?\{"
        match = re.search(head, text, re.MULTILINE)
        if match is None:
            return ""
        line = text.count(b"\n", 0, text.index(name.encode(), match.start())) + 1
        return f"{places[0]}:{line}"
