"""All lowered functions together: who is who, and who may be called from where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gfpcheck.ir import Addr, Assign, Call, Expr, Field, FnStore, Func, Module, Proto, Var

WIDE = 64
"""More targets than this for one (struct type, member) and the set is too wide to be believed."""


class Program:
    """An index over modules. Functions are named by their id, "file:name"."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.functions: dict[str, Func] = {}
        self.protos: dict[str, Proto] = {}
        self.members: dict[str, str] = {}
        self.global_types: dict[str, str] = {}
        self.included_by: dict[str, int] = {}
        self.own_files: set[str] = set()
        self._by_name: dict[str, list[str]] = {}
        self._targets: dict[tuple[str, str], list[str]] = {}
        self.stores: list[FnStore] = []
        headers: list[Func] = []
        for module in modules:
            self.own_files.add(module.file)
            for name, proto in module.protos.items():
                self.protos.setdefault(name, proto)
            for member, type_ in module.members.items():
                self.members.setdefault(member, type_)
            for name, var in module.globals.items():
                self.global_types.setdefault(name, var.type)
            for include in module.includes:
                self.included_by[include] = self.included_by.get(include, 0) + 1
            for func in module.functions:
                self._add(func)
            headers += module.headers
            self.stores += module.stores
        for func in headers:
            self._add(func)
        for store in self.stores:
            self._store(store.record, store.member, store.function, store.file)
        for key, func in list(self.functions.items()):
            for record, member, function in _stores_in(func):
                self._store(record, member, function, key.rpartition(":")[0])

    def _add(self, func: Func) -> None:
        key = f"{func.file}:{func.name}"
        if key not in self.functions:
            self.functions[key] = func
            self._by_name.setdefault(func.name, []).append(key)

    def _store(self, record: str, member: str, function: str, file: str) -> None:
        key = self.find(function, file)
        if key is not None:
            targets = self._targets.setdefault((record, member), [])
            if key not in targets:
                targets.append(key)

    def find(self, name: str, file: str) -> str | None:
        """The id of the function that `name` means in `file`: the file's own, else the global or header one."""
        own = f"{file}:{name}"
        if own in self.functions:
            return own
        for key in self._by_name.get(name, ()):
            func = self.functions[key]
            if not func.static or func.inline:
                return key
        return None

    def targets(self, record: str, member: str) -> tuple[str, ...]:
        """The functions known to be stored in `member` of `record`, sorted."""
        return tuple(sorted(self._targets.get((record, member), ())))

    def places(self) -> tuple[tuple[str, str], ...]:
        """Every (record, member) that a function is stored in."""
        return tuple(self._targets)

    def callees(self, call: Call, file: str) -> tuple[str, ...]:
        """The ids of the functions with a body that `call` may reach; empty when none is known."""
        if isinstance(call.callee, Var) and call.callee.kind == "f":
            key = self.find(call.callee.name, file)
            return () if key is None else (key,)
        place = pointer_place(call.callee)
        if place is None:
            return ()
        found = self.targets(*place)
        return found if len(found) <= WIDE else ()

    def passed_functions(self, call: Call, file: str) -> tuple[str, ...]:
        """Functions handed over as arguments: the callee may call them."""
        found = []
        for argument in call.args:
            function = function_named(argument)
            if function is not None and (key := self.find(function, file)) is not None:
                found.append(key)
        return tuple(found)

    def calls(self, func: Func) -> Iterator[tuple[int, int, Call]]:
        """Each call of `func` as (block, index, call)."""
        for number, block in enumerate(func.blocks):
            for index, instr in enumerate(block.instrs):
                if isinstance(instr, Call):
                    yield number, index, instr


def pointer_place(callee: Expr) -> tuple[str, str] | None:
    """(record, member) that an indirect call goes through; ("", name) for a global pointer."""
    while not isinstance(callee, Field | Var):
        base = getattr(callee, "base", None)
        if base is None:
            return None
        callee = base
    if isinstance(callee, Field):
        return callee.record, callee.member
    return ("", callee.name) if callee.kind == "g" else None


def function_named(expr: Expr) -> str | None:
    """The function that `f` or `&f` names."""
    if isinstance(expr, Addr):
        expr = expr.base
    return expr.name if isinstance(expr, Var) and expr.kind == "f" else None


def _stores_in(func: Func) -> Iterator[tuple[str, str, str]]:
    for block in func.blocks:
        for instr in block.instrs:
            if isinstance(instr, Assign) and (function := function_named(instr.src)) is not None:
                if isinstance(instr.dst, Field):
                    yield instr.dst.record, instr.dst.member, function
                elif isinstance(instr.dst, Var) and instr.dst.kind == "g":
                    yield "", instr.dst.name, function
