"""All lowered functions together: who is who, and who may be called from where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from gfpcheck.analysis.neighbours import folder, nearest
from gfpcheck.analysis.pointers import WIDE, Pointers, function_named
from gfpcheck.ir import Call, Expr, FnStore, Func, Module, Proto, Var
from gfpcheck.models import base_name

_UNASKED = ""
_NO_PARTS: Mapping[str, str] = {}


class Program:
    """An index over modules. Functions are named by their id, "file:name". `own_files` are the files of `modules`, not
    those of `beyond`, which are there for what is called in them. A call through one of the members `queued`,
    "record.member", may mean any function. `parts` are folders that belong to another one, by which that is built."""

    def __init__(
        self,
        modules: Iterable[Module],
        beyond: Iterable[Module] = (),
        queued: Set[str] = frozenset(),
        parts: Mapping[str, str] = _NO_PARTS,
    ) -> None:
        self.functions: dict[str, Func] = {}
        self.protos: dict[str, Proto] = {}
        self.members: dict[str, str] = {}
        self.global_types: dict[str, str] = {}
        self.included_by: dict[str, int] = {}
        self.own_files: set[str] = set()
        self._by_name: dict[str, list[str]] = {}
        self._found: dict[tuple[str, str], str | None] = {}
        self._calls: dict[str, tuple[tuple[int, int, Call], ...]] = {}
        self.stores: list[FnStore] = []
        headers: list[Func] = []
        asked = list(modules)
        self.own_files.update(module.file for module in asked)
        for module in (*asked, *beyond):
            for name, proto in module.protos.items():
                self.protos.setdefault(name, proto)
            for member, type_ in module.members.items():
                _agree(self.members, member, type_)
            for name, var in module.globals.items():
                _agree(self.global_types, name, var.type)
            for include in module.includes:
                self.included_by[include] = self.included_by.get(include, 0) + 1
            for func in module.functions:
                self._add(func)
            headers += module.headers
            self.stores += module.stores
        for func in headers:
            self._add(func)
        self._included = frozenset(f"{func.file}:{func.name}" for func in headers)
        self.pointers = Pointers(self.functions, self.stores, self.members, self.find, queued)
        self._parts = parts
        self._near: dict[tuple[tuple[str, ...], str], tuple[str, ...]] = {}

    def _add(self, func: Func) -> None:
        key = f"{func.file}:{func.name}"
        if key not in self.functions:
            self.functions[key] = func
            self._by_name.setdefault(func.name, []).append(key)

    def find(self, name: str, file: str) -> str | None:
        """The id of the function that `name`, or an id, means in `file`: its own, else a global or a header's, be that
        a header or a C file that is included."""
        known = self._found.get((name, file), _UNASKED)
        if known is _UNASKED:
            known = self._found[name, file] = self._find(name, file)
        return known

    def _find(self, name: str, file: str) -> str | None:
        if name in self.functions:
            return name
        own = f"{file}:{name}"
        if own in self.functions:
            return own
        for key in self._by_name.get(name, ()):
            func = self.functions[key]
            if not func.static or func.inline:
                return key
        included = [key for key in self._by_name.get(name, ()) if key in self._included]
        return included[0] if len(included) == 1 else None

    def callees(self, call: Call, func: Func) -> tuple[str, ...]:
        """The ids of the functions with a body that `call`, in `func`, may reach; empty when none is known, or too many
        to be believed."""
        if isinstance(call.callee, Var) and call.callee.kind == "f":
            key = self.find(call.callee.name, func.file)
            return () if key is None else (key,)
        found = self.pointed(f"{func.file}:{func.name}", call.callee)
        return found if len(found) <= WIDE else ()

    def is_too_wide(self, call: Call, func: Func) -> bool:
        """True for a call through a pointer that may mean more functions than can be believed."""
        if isinstance(call.callee, Var) and call.callee.kind == "f":
            return False
        found = self.pointed(f"{func.file}:{func.name}", call.callee)
        return len(found) > WIDE or self.pointers.may_be_any(call.callee)

    def pointed(self, key: str, callee: Expr, by_callers: bool = True) -> tuple[str, ...]:
        """The functions that a call of `callee` in function `key` means, sorted: of those that tables and assignments
        put there the nearest ones, since an object that a module handles is most likely its own; and, unless
        `by_callers` is false, those that callers pass, wherever they are. What a library puts there only by assignment
        (to stop a driver's object, say) is not all that its users' tables put there."""
        stored = self.pointers.called(key, callee, by_callers=False)
        file = self.functions[key].file
        found = self._near_to(file, stored)
        tables = self.pointers.in_tables(callee) if len(found) < len(stored) else ()
        if tables and found and set(tables).isdisjoint(found):
            found = tuple(sorted({*found, *self._near_to(file, tables)}))
        if by_callers:
            every = self.pointers.called(key, callee)
            if len(every) > len(stored):
                found = tuple(sorted({*found, *set(every).difference(stored)}))
        return found

    def _near_to(self, file: str, keys: tuple[str, ...]) -> tuple[str, ...]:
        if len(keys) < 2:
            return keys
        where = (keys, folder(file))
        known = self._near.get(where)
        if known is None:
            home = self._parts.get(where[1], where[1])
            known = self._near[where] = tuple(nearest(keys, lambda key: self.functions[key].file, home))
        return known

    def passed_functions(self, call: Call, file: str) -> tuple[str, ...]:
        """Functions handed over as arguments: the callee may call them."""
        found = []
        for argument in call.args:
            function = function_named(argument)
            if function is not None and (key := self.find(function, file)) is not None:
                found.append(key)
        return tuple(found)

    def calls(self, func: Func) -> tuple[tuple[int, int, Call], ...]:
        """Each call of `func` as (block, index, call)."""
        key = f"{func.file}:{func.name}"
        known = self._calls.get(key)
        if known is None:
            known = self._calls[key] = tuple(
                (number, index, instr)
                for number, block in enumerate(func.blocks)
                for index, instr in enumerate(block.instrs)
                if isinstance(instr, Call)
            )
        return known


def _agree(types: dict[str, str], name: str, type_: str) -> None:
    """Note the type of `name`; none if files mean different things by it."""
    if types.setdefault(name, type_) != type_:
        types[name] = ""


def callee_name(call: Call) -> str:
    """The name that the models know a direct call's function by; empty for an indirect call."""
    if isinstance(call.callee, Var) and call.callee.kind == "f":
        return base_name(call.callee.name)
    return ""
