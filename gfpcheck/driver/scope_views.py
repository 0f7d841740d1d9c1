"""The scopes of a function as the rule API shows them."""

from __future__ import annotations

from collections.abc import Callable

from gfpcheck.analysis import tokens
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.scopes import BY_FLAG
from gfpcheck.analysis.state import OpenScope, Site
from gfpcheck.driver.places import Places
from gfpcheck.findings import Place
from gfpcheck.ir import Func
from gfpcheck.rule_api import Ending, Scope, ScopeEnd, ScopeLeak


class ScopeViews:
    """Builds the scope facts of `Function` objects. One object serves a whole program."""

    def __init__(self, program: Program, places: Places) -> None:
        self._program = program
        self._places = places

    def leaks(self, func: Func, log: tokens.ScopeLog) -> tuple[ScopeLeak, ...]:
        """The scopes that are left open, in order."""
        names = self._names(func)
        found = []
        for (site, kind), returns in log.left.items():
            scope = Scope(kind, self._places.site(site))
            places = tuple(sorted(self._places.at(func, loc) for loc in returns))
            name = "" if log.opened[site, kind].token == BY_FLAG else names(site)
            found.append(ScopeLeak(scope, name, places, (site, kind) in log.closed))
        return tuple(sorted(found, key=lambda leak: (leak.scope.place or places[0], leak.scope.kind)))

    def ends(self, func: Func, log: tokens.ScopeLog) -> tuple[ScopeEnd, ...]:
        """The calls that close a scope, in order."""
        names = self._names(func)
        found = []
        for site, endings in log.endings.items():
            shown = tuple(dict.fromkeys(self._ending(ending) for ending in endings))
            kind = next(iter(endings)).kind
            found.append(ScopeEnd(names(site), kind, self._places.site(site), shown))
        return tuple(sorted(found, key=lambda end: end.place))

    def _ending(self, ending: tokens.Ending) -> Ending:
        return Ending(ending.verdict, self._opened(ending.scope), self._opened(ending.inner), ending.saved)

    def _opened(self, scope: OpenScope | None) -> Place | None:
        return None if scope is None or scope.inherited else self._places.site(scope.site)

    def _names(self, func: Func) -> Callable[[Site], str]:
        """The function that the source calls at a site."""
        calls = [call for _, _, call in self._program.calls(func)]
        names = {call.loc: call.macro or callee_name(call) for call in calls}
        return lambda site: names.get(site.loc, "")
