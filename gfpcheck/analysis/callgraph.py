"""The call graph: direct calls, calls through (struct type, member), functions passed as callbacks."""

from __future__ import annotations

from collections.abc import Iterable, Set

import networkx as nx

from gfpcheck.analysis.program import Program
from gfpcheck.ir import Var

MAX_ROUND = 16
"""A call through a pointer that may mean more functions is not followed where it leads back to the caller: in all of
fs/ every file system that drops an inode would call every other one's."""


class CallGraph:
    """`graph` has an edge for each pair (caller, callee) of function ids, with the attribute `kind`:
    "direct", "pointer" (through a member) or "callback" (passed as an argument).
    `unresolved` counts indirect calls with no known target, `wide` those with too many; `external` the direct calls of
    functions without a body here: all of them but for the functions `beyond` the paths asked for. `vague` are the
    functions with a call of too many targets, which has no edges. `rounds` are the pairs that are in `graph` only
    because of calls that lead back, as `MAX_ROUND` says, and `followed` is the graph without them.
    """

    def __init__(self, program: Program, beyond: Set[str] = frozenset()) -> None:
        self.graph: nx.DiGraph[str] = nx.DiGraph()
        self.unresolved = 0
        self.wide = 0
        self.external = 0
        self.vague: set[str] = set()
        self.graph.add_nodes_from(program.functions)
        wide: set[tuple[str, str]] = set()
        narrow: set[tuple[str, str]] = set()
        for caller, func in program.functions.items():
            for _, _, call in program.calls(func):
                direct = isinstance(call.callee, Var) and call.callee.kind == "f"
                callees = program.callees(call, func)
                if not callees and program.is_too_wide(call, func):
                    self.vague.add(caller)
                if not callees and caller not in beyond:
                    if direct:
                        self.external += 1
                    elif program.is_too_wide(call, func):
                        self.wide += 1
                    else:
                        self.unresolved += 1
                for callee in callees:
                    self._edge(caller, callee, "direct" if direct else "pointer")
                    (wide if len(callees) > MAX_ROUND else narrow).add((caller, callee))
                for callee in program.passed_functions(call, func.file):
                    self._edge(caller, callee, "callback")
                    narrow.add((caller, callee))
        self.rounds = self._within(wide - narrow)
        self.followed = self.graph
        if self.rounds:
            self.followed = self.graph.copy()
            self.followed.remove_edges_from(self.rounds)

    def _edge(self, caller: str, callee: str, kind: str) -> None:
        if not self.graph.has_edge(caller, callee):
            self.graph.add_edge(caller, callee, kind=kind)

    def leading_to(self, functions: Iterable[str]) -> set[str]:
        """Those functions and all from which one of them may be reached."""
        found = set(functions)
        pending = list(found)
        while pending:
            for caller in self.graph.predecessors(pending.pop()):
                if caller not in found:
                    found.add(caller)
                    pending.append(caller)
        return found

    def _within(self, pairs: Set[tuple[str, str]]) -> frozenset[tuple[str, str]]:
        """Those of the pairs whose functions can both be reached from each other."""
        if not pairs:
            return frozenset()
        components = enumerate(nx.strongly_connected_components(self.graph))
        number = {key: n for n, component in components for key in component}
        return frozenset(pair for pair in pairs if number[pair[0]] == number[pair[1]])

    def bottom_up(self) -> list[list[str]]:
        """The strongly connected components of what is followed, callees before callers, each sorted."""
        return [sorted(component) for component in nx.strongly_connected_components(self.followed)]
