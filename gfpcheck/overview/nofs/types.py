"""What the survey of restricted flags says. Plain data: it is kept, and written as JSON."""

from __future__ import annotations

from typing import Literal

import msgspec

from gfpcheck.overview.surveyed import Survey

SCHEMA_VERSION = 1
"""Of the JSON; it grows when a key changes its meaning or goes away."""

TOKENS = ("GFP_NOFS", "GFP_NOIO", "__GFP_NOLOCKDEP")
Flag = Literal["GFP_NOFS", "GFP_NOIO", "__GFP_NOLOCKDEP"]
Why = Literal["transaction", "scope", "lock", "reclaim", "io", "comment", "held", "none"]
WHYS: tuple[Why, ...] = ("transaction", "scope", "lock", "reclaim", "io", "comment", "held", "none")
"""Best first. A transaction or scope that is open on some ways only comes after all but `held`."""
MEANING: dict[Why, str] = {
    "transaction": "in a transaction, whose scope says the same",
    "scope": "in a scope that says the same",
    "lock": "a lock is held that reclaim waits for",
    "reclaim": "memory reclaim calls the function",
    "io": "on the way of data to a device",
    "comment": "a comment says why",
    "held": "a lock is held, but nothing was found by which reclaim waits for it",
    "none": "none found: no lock, scope or transaction, and neither reclaim nor I/O calls it",
}


class Reason(msgspec.Struct, frozen=True):
    """Something that asks for the flag: `why` is what sort of thing, `what` names it. It begins in `function` at
    `place` ("file:line"), empty where that is not known. `proof` is how reclaim comes to it. `always`: on all ways that
    are known; `also` are the other functions in which it begins on some."""

    why: Why
    what: str
    function: str = ""
    place: str = ""
    proof: str = ""
    always: bool = False
    also: tuple[str, ...] = ()


class Restriction(msgspec.Struct, frozen=True):
    """One call that is given `flag`. `verdict` is the best of `reasons`. `advice` says where a scope could stand
    instead, or why there need be none; empty if nothing was found that would tell. `looked_at` is what was."""

    key: str
    flag: Flag
    file: str
    line: int
    column: int
    function: str
    call: str
    flags: str
    verdict: Why
    reasons: tuple[Reason, ...]
    advice: str
    looked_at: str

    @property
    def subsystem(self) -> str:
        """The folder of the file."""
        return self.file.rpartition("/")[0] or "."


class Restrictions(Survey, frozen=True, kw_only=True):
    """All calls that are given one of the flags, in the order of files and lines; one for each flag."""

    calls: tuple[Restriction, ...]
