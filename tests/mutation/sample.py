"""Draws sites by a seed until there are enough of each kind that the oracle is sure of."""

from __future__ import annotations

import functools
import random
from collections import Counter, deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from . import atomic, hoist, reclaim, scope
from .claims import SUBSYSTEMS, Claim, Unsure
from .ctext import Source
from .folder import Folder

PATIENCE = 400
"""Sites that are looked at for one more claim of a kind; if none comes, the kind is taken to have no more."""

KEPT = 24
"""Directories held in memory."""


class Oracle(Protocol):
    """What judges the sites of one directory."""

    def claim(self, source: Source, offset: int) -> Claim: ...


class _Kind(NamedTuple):
    """Sites that one oracle judges, and the hazards that come out. `sites` finds them in a file's text."""

    word: bytes
    sites: Callable[[str], list[int]]
    oracle: Callable[[Folder], Oracle]
    hazards: tuple[str, ...]


_KINDS = (
    _Kind(b"GFP_", atomic.sites, atomic.AtomicOracle, ("lock", "section", "callback")),
    _Kind(b"GFP_KERNEL", hoist.sites, hoist.HoistOracle, ("hoisted",)),
    _Kind(b"GFP_NOFS", reclaim.sites, reclaim.ReclaimOracle, ("nofs lock", "nofs transaction")),
    _Kind(b"memalloc_nofs_save", scope.sites, scope.ScopeOracle, ("nofs scope",)),
)


class Sample(NamedTuple):
    """The claims drawn, and how often the oracle declined to make one, by reason."""

    claims: tuple[Claim, ...]
    unsure: Counter[str]


class _Cell(NamedTuple):
    """Claims of one sort: a hazard in one subsystem, with calls between lock and allocation (`deep`) or without."""

    stream: _Stream
    hazard: str
    deep: bool


def draw(root: Path, seed: str, size: int) -> Sample:
    """Up to `size` claims about the tree at `root`: the hazards take turns, and for each of them the subsystems, with
    and without calls between. The same seed draws the same."""
    chance = random.Random(seed)
    unsure: Counter[str] = Counter()
    sites = _sites(root)
    cells: dict[str, deque[_Cell]] = {}
    judge = _Judge(root)
    for kind in _KINDS:
        for subsystem in SUBSYSTEMS:
            here = sites[kind.word, subsystem]
            chance.shuffle(here)
            stream = _Stream(kind, iter(here), judge, unsure)
            for hazard in kind.hazards:
                for deep in (False, True):
                    cells.setdefault(hazard, deque()).append(_Cell(stream, hazard, deep))
    for queue in cells.values():
        chance.shuffle(queue)
    return Sample(tuple(_in_turn(cells, size)), unsure)


def _in_turn(cells: dict[str, deque[_Cell]], size: int) -> Iterator[Claim]:
    drawn: set[tuple[str, int]] = set()
    hazards = deque(cells)
    while hazards and len(drawn) < size:
        hazard = hazards.popleft()
        claim = _one_more(cells[hazard], drawn)
        if claim is not None:
            drawn.add((claim.file, claim.edits[0].start))
            hazards.append(hazard)
            yield claim


def _one_more(queue: deque[_Cell], drawn: set[tuple[str, int]]) -> Claim | None:
    """The next claim of the next cell that has one left."""
    while queue:
        cell = queue.popleft()
        claim = cell.stream.next(cell.hazard, cell.deep)
        while claim is not None and (claim.file, claim.edits[0].start) in drawn:
            claim = cell.stream.next(cell.hazard, cell.deep)
        if claim is not None:
            queue.append(cell)
            return claim
    return None


def _sites(root: Path) -> dict[tuple[bytes, str], list[tuple[str, int]]]:
    """By kind and subsystem: (file, number) for everything that might be a site, comments included."""
    found: dict[tuple[bytes, str], list[tuple[str, int]]] = {
        (kind.word, subsystem): [] for kind in _KINDS for subsystem in SUBSYSTEMS
    }
    for subsystem in SUBSYSTEMS:
        for path in sorted((root / subsystem).rglob("*.c")):
            data = path.read_bytes()
            text = data.decode("latin-1")
            name = str(path.relative_to(root))
            for kind in _KINDS:
                count = len(kind.sites(text)) if kind.word in data else 0
                found[kind.word, subsystem] += [(name, number) for number in range(count)]
    return found


class _Judge:
    """The oracles of the directories read last."""

    def __init__(self, root: Path) -> None:
        self.folder = functools.lru_cache(KEPT)(functools.partial(Folder, root))
        self._oracles = functools.lru_cache(KEPT)(self._oracle)

    def _oracle(self, kind: _Kind, name: str) -> Oracle:
        return kind.oracle(self.folder(name))

    def claim(self, kind: _Kind, file: str, number: int) -> Claim:
        """The claim about the site with this number in a file. Raises Unsure."""
        name = file.rpartition("/")[0]
        source = self.folder(name).sources[file]
        places = kind.sites(source.code)
        if number >= len(places):
            raise Unsure("no code")
        return self._oracles(kind, name).claim(source, places[number])


class _Stream:
    """The sites of one kind in one subsystem, in random order, judged when they are needed."""

    def __init__(self, kind: _Kind, sites: Iterator[tuple[str, int]], judge: _Judge, unsure: Counter[str]) -> None:
        self._kind = kind
        self._sites = sites
        self._judge = judge
        self._unsure = unsure
        self._found: dict[tuple[str, bool], deque[Claim]] = {}

    def next(self, hazard: str, deep: bool) -> Claim | None:
        """The next claim of a hazard, with calls between or without; None if none comes in time."""
        waiting = self._found.setdefault((hazard, deep), deque())
        for _ in range(PATIENCE):
            if waiting:
                return waiting.popleft()
            site = next(self._sites, None)
            if site is None:
                return None
            try:
                claim = self._judge.claim(self._kind, *site)
            except Unsure as reason:
                self._unsure[str(reason)] += 1
                continue
            self._found.setdefault((claim.hazard, claim.depth > 0), deque()).append(claim)
        return None
