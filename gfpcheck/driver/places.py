"""Places in source files: the analysis counts lines from a function's own, people from the top of the file."""

from __future__ import annotations

from collections.abc import Iterable

from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import Site
from gfpcheck.findings import Place
from gfpcheck.ir import Func, Loc


class Places:
    """Places as people name them, in the functions of one program."""

    def __init__(self, program: Program) -> None:
        self._lines = {(func.file, func.name): func.line for func in program.functions.values()}
        self._known: dict[Site, Place] = {}

    def at(self, func: Func, loc: Loc) -> Place:
        """A place in a function."""
        return Place(func.file, func.line + loc.line, loc.col, func.name)

    def site(self, site: Site) -> Place:
        """As `at`, for a place that names its function."""
        known = self._known.get(site)
        if known is None:
            line = self._lines.get((site.file, site.function), 0) + site.line
            known = self._known[site] = Place(site.file, line, site.col, site.function)
        return known

    def sites(self, sites: Iterable[Site]) -> tuple[Place, ...]:
        """As `site`, for several."""
        return tuple(map(self.site, sites))
