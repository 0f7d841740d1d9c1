"""Names for everything that a run over a function depends on, but for the summaries of the functions called."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

import msgspec

from gfpcheck.analysis.carriers import Carriers
from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.inline import Inliner
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.results import short
from gfpcheck.analysis.starts import Starts
from gfpcheck.analysis.stores import Stores
from gfpcheck.ir import Addr, Call, Expr, Func, Var

_encode = msgspec.msgpack.Encoder().encode


class _Callee(NamedTuple):
    """What a call may lead to: a name for all that matters, and the parameters that are called there."""

    name: bytes
    called: list[int]


class Surroundings:
    """Answers for one program; `tool` names the code of the analysis and the models."""

    def __init__(
        self,
        tool: str,
        program: Program,
        effects: Effects,
        starts: Starts,
        carriers: Carriers,
        inliner: Inliner,
        rounds: Set[tuple[str, str]],
    ) -> None:
        self._rounds: dict[str, list[str]] = {}
        for caller, callee in sorted(rounds):
            self._rounds.setdefault(caller, []).append(callee)
        self._program = program
        self._effects = effects
        self._starts = starts
        self._inliner = inliner
        self._stores = Stores(program)
        self._known: dict[str, bytes] = {}
        self._callees: dict[tuple[Expr, str], _Callee] = {}
        self._common = short(_encode((tool, sorted(carriers.kinds.items()), *self._tables())))

    def name(self, key: str, *more: object) -> bytes:
        """Names what a run over function `key` depends on, and `more` that was asked."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = short(_encode((self._common, *self._own(key))))
        return short(_encode((known, *more)))

    def _tables(self) -> Iterator[object]:
        """What members hold functions, and which are locks."""
        program, locks = self._program, self._effects.models.lock_types
        for place in sorted(program.pointers.places()):
            yield place, program.pointers.held(place)
        for types in (program.members, program.global_types):
            yield sorted((name, type_) for name, type_ in types.items() if type_ in locks)

    def _own(self, key: str) -> Iterator[object]:
        func = self._program.functions[key]
        yield msgspec.structs.replace(func, line=0, end_line=0, places=b"")
        yield self._rounds.get(key)
        yield self._starts.held(key)
        yield sorted(self._program.pointers.called_parameters(key))
        for _, _, call in self._program.calls(func):
            yield from self._call(key, func, call)

    def _call(self, key: str, func: Func, call: Call) -> Iterator[object]:
        """What is known of a call, whatever the state in which it is made."""
        program, pointers = self._program, self._program.pointers
        direct = isinstance(call.callee, Var) and call.callee.kind == "f"
        callee = self._callee(func, call) if direct else self._look_at(func, call)
        yield callee.name
        yield program.passed_functions(call, func.file)
        yield self._effects.allocates(func, call)
        for number, argument in enumerate(call.args):
            if isinstance(argument, Addr) and isinstance(argument.base, Var):
                stored = self._stores.by_call(call, func, number)
                yield None if stored is None else sorted(stored)
        pointed = [call.args[number] for number in callee.called if number < len(call.args)]
        if not direct:
            pointed.append(call.callee)
        for expr in pointed:
            for source in pointers.sources(key, expr):
                yield program.pointed(key, source, by_callers=False)
                yield pointers.parameters(key, source)

    def _callee(self, func: Func, call: Call) -> _Callee:
        """What is known of the function that a direct call names."""
        where = (call.callee, func.file)
        known = self._callees.get(where)
        if known is None:
            known = self._callees[where] = self._look_at(func, call)
        return known

    def _look_at(self, func: Func, call: Call) -> _Callee:
        callees = self._program.callees(call, func)
        inlined = self._inliner.value(call, func.file)
        proto = self._program.protos.get(callee_name(call))
        told = proto and (proto.ret, proto.params, proto.gfp, proto.annotations)
        pointers = self._program.pointers
        called = sorted({number for callee in callees for number in pointers.called_parameters(callee)})
        return _Callee(short(_encode((callees, inlined, told, called))), called)
