"""How reclaim comes to wait for locks, as the functions of one folder see it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gfpcheck.analysis.neighbours import folder
from gfpcheck.analysis.reclaim import Reclaim, ReclaimLock


class Ways:
    """Remembers the answers of `Reclaim`."""

    def __init__(self, reclaim: Reclaim) -> None:
        self._reclaim = reclaim
        self._known: dict[str, Mapping[str, Sequence[ReclaimLock]]] = {}

    def seen_from(self, file: str) -> Mapping[str, Sequence[ReclaimLock]]:
        """The ways by class, for locks that functions in `file` hold."""
        where = folder(file)
        if where not in self._known:
            self._known[where] = self._reclaim.ways(file)
        return self._known[where]

    def of(self, cls: str, folders: Iterable[str]) -> list[ReclaimLock]:
        """The ways to locks of class `cls` that are held in `folders`: one for each gate, the best first."""
        best: dict[tuple[str, bool], ReclaimLock] = {}
        for name in folders:
            for way in self.seen_from(f"{name}/").get(cls, ()):
                key = (way.gate, way.io)
                if key not in best or way.rank < best[key].rank:
                    best[key] = way
        return sorted(best.values(), key=lambda way: way.rank)
