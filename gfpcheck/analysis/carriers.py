"""Objects that carry an allocation scope: a transaction whose start saves the token in the object.

`tp->t_pflags = memalloc_nofs_save()` says that whoever is handed a `struct xfs_trans *` runs inside the
scope. Which records those are is read off the code. Where that is not analysed, a function that the models
say opens a scope, and that returns a pointer, returns such an object.
"""

from __future__ import annotations

from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.paths import canonical, parts
from gfpcheck.analysis.program import Program
from gfpcheck.ir import Assign, Call, Deref, Expr, Field, Func, Temp, Var
from gfpcheck.models import Models


class Carriers:
    """`kind(type)` is the scope that a pointer of the spelled type `type` carries, or None; `kinds` are all, by the
    type pointed at."""

    def __init__(self, program: Program, effects: Effects, models: Models) -> None:
        self.kinds: dict[str, str] = {}
        for name, scope in models.scopes.items():
            proto = program.protos.get(name)
            if scope.does == "open" and proto is not None and proto.ret.endswith("*"):
                self.kinds[proto.ret.removesuffix("*").strip()] = scope.kind
        spelled: dict[str, set[str]] = {}
        records: dict[str, str] = {}
        shared: set[str] = set()
        for func in program.functions.values():
            opened: dict[Expr, str] = {}
            stored: dict[str, tuple[Expr, str]] = {}
            for block in func.blocks:
                for instr in block.instrs:
                    if isinstance(instr, Call):
                        called = effects.scopes.operation(instr)
                        if called is not None and called.does == "open":
                            opened[Temp(instr.dst)] = called.kind
                    elif instr.src in opened:
                        _stored(instr, opened, stored)
            for record, (owner, kind) in stored.items():
                records[record] = kind
                if self._locks(func, owner, effects):
                    shared.add(record)
            _spellings(func, spelled)
        for record in sorted(records.keys() - shared):
            kind = records[record]
            for type_ in spelled.get(record, {record}):
                self.kinds[type_] = kind

    @staticmethod
    def _locks(func: Func, owner: Expr, effects: Effects) -> bool:
        """True if `func` takes, or asserts, a lock that is a member of `owner`."""
        calls = [instr for block in func.blocks for instr in block.instrs if isinstance(instr, Call)]
        return any(
            0 <= op.arg < len(call.args) and owner in parts(canonical(call.args[op.arg]))
            for call in calls
            for op in effects.lock_ops(func, call)
        )

    def kind(self, type_: str) -> str | None:
        """The scope carried by what `type_`, a pointer, points at."""
        return self.kinds.get(type_.replace("const ", "").removesuffix("*").strip()) if type_.endswith("*") else None


def _stored(assign: Assign, opened: dict[Expr, str], stored: dict[str, tuple[Expr, str]]) -> None:
    """Note where a token goes: into a local, and from there into an object, by its record."""
    if isinstance(assign.dst, Field) and isinstance(assign.dst.base, Deref):
        stored[assign.dst.record] = (canonical(assign.dst.base), opened[assign.src])
    elif isinstance(assign.dst, Var):
        opened[assign.dst] = opened[assign.src]


def _spellings(func: Func, spelled: dict[str, set[str]]) -> None:
    """The types by which `func` declares pointers to each record: a typedef is another name for it."""
    for block in func.blocks:
        for instr in block.instrs:
            parts = (instr.dst, instr.src) if isinstance(instr, Assign) else instr.args
            for part in parts:
                while isinstance(part, Field):
                    base = part.base
                    if isinstance(base, Deref) and isinstance(base.base, Var):
                        type_ = func.types.get(base.base.name, "").replace("const ", "")
                        if type_.endswith("*"):
                            spelled.setdefault(part.record, {part.record}).add(type_.removesuffix("*").strip())
                    part = base
