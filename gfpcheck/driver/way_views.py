"""How a function comes to be called, as the rule API shows it."""

from __future__ import annotations

from collections.abc import Callable

from gfpcheck.analysis.callers import Callers
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.state import HeldLock
from gfpcheck.driver.places import Places
from gfpcheck.rule_api import Lock, Scope, Way


class WayViews:
    """Builds `Way` objects for rules. One object serves a whole program; `lock` shows a lock as rules see it."""

    def __init__(self, engine: Engine, callers: Callers, places: Places, lock: Callable[[HeldLock], Lock]) -> None:
        self._engine = engine
        self._callers = callers
        self._places = places
        self._lock = lock
        pointers, roots = engine.program.pointers, engine.effects.models.reclaim_roots
        self._reclaim = frozenset(key for root in roots for key in pointers.held((root.record, root.member)))

    def of(self, key: str) -> tuple[Way, ...]:
        """The ways to function `key`. One that nobody calls is its own start."""
        name = self._engine.program.functions[key].name
        found = [
            Way(
                way.chain[0].function,
                self._context(f"{way.chain[0].file}:{way.chain[0].function}"),
                self._places.sites(way.chain),
                tuple(map(self._lock, way.locks)),
                tuple(map(Scope, way.scopes)),
            )
            for way in self._callers.ways(key)
        ]
        context = self._context(key)
        if context or not found:
            found.insert(0, Way(name, context, (), (), ()))
        return tuple(found)

    def _context(self, key: str) -> str:
        """How `key` itself is called, as far as that is known."""
        if key in self._reclaim:
            return "reclaim"
        contexts = sorted(self._engine.contexts(key), key=lambda context: (context in ("thread", "work"), context))
        return contexts[0] if contexts else ""
