"""Where transactions are started, and of which type each is.

What starts one, and which argument says of what type it is, is data (`models/data/transactions.toml`). That a function
leaves its caller in a transaction is known by the allocation scope that comes with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.paths import show
from gfpcheck.analysis.program import callee_name
from gfpcheck.analysis.state import Site
from gfpcheck.ir import Addr, Assign, Call, Const, Expr, Field, Func, Temp, Var
from gfpcheck.models.types import Transaction
from gfpcheck.overview.callers import Calls

_UP = 3
"""Callers that are asked one above the other for what a parameter is."""


class Starts:
    """Answers for one program."""

    def __init__(self, engine: Engine, calls: Calls) -> None:
        self._program = engine.program
        self._models = engine.effects.models
        self._calls = calls

    def entry(self, call: Call) -> Transaction | None:
        """What is known of the function called."""
        return self._models.transactions.get(callee_name(call)) or self._models.transactions.get(call.macro)

    def start(self, chain: Sequence[Site]) -> tuple[int, Call] | None:
        """The first call on the way down to where a scope is opened that starts a transaction, with its number; None
        for a scope alone."""
        for number, site in enumerate(chain):
            for _, _, call in self._calls.at(site):
                entry = self.entry(call)
                if entry is not None and entry.does == "start":
                    return number, call
        return None

    def types(self, chain: Sequence[Site]) -> tuple[str, ...]:
        """The types of which the transaction may be that is started at the end of `chain`; () if that is no start."""
        found = self.start(chain)
        if found is None:
            return ()
        number, call = found
        entry = self.entry(call)
        assert entry is not None
        if not 0 <= entry.type_arg < len(call.args):
            return (f"{call.macro or callee_name(call)}()",)
        names = self._models.transaction_types.get(entry.types, ())
        func = self._function(chain[number])
        return tuple(dict.fromkeys(self._resolve(func, call.args[entry.type_arg], chain[:number], names, _UP)))

    def _function(self, site: Site) -> Func:
        return self._program.functions[f"{site.file}:{site.function}"]

    def _resolve(self, func: Func, expr: Expr, above: Sequence[Site], names: Sequence[str], up: int) -> Iterator[str]:
        """What `expr` may be, in `func`, which was called on the way `above`, or by anybody."""
        if isinstance(expr, Const):
            yield names[expr.value] if 0 <= expr.value < len(names) else str(expr.value)
        elif isinstance(expr, Addr) and isinstance(expr.base, Field):
            yield expr.base.member
        elif isinstance(expr, Var | Temp) and (given := _given(func, expr)):
            for each in given:
                yield from self._resolve(func, each, above, names, up)
        elif isinstance(expr, Addr) and isinstance(expr.base, Var):
            yield self._local(func, expr.base)
        elif isinstance(expr, Var) and expr.kind == "p":
            number = [param.name for param in func.params].index(expr.name)
            if above:
                calls = [(self._function(above[-1]), call) for _, _, call in self._calls.at(above[-1])]
                above = above[:-1]
            else:
                callers = self._calls.of(f"{func.file}:{func.name}") if up else []
                calls = [(self._program.functions[each.key], each.call) for each in callers if each.direct]
                up -= 1
            passed = [(caller, call.args[number]) for caller, call in calls if number < len(call.args)]
            if not passed:
                yield f"given to {func.name}()"
            for caller, argument in passed:
                yield from self._resolve(caller, argument, above, names, up)
        else:
            yield show(expr)

    def _local(self, func: Func, variable: Var) -> str:
        """The type that a structure of `func` is: made by a function from that of another, or by itself."""
        made = [call for _, _, call in self._program.calls(func) if Temp(call.dst) in _given(func, variable)]
        addresses = [argument.base for call in made for argument in call.args if isinstance(argument, Addr)]
        members = [base.member for base in addresses if isinstance(base, Field)]
        if len(members) == 1:
            return f"{callee_name(made[0])}({members[0]})"
        return f"{variable.name} of {func.name}()"


def _given(func: Func, name: Expr) -> list[Expr]:
    """What a local of `func` is assigned."""
    return [i.src for block in func.blocks for i in block.instrs if isinstance(i, Assign) and i.dst == name]
