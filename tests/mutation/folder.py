"""All C files of one directory together: which function a name means, who calls it, who declares a member."""

from __future__ import annotations

import functools
import itertools
import re
from pathlib import Path
from typing import NamedTuple

from .ctext import Call, Function, Source, closing

_STRUCT = re.compile(r"\bstruct\s+(\w+)\s*\{")


class CallSite(NamedTuple):
    """A call in the text, and the function around it."""

    source: Source
    caller: Function
    call: Call


class Folder:
    """The C files and headers that lie directly in directory `name` of the tree at `root`."""

    def __init__(self, root: Path, name: str) -> None:
        self._root = root
        self._names = [f"{name}/{path.name}" for path in sorted((root / name).iterdir())]
        self.sources = {file: Source.read(root, file) for file in self._names if file.endswith(".c")}

    @functools.cached_property
    def _defined(self) -> dict[str, list[Function]]:
        found: dict[str, list[Function]] = {}
        for source in self.sources.values():
            for function in source.functions:
                found.setdefault(function.name, []).append(function)
        return found

    @functools.cached_property
    def _called(self) -> dict[str, list[tuple[Source, int]]]:
        found: dict[str, list[tuple[Source, int]]] = {}
        for source in self.sources.values():
            for name, offset in source.calls():
                found.setdefault(name, []).append((source, offset))
        return found

    def define(self, name: str, file: str) -> Function | None:
        """The function that `name` means in `file`; None if none or more than one could be meant."""
        here = [function for function in self._defined.get(name, ()) if function.file == file]
        if here:
            return here[0] if len(here) == 1 else None
        others = [function for function in self._defined.get(name, ()) if not function.static]
        return others[0] if len(others) == 1 else None

    def callers(self, function: Function) -> list[CallSite]:
        """The calls of `function` in this directory."""
        found = []
        for source, offset in self._called.get(function.name, ()):
            if self.define(function.name, source.name) != function:
                continue
            caller, call = source.function_at(offset), source.call_at(offset)
            if caller is not None and call is not None:
                found.append(CallSite(source, caller, call))
        return found

    @functools.cached_property
    def _inside(self) -> dict[Function, list[tuple[str, int]]]:
        found: dict[Function, list[tuple[str, int]]] = {}
        for name, places in self._called.items():
            for source, offset in places:
                function = source.function_at(offset)
                if function is not None:
                    found.setdefault(function, []).append((name, offset))
        return found

    def calls_in(self, function: Function) -> list[tuple[str, int]]:
        """(name, offset) of the calls in a function, in order."""
        return sorted(self._inside.get(function, ()), key=lambda call: call[1])

    def source_of(self, function: Function) -> Source:
        return self.sources[function.file]

    @functools.cached_property
    def structures(self) -> dict[str, str]:
        """The text between the braces of each structure that is declared here. One name, two texts: joined."""
        found: dict[str, str] = {}
        headers = (Source.read(self._root, file) for file in self._names if file.endswith(".h"))
        for source in itertools.chain(headers, self.sources.values()):
            for match in _STRUCT.finditer(source.code):
                end = closing(source.code, match.end() - 1)
                if end is not None:
                    found[match[1]] = found.get(match[1], "") + source.code[match.end() : end - 1]
        return found
