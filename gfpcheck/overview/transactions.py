"""Which transactions each function may be called in.

A transaction is an allocation scope that a function opens for its caller, together with an object that the caller is
given. What sort of transaction it is, is said by the structure that is passed to its start by address
(`&M_RES(mp)->tr_write`), on the way from the call down to where the scope is opened.
"""

from __future__ import annotations

from collections.abc import Iterable

from gfpcheck.analysis.program import callee_name
from gfpcheck.analysis.state import OpenScope, Site
from gfpcheck.analysis.trace import Context
from gfpcheck.driver.analyse import Knowledge
from gfpcheck.ir import Addr, Call, Field
from gfpcheck.overview.callers import Calls

NONE: frozenset[str] = frozenset()


class Transactions:
    """The transactions of one program, as "start(type)", or "start()" where nothing says of which type."""

    def __init__(self, known: Knowledge) -> None:
        self._program = known.program
        self._engine = known.engine
        self._edges = known.edges
        self._calls = Calls(known.program)
        self._started: dict[Site, str] = {}
        self._around = self._spread()

    def around(self, key: str) -> frozenset[str]:
        """The transactions that callers of function `key` may have open when they call it."""
        return self._around.get(key, NONE)

    def at(self, context: Context) -> frozenset[str]:
        """The transactions that the function itself has started where it allocates in `context`."""
        sites = (site for _, site in context.opened if site is not None)
        return frozenset(name for site in sites if (name := self._started.get(site, "")))

    def _spread(self) -> dict[str, frozenset[str]]:
        """From callers to callees, until nothing is new."""
        around: dict[str, frozenset[str]] = {}
        pending = dict.fromkeys(sorted(self._program.functions))
        while pending:
            key = next(iter(pending))
            del pending[key]
            here = around.get(key, NONE)
            for edge in self._edges.of(key):
                known = found = around.get(edge.callee, NONE)
                for calling in edge.callings:
                    found |= self._opened(calling.scopes)
                    if not calling.closed:
                        found |= here
                if found != known:
                    around[edge.callee] = found
                    pending[edge.callee] = None
        return around

    def _opened(self, scopes: Iterable[OpenScope]) -> frozenset[str]:
        return frozenset(name for scope in scopes if (name := self._name(scope)))

    def _name(self, scope: OpenScope) -> str:
        """The transaction that comes with `scope`; empty if it is a scope alone."""
        if scope.inherited or scope.is_own:
            return ""
        known = self._started.get(scope.site)
        if known is None:
            known = self._started[scope.site] = self._describe(scope)
        return known

    def _describe(self, scope: OpenScope) -> str:
        calls = [call for site in (scope.site, *scope.via) for _, _, call in self._calls.at(site)]
        if not scope.via and not any(self._gives_object(call) for call in calls):
            return ""
        for call in reversed(calls):
            for argument in call.args:
                if isinstance(argument, Addr) and isinstance(argument.base, Field) and self._is_record(argument.base):
                    return f"{_name_of(call)}({argument.base.member})"
        return f"{_name_of(calls[0])}()" if calls else ""

    def _gives_object(self, call: Call) -> bool:
        proto = self._program.protos.get(callee_name(call))
        return self._engine.effects.scopes.operation(call) is not None and bool(proto and proto.ret.endswith("*"))

    def _is_record(self, member: Field) -> bool:
        return self._program.members.get(f"{member.record}.{member.member}", "").startswith("struct ")


def _name_of(call: Call) -> str:
    return call.macro or callee_name(call) or "a pointer"
