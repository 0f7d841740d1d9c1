"""Which functions a pointer may hold: tables, assignments, variables, arguments and results, in whatever order.

Members are told apart by (record, member), not by object, so a copy of an operations table holds what the table
holds. The question is asked backwards, from a call through a pointer to all that may have been put there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Set

from gfpcheck.ir import Addr, Assign, Bin, Call, Const, Deref, Expr, Field, FnStore, Func, Index, Return, Temp, Un, Var

WIDE = 64
"""More functions than this for one pointer, and the set is too wide to be believed."""
MAX_NODES = 2_000
"""Places looked at for one pointer."""

Find = Callable[[str, str], str | None]
Place = tuple[str, str]
"""(record, member); ("", name) for a global variable."""
_Node = tuple[str, Expr] | Place
"""A name of a function, as (id, name), or a place; ("return", id) is what a function returns."""

_RETURN = "return"
_NUMBER = re.compile(r"int|bool|_Bool|char|short|long|float|double|_*(?:u|s|be|le)\d+|u?int\d+_t")
_WORD = re.compile(r"\w+")


class Pointers:
    """Answers for the functions of one program, by id. `find` gives the id of a (name, file), `types` the spelled types
    of members by "record.member". A call through one of the members `queued` may mean anything."""

    def __init__(
        self,
        functions: Mapping[str, Func],
        stores: Iterable[FnStore],
        types: Mapping[str, str],
        find: Find,
        queued: Set[str],
    ) -> None:
        self._functions = functions
        self._types = types
        self._find = find
        self._queued = queued
        self._stored: dict[Place, dict[str, None]] = {}
        self._assigned: dict[Place, list[tuple[str, Expr]]] = {}
        self._locals: dict[str, _Locals] = {}
        self._callers: dict[str, list[tuple[str, Call]]] | None = None
        self._known: dict[tuple[_Node, str], tuple[str, ...]] = {}
        self._called: dict[str, frozenset[int]] = {}
        for store in stores:
            key = find(store.function, store.file)
            if key is not None:
                self._stored.setdefault((store.record, store.member), {})[key] = None
        for key, func in functions.items():
            for block in func.blocks:
                for instr in block.instrs:
                    if isinstance(instr, Assign) and not isinstance(instr.src, Const | Bin | Un):
                        place = place_of(instr.dst)
                        if place is not None and _may_hold_function(types.get(".".join(place), "")):
                            self._assigned.setdefault(place, []).append((key, instr.src))

    # --- questions -------------------------------------------------------------------------

    def held(self, place: Place) -> tuple[str, ...]:
        """The functions that a member or a global may hold, sorted."""
        return self._reach(place)

    def called(self, key: str, callee: Expr, by_callers: bool = True) -> tuple[str, ...]:
        """The functions that a call of `callee` in function `key` may reach, sorted. Without `by_callers`, not those
        that it is only passed. None for one that may mean anything."""
        node = self._node(key, callee)
        return () if node is None or self.may_be_any(callee) else self._reach(node, "" if by_callers else key)

    def in_tables(self, callee: Expr) -> tuple[str, ...]:
        """The functions that tables put into the member that is called."""
        place = place_of(callee)
        return () if place is None else tuple(self._stored.get(place, ()))

    def may_be_any(self, callee: Expr) -> bool:
        """True if a call of `callee` works off what others have queued."""
        place = place_of(callee)
        return place is not None and self._is_queue(place)

    def _is_queue(self, node: _Node) -> bool:
        record, member = node
        return isinstance(member, str) and f"{record}.{member}" in self._queued

    def places(self) -> tuple[Place, ...]:
        """Every member and global that holds a function."""
        return tuple(place for place in dict.fromkeys((*self._stored, *self._assigned)) if self.held(place))

    def parameters(self, key: str, expr: Expr) -> tuple[int, ...]:
        """The parameters of function `key` that the value of `expr` may be."""
        return tuple(self._names(key).parameters(expr, self._numbers(key)))

    def sources(self, key: str, expr: Expr) -> tuple[Expr, ...]:
        """`expr`, and the names of function `key` whose values it may be."""
        return (expr, *self._names(key).sources(expr))

    def called_parameters(self, key: str) -> frozenset[int]:
        """The parameters of function `key` that it, or a function that it hands them to, calls."""
        known = self._called.get(key)
        if known is None:
            self._called[key] = frozenset()  # for one that calls itself
            known = self._called[key] = frozenset(self._find_called(key))
        return known

    def _find_called(self, key: str) -> Iterator[int]:
        func = self._functions[key]
        numbers = self._numbers(key)
        names = self._names(key)
        for call in names.calls:
            if not _is_direct(call):
                yield from names.parameters(call.callee, numbers)
            elif not numbers.keys().isdisjoint(call.args):
                target = self._target(call, func.file)
                if target is not None:
                    for number in self.called_parameters(target):
                        if number < len(call.args):
                            yield from names.parameters(call.args[number], numbers)

    def _numbers(self, key: str) -> dict[Expr, int]:
        return {Var(param.name, "p"): number for number, param in enumerate(self._functions[key].params)}

    # --- searching backwards ---------------------------------------------------------------

    def _reach(self, start: _Node, closed: str = "") -> tuple[str, ...]:
        """The functions that come to `start`; not those that callers of function `closed` pass to it."""
        known = self._known.get((start, closed))
        if known is None:
            found: dict[str, None] = {}
            seen: dict[_Node, None] = {start: None}
            queue = [start]
            for node in queue:  # which grows
                for key, source in self._sources(node, found, closed):
                    function = function_named(source)
                    if function is not None:
                        target = self._find(function, self._functions[key].file)
                        if target is not None:
                            found[target] = None
                        continue
                    before = self._node(key, source)
                    if (
                        before is not None
                        and before not in seen
                        and len(seen) < MAX_NODES
                        and not self._is_queue(before)
                    ):
                        seen[before] = None
                        queue.append(before)
            known = self._known[start, closed] = tuple(sorted(found))
        return known

    def _sources(self, node: _Node, found: dict[str, None], closed: str) -> Iterator[tuple[str, Expr]]:
        """What is put into `node`, as (function id, expression there); initial values go to `found` at once."""
        first, second = node
        if isinstance(second, str):
            if first == _RETURN:
                for value in self._names(second).returned:
                    yield second, value
                return
            place = (first, second)
            found.update(self._stored.get(place, {}))
            yield from self._assigned.get(place, ())
            return
        names = self._names(first)
        for source in names.assigned.get(second, ()):
            yield first, source
        if isinstance(second, Var) and second.kind == "p" and first != closed:
            func = self._functions[first]
            number = next(n for n, param in enumerate(func.params) if param.name == second.name)
            for caller, call in self._calls_of(first):
                if number < len(call.args):
                    yield caller, call.args[number]

    def _node(self, key: str, expr: Expr) -> _Node | None:
        """Where the value of `expr` in function `key` comes from."""
        place = place_of(expr)
        if place is not None:
            return place if _may_hold_function(self._types.get(".".join(place), "")) else None
        name = _name_of(expr)
        if isinstance(name, Temp):
            call = self._names(key).results.get(name)
            if call is None:
                return key, name
            target = self._target(call, self._functions[key].file)
            return None if target is None else (_RETURN, target)
        if isinstance(name, Var) and name.kind in "lp":
            type_ = self._functions[key].types.get(name.name, "")
            return (key, name) if _may_hold_function(type_) else None
        return None

    def _names(self, key: str) -> _Locals:
        known = self._locals.get(key)
        if known is None:
            known = self._locals[key] = _Locals(self._functions[key])
        return known

    def _target(self, call: Call, file: str) -> str | None:
        return self._find(call.callee.name, file) if isinstance(call.callee, Var) and _is_direct(call) else None

    def _calls_of(self, key: str) -> list[tuple[str, Call]]:
        """The direct calls of a function, as (caller, call)."""
        if self._callers is None:
            self._callers = {}
            for caller, func in self._functions.items():
                for block in func.blocks:
                    for instr in block.instrs:
                        if isinstance(instr, Call) and instr.args and (target := self._target(instr, func.file)):
                            self._callers.setdefault(target, []).append((caller, instr))
        return self._callers.get(key, [])


class _Locals:
    """What one function assigns to its own names, whom it calls, what it returns."""

    def __init__(self, func: Func) -> None:
        self.assigned: dict[Expr, list[Expr]] = {}
        self.results: dict[Expr, Call] = {}
        self.returned: list[Expr] = []
        self.calls: list[Call] = []
        for block in func.blocks:
            for instr in block.instrs:
                if isinstance(instr, Call):
                    self.calls.append(instr)
                    self.results[Temp(instr.dst)] = instr
                elif isinstance(instr.dst, Var | Temp) and not isinstance(instr.src, Const | Bin | Un):
                    self.assigned.setdefault(instr.dst, []).append(instr.src)
            if isinstance(block.term, Return) and block.term.value is not None:
                self.returned.append(block.term.value)

    def parameters(self, expr: Expr, numbers: Mapping[Expr, int]) -> Iterator[int]:
        """The parameters that the value of `expr` may be."""
        return (numbers[name] for name in self.sources(expr) if name in numbers)

    def sources(self, expr: Expr) -> Iterator[Expr]:
        """The names whose values `expr` may be."""
        queue = [_name_of(expr)]
        for name in queue:  # which grows
            yield name
            queue += [before for source in self.assigned.get(name, ()) if (before := _name_of(source)) not in queue]


def place_of(expr: Expr) -> Place | None:
    """The member or global that `expr` is, or is an element of."""
    while isinstance(expr, Index | Deref):
        expr = expr.base
    if isinstance(expr, Field):
        return expr.record, expr.member
    return ("", expr.name) if isinstance(expr, Var) and expr.kind == "g" else None


def function_named(expr: Expr) -> str | None:
    """The function that `f` or `&f` names."""
    if isinstance(expr, Addr):
        expr = expr.base
    return expr.name if isinstance(expr, Var) and expr.kind == "f" else None


def _name_of(expr: Expr) -> Expr:
    """The variable that `expr` is, or is an element of."""
    while isinstance(expr, Index | Deref):
        expr = expr.base
    return expr


def _is_direct(call: Call) -> bool:
    return isinstance(call.callee, Var) and call.callee.kind == "f"


def _may_hold_function(type_: str) -> bool:
    """False for a type that surely is no pointer to a function: a typedef may be one."""
    type_ = type_.partition("[")[0].replace("const ", "").replace("volatile ", "").strip()
    return "(" in type_ or type_ == "" or (bool(_WORD.fullmatch(type_)) and not _NUMBER.fullmatch(type_))
