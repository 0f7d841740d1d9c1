"""Places in source files: the analysis names them by the words there, people count lines from the top of the file."""

from __future__ import annotations

from collections.abc import Iterable

from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import Site
from gfpcheck.findings import Place
from gfpcheck.ir import Func, Loc, Position, positions, stored_at


class Places:
    """Places as people name them, in the functions of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._tables = {(store.file, stored_at(store)): store.line for store in reversed(program.stores)}
        self._positions: dict[str, dict[Loc, Position]] = {}
        self._known: dict[Site, Place] = {}

    def at(self, func: Func, loc: Loc) -> Place:
        """A place in a function."""
        key = f"{func.file}:{func.name}"
        known = self._positions.get(key)
        if known is None:
            known = self._positions[key] = positions(func)
        position = known[loc]
        return Place(func.file, func.line + position.line, position.col, func.name)

    def site(self, site: Site) -> Place:
        """As `at`, for a place that names its function."""
        known = self._known.get(site)
        if known is None:
            func = self._program.functions.get(f"{site.file}:{site.function}")
            if func is None:
                known = Place(site.file, self._tables[site.file, site.loc], 0, site.function)
            else:
                known = self.at(func, site.loc)
            self._known[site] = known
        return known

    def sites(self, sites: Iterable[Site]) -> tuple[Place, ...]:
        """As `site`, for several."""
        return tuple(map(self.site, sites))
