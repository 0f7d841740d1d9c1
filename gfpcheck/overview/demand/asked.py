"""What one call asks for: how much, from which cache, of which type; of a wrapper, where it is called."""

from __future__ import annotations

from typing import NamedTuple

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.program import Program, callee_name
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.ir import Call, Func, Var
from gfpcheck.overview.callers import Calls
from gfpcheck.overview.inventory.sizes import Sizes
from gfpcheck.overview.inventory.types import Size

_LOOKUPS = frozenset(("cache", "charge", "preload"))
"""Families that allocate only what they do not find, or only count."""
_LAYERS = 3
"""Wrappers around each other that are seen through."""


class Asked(NamedTuple):
    """An allocation: `name` is the allocator, `wrapper` the function called that calls it, if its size is decided
    here. `maybe`: only what is not found is allocated."""

    func: str
    block: int
    position: int
    call: Call
    name: str
    family: str
    size: Size
    object: str
    cache: str
    maybe: bool
    wrapper: str = ""

    @property
    def place(self) -> tuple[str, int, int, str]:
        """Tells allocations apart."""
        return self.func, self.block, self.position, self.name


class _Wrapped(NamedTuple):
    """A function that allocates as many bytes as its parameter `number` says."""

    number: int
    name: str
    family: str


class Amounts:
    """Answers for one program."""

    def __init__(self, engine: Engine, sizes: Sizes, calls: Calls) -> None:
        self._calls = calls
        self._engine = engine
        self._program: Program = engine.program
        self._sizes = sizes
        self._wrappers: dict[str, tuple[_Wrapped, ...]] = {}

    def of(self, func: Func, site: AllocationSite) -> Asked | None:
        """What the call at `site`, which allocates by itself, asks for; None if that is for the callers to say."""
        key = f"{func.file}:{func.name}"
        if self._parameter(func, site) is not None and self._is_called(key):
            return None
        size, kind, cache = self._sizes.of(func, site)
        family = self._family(site)
        return Asked(
            key, site.block, site.position, site.call, site.name, family, size, kind, cache, family in _LOOKUPS
        )

    def passed(self, func: Func, block: int, position: int, call: Call, callees: list[str]) -> tuple[Asked, ...]:
        """What the functions called, which are told how much, ask for."""
        key = f"{func.file}:{func.name}"
        found = []
        for callee in callees:
            for wrapped in self._wrapped(callee, _LAYERS):
                if wrapped.number >= len(call.args):
                    continue
                argument = call.args[wrapped.number]
                if isinstance(argument, Var) and argument.kind == "p" and self._is_called(key):
                    continue  # for the callers to say
                size = self._sizes.bytes(func, block, position, argument)
                kind = self._sizes.pointed(func, block, position, call)
                name = callee_name(call) or wrapped.name
                maybe = len(callees) > 1
                found.append(
                    Asked(key, block, position, call, wrapped.name, wrapped.family, size, kind, "", maybe, name)
                )
        return tuple(found)

    def _wrapped(self, key: str, layers: int) -> tuple[_Wrapped, ...]:
        known = self._wrappers.get(key)
        if known is not None:
            return known
        self._wrappers[key] = ()
        func = self._program.functions[key]
        found: list[_Wrapped] = []
        for site in self._engine.facts[key].sites if key in self._engine.facts else ():
            number = self._parameter(func, site) if not site.via else None
            if number is not None:
                found.append(_Wrapped(number, site.name, self._family(site)))
        for _, _, call in self._program.calls(func) if layers else ():
            for callee in self._program.callees(call, func):
                for inner in self._wrapped(callee, layers - 1):
                    argument = call.args[inner.number] if inner.number < len(call.args) else None
                    if isinstance(argument, Var) and argument.kind == "p":
                        number = [param.name for param in func.params].index(argument.name)
                        found.append(inner._replace(number=number))
        self._wrappers[key] = tuple(dict.fromkeys(found))
        return self._wrappers[key]

    def _parameter(self, func: Func, site: AllocationSite) -> int | None:
        """The parameter that is the number of bytes asked for at `site`."""
        asked = self._sizes.bytes_asked(site)
        if not isinstance(asked, Var) or asked.kind != "p":
            return None
        return [param.name for param in func.params].index(asked.name)

    def _is_called(self, key: str) -> bool:
        """True if something here calls the function directly."""
        return any(caller.direct for caller in self._calls.of(key))

    def _family(self, site: AllocationSite) -> str:
        entry = self._engine.effects.allocator(site.call)
        return entry.family if entry is not None else ""
