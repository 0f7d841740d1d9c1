"""The calls of a program by where they stand, and by what they call."""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.state import Site
from gfpcheck.ir import Call, Loc


class Caller(NamedTuple):
    """Function `key` makes `call`."""

    key: str
    call: Call

    @property
    def direct(self) -> bool:
        """False for a call through a pointer."""
        return bool(callee_name(self.call))


class Calls:
    """Answers for one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._at: dict[str, dict[Loc, list[tuple[int, int, Call]]]] = {}

    def at(self, site: Site) -> list[tuple[int, int, Call]]:
        """The calls at a place, each as (block, index, call)."""
        key = f"{site.file}:{site.function}"
        if key not in self._at:
            self._at[key] = {}
            func = self._program.functions.get(key)
            for block, index, call in self._program.calls(func) if func is not None else ():
                self._at[key].setdefault(call.loc, []).append((block, index, call))
        return self._at[key].get(site.loc, [])

    def of(self, key: str) -> list[Caller]:
        """The calls of function `key`, direct ones and those that may mean it."""
        return self._callers.get(key, [])

    @cached_property
    def _callers(self) -> dict[str, list[Caller]]:
        found: dict[str, list[Caller]] = {}
        for key, func in self._program.functions.items():
            for _, _, call in self._program.calls(func):
                for callee in self._program.callees(call, func):
                    found.setdefault(callee, []).append(Caller(key, call))
        return found
