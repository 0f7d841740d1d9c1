"""Which summaries are provisional: those of functions that call each other, while these are run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from gfpcheck.analysis.results import Which
from gfpcheck.analysis.summary import Summary

Uses = dict[Which, Summary]
"""The summaries that a run was given."""
_NONE = 1 << 30
"""A depth that no run has."""


@dataclass(slots=True)
class _Frame:
    """A run under way. `rests_on` is the depth of the outermost run on which something rests that it was given;
    `before` is the number of runs that were open when it began."""

    key: str | None
    before: int
    uses: Uses = field(default_factory=dict)
    rests_on: int = _NONE


class Pending:
    """The runs under way, outermost first, and those that are done but open: they rest on one that is under way."""

    def __init__(self) -> None:
        self._frames: list[_Frame] = []
        self._active: dict[str, int] = {}
        # In the order in which they were done: the depth of the run on which each rests, and what it was given.
        self._open: dict[Which, int] = {}
        self._uses: dict[Which, Uses] = {}

    def begin(self, key: str | None = None) -> None:
        """A run over function `key` begins; or something that asks for summaries, and that no run asks for."""
        if key is not None:
            self._active[key] = len(self._frames)
        self._frames.append(_Frame(key, len(self._open)))

    def end(self) -> Uses:
        """The innermost run is done; what it was given."""
        frame = self._frames.pop()
        if frame.key is not None:
            del self._active[frame.key]
        return frame.uses

    @property
    def is_idle(self) -> bool:
        """True if no run over a function is under way."""
        return not self._active

    def is_active(self, key: str) -> bool:
        """True if a run over that function is under way."""
        return key in self._active

    def is_open(self, which: Which) -> bool:
        """True if that run is done, and open."""
        return which in self._open

    @property
    def rests(self) -> bool:
        """True if the innermost run was given something provisional."""
        return self._frames[-1].rests_on != _NONE

    def use(self, which: Which, summary: Summary) -> None:
        """The innermost run is given the summary of `which`."""
        if self._frames:
            self._frames[-1].uses.setdefault(which, summary)
            self.rest_on(which)

    def rest_on(self, which: Which) -> None:
        """What the innermost run does rests on `which`, which is done."""
        if self._frames:
            self._rest(self._open.get(which, _NONE))

    def rest_on_active(self, key: str) -> None:
        """What the innermost run does rests on the run over function `key`, which is under way."""
        self._rest(self._active[key])

    def _rest(self, depth: int) -> None:
        frame = self._frames[-1]
        frame.rests_on = min(frame.rests_on, depth)

    def forget_uses(self) -> None:
        """What the innermost run was given was of no use."""
        self._frames[-1].uses.clear()

    # --- functions that call each other ------------------------------------------------------

    def settle(self, which: Which) -> Uses | None:
        """The innermost run, over `which`, is done: what it was given, if that was final and nothing rests on it. Else
        it is open from now on."""
        frame = self._frames[-1]
        uses = self.end()
        loose = self._since(frame)
        if not loose and frame.rests_on == _NONE:
            return uses
        depth = min(frame.rests_on, len(self._frames))
        for each in loose:
            self._open[each] = depth
        self._open[which] = depth
        self._uses[which] = uses
        return None

    def _since(self, frame: _Frame) -> list[Which]:
        """The runs that were opened since that one began."""
        return list(itertools.islice(self._open, frame.before, None)) if len(self._open) > frame.before else []

    def rests_on_none(self, which: Which) -> bool:
        """True if `which`, which has just been done and is open, rests on no run under way."""
        return self._open[which] == len(self._frames)

    def members(self) -> Iterator[Which]:
        """The runs that rest on the innermost one or on nothing that is under way, in the order in which they were
        done first; also those that come to be meanwhile."""
        depth = len(self._frames) - 1
        begin = sum(rests < depth for rests in self._open.values())
        seen = 0
        while members := list(itertools.islice(self._open, begin + seen, None)):
            seen += len(members)
            yield from members

    def given(self, which: Which) -> Uses:
        """What the last run over `which`, which is open, was given."""
        return self._uses[which]

    def settle_again(self, which: Which) -> None:
        """The innermost run, over one of the `members`, is done."""
        frame = self._frames[-1]
        self._uses[which] = self.end()
        for each in self._since(frame):
            self._open[each] = len(self._frames) - 1

    def close(self) -> dict[Which, Uses]:
        """The `members` are final now; what each was given."""
        closed = list(self.members())
        self._frames.pop()
        for which in closed:
            del self._open[which]
        return {which: self._uses.pop(which) for which in closed}
