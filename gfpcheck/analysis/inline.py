"""Functions that are only an expression: `return &lock->rlock;`, `return !!(gfp & __GFP_DIRECT_RECLAIM);`.

Their calls are replaced by the expression, so values and access paths go through them unchanged.
"""

from __future__ import annotations

from gfpcheck.analysis.paths import MAX_SIZE, canonical, is_opaque, names_in, replace, size
from gfpcheck.analysis.program import Program
from gfpcheck.ir import Assign, Call, Expr, Func, Jump, Return, Temp, Var
from gfpcheck.models import Models

MAX_INSTRS = 16
MAX_NESTING = 8

Inlined = tuple[tuple[Expr, ...], Expr]
"""The parameters, and the value in terms of them."""


class Inliner:
    def __init__(self, program: Program, models: Models) -> None:
        self._program = program
        self._models = models
        self._known: dict[str, Inlined | None] = {}

    def value(self, call: Call, file: str) -> Inlined | None:
        """The parameters and the value of the function called, if it is only an expression."""
        if not isinstance(call.callee, Var) or call.callee.kind != "f" or self._models.knows(call.callee.name):
            return None
        key = self._program.find(call.callee.name, file)
        return None if key is None else self._of(key, 0)

    def _of(self, key: str, nesting: int) -> Inlined | None:
        if key in self._known:
            return self._known[key]
        if nesting > MAX_NESTING:
            return None
        self._known[key] = None
        func = self._program.functions[key]
        value = self._evaluate(func, nesting)
        params: tuple[Expr, ...] = tuple(Var(param.name, "p") for param in func.params)
        if value is not None and all(name in params or _is_global(name) for name in names_in(value)):
            self._known[key] = (params, value)
        return self._known[key]

    def _evaluate(self, func: Func, nesting: int) -> Expr | None:
        env: dict[Expr, Expr] = {}
        number, count, seen = 0, 0, set()
        while number not in seen:
            seen.add(number)
            block = func.blocks[number]
            for instr in block.instrs:
                count += 1
                if count > MAX_INSTRS:
                    return None
                if isinstance(instr, Assign):
                    if not isinstance(instr.dst, Temp) and not (isinstance(instr.dst, Var) and instr.dst.kind in "lp"):
                        return None
                    env[instr.dst] = replace(canonical(instr.src), env)
                else:
                    value = self._nested(instr, func, env, nesting)
                    if value is None:
                        return None
                    env[Temp(instr.dst)] = value
            if isinstance(block.term, Return):
                if block.term.value is None:
                    return None
                result = replace(canonical(block.term.value), env)
                return None if size(result) > MAX_SIZE or is_opaque(result) else result
            if not isinstance(block.term, Jump):
                return None
            number = block.term.target
        return None

    def _nested(self, call: Call, func: Func, env: dict[Expr, Expr], nesting: int) -> Expr | None:
        if not isinstance(call.callee, Var) or call.callee.kind != "f" or self._models.knows(call.callee.name):
            return None
        key = self._program.find(call.callee.name, func.file)
        inlined = None if key is None else self._of(key, nesting + 1)
        if inlined is None:
            return None
        arguments = [replace(canonical(argument), env) for argument in call.args]
        return replace(inlined[1], dict(zip(inlined[0], arguments, strict=False)))


def _is_global(name: Expr) -> bool:
    return isinstance(name, Var) and name.kind in "gf"
