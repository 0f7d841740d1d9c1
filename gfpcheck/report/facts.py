"""What the analysis knows of functions, line by line: the data that `gfpcheck facts` prints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from gfpcheck.rule_api import Function, Lock


class Held(NamedTuple):
    """One way in which a line is reached: the locks held and the kinds of the scopes in force."""

    locks: tuple[Lock, ...]
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class FunctionFacts:
    """A function as rules see it, and beside it what is held on its lines (before anything on them is done).

    A line without a state is never reached; one that is not among the lines does nothing. `given_up`: it was too much
    work, so that nothing in it was looked at to the end.
    """

    function: Function
    end_line: int
    lines: dict[int, tuple[Held, ...]]
    given_up: bool

    def locks(self) -> dict[Lock, str]:
        """A letter for each lock that is held anywhere, in the order in which they come."""
        found: dict[Lock, str] = {}
        held = [lock for states in self.lines.values() for state in states for lock in state.locks]
        held += [lock for each in self.function.allocations for state in each.situations for lock in state.locks]
        for lock in held:
            found.setdefault(plain(lock), _letter(len(found)))
        return found


class Facts(NamedTuple):
    """The functions asked for. `root`, `setup`: as in a report."""

    root: str
    setup: str
    functions: tuple[FunctionFacts, ...]


def plain(lock: Lock) -> Lock:
    """The lock without a word on how sure it is that it is held."""
    return replace(lock, may=False)


def _letter(number: int) -> str:
    """A, B, ... Z, AA, AB, ..."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
