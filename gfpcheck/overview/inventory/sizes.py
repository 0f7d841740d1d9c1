"""What an allocation asks for: the type of the object, its bytes, the pages that takes, the cache it comes from."""

from __future__ import annotations

import re

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.paths import show
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.ir import Assign, Bin, Call, Const, Expr, Field, Func, Index, Temp, Var
from gfpcheck.models import GfpFlags
from gfpcheck.overview.bounds import Bound, Bounds
from gfpcheck.overview.caches import Cache, Caches
from gfpcheck.overview.inventory.types import Size

_SIZEOF = re.compile(r"sizeof\((.+)\)\Z")
_MANY = 3
"""Reasons that are named."""
_PAGE = 4096
_BELOW = Size("below")


class Sizes:
    """Sizes of the allocations of one program."""

    def __init__(self, engine: Engine, bounds: Bounds, caches: Caches, gfp: GfpFlags) -> None:
        self._engine = engine
        self._program = engine.program
        self._bounds = bounds
        self._caches = caches
        self._page = gfp.constants.get("PAGE_SIZE", _PAGE)

    def of(self, func: Func, site: AllocationSite) -> tuple[Size, str, str]:
        """The size, the type of the object and the name of the cache of the allocation at `site`; what is decided in a
        function below is known where that is a constant."""
        if site.via:
            return self._below(func, site)
        cache = self._caches.of(func, site.call)
        size = self._of_cache(cache) if cache is not None else self._asked(func, site)
        sizeof = _SIZEOF.search(size.text)
        kind = (
            sizeof[1]
            if sizeof and size.how in ("sizeof", "cache")
            else self.pointed(func, site.block, site.position, site.call)
        )
        return size, kind, cache.name if cache is not None else ""

    def _below(self, func: Func, site: AllocationSite) -> tuple[Size, str, str]:
        """Of an allocation in a function below: what is asked for there, unless that is for this one to say."""
        amounts = {(context.amount.size.constant, context.amount.order.constant) for context in site.contexts}
        size, order = amounts.pop() if len(amounts) == 1 else (None, None)
        kind = self.pointed(func, site.block, site.position, site.call)
        if size is not None or order is not None:
            return Size("constant", size, order=order if size is None else self._order(size)), kind, ""
        last = site.via[-1]
        key = f"{last.file}:{last.function}"
        for each in self._engine.facts[key].sites if key in self._engine.facts else ():
            if not each.via and (each.call.loc, each.name) == (last.loc, site.name):
                there = self.of(self._program.functions[key], each)
                return (there[0], there[1] or kind, there[2]) if there[0].size is not None else (_BELOW, kind, there[2])
        return _BELOW, kind, ""

    def _of_cache(self, cache: Cache) -> Size:
        if cache.size is None:
            return Size("unbounded", why=", ".join(cache.why))
        return Size("cache", cache.size, cache.text, order=self._order(cache.size))

    def _asked(self, func: Func, site: AllocationSite) -> Size:
        entry = self._engine.effects.allocator(site.call)
        if entry is None or (entry.size_arg < 0 and entry.order_arg < 0):
            return _BELOW
        here = (func, site.block, site.position)
        if entry.order_arg >= 0:
            return self.pages(*here, site.call.args[entry.order_arg])
        asked = self.bytes_asked(site)
        assert asked is not None
        return self.bytes(*here, asked)

    def bytes_asked(self, site: AllocationSite) -> Expr | None:
        """The bytes that a call which allocates asks for; None for one that is not told bytes."""
        entry = self._engine.effects.allocator(site.call)
        if entry is None or entry.size_arg < 0:
            return None
        args = site.call.args
        return Bin("*", args[entry.count_arg], args[entry.size_arg]) if entry.count_arg >= 0 else args[entry.size_arg]

    def pages(self, func: Func, block: int, position: int, asked: Expr) -> Size:
        """How much a call there asks for with the order `asked`."""
        bound = self._bounds.at(func, block, position, asked)
        text = show(asked)
        if bound.most is None:
            return Size("unbounded", text=text, why=_why(bound))
        return Size(
            "constant" if isinstance(asked, Const) else "bound", self._page << bound.most, text, order=bound.most
        )

    def bytes(self, func: Func, block: int, position: int, asked: Expr) -> Size:
        """How much a call there asks for with `asked` bytes."""
        text = _said(func, asked)
        if isinstance(asked, Const):
            return Size("sizeof" if asked.text else "constant", asked.value, text, order=self._order(asked.value))
        bound = self._bounds.at(func, block, position, asked)
        if bound.most is None:
            return Size("unbounded", text=text, why=_why(bound))
        return Size("bound", bound.most, text, order=self._order(bound.most))

    def _order(self, size: int) -> int:
        """The order of the pages that `size` bytes take by themselves."""
        pages = max(1, -(-size // self._page))
        return (pages - 1).bit_length()

    def pointed(self, func: Func, block: int, position: int, call: Call) -> str:
        """The type that what gets the result points at, where that is no void."""
        found = ""
        for instr in func.blocks[block].instrs[position + 1 :]:
            if isinstance(instr, Assign) and instr.src == Temp(call.dst):
                found = self._type(func, instr.dst)
        return found.removesuffix("*").strip() if found.endswith("*") and not found.startswith("void") else ""

    def _type(self, func: Func, expr: Expr) -> str:
        if isinstance(expr, Var):
            return func.types.get(expr.name, "")
        if isinstance(expr, Field):
            return self._program.members.get(f"{expr.record}.{expr.member}", "")
        return self._type(func, expr.base).removesuffix("*").strip() if isinstance(expr, Index) else ""


def _said(func: Func, asked: Expr) -> str:
    """The size as the source says it, with what a local variable was last given."""
    if isinstance(asked, Var) and asked.kind == "l":
        given = [i.src for b in func.blocks for i in b.instrs if isinstance(i, Assign) and i.dst == asked]
        if len(given) == 1 and not isinstance(given[0], Temp):
            return f"{asked.name} = {_text(given[0])}"
    return _text(asked)


def _text(expr: Expr) -> str:
    if isinstance(expr, Const) and expr.text:
        return expr.text
    if isinstance(expr, Bin):
        sides = (f"({_text(side)})" if isinstance(side, Bin) else _text(side) for side in (expr.left, expr.right))
        return f" {expr.op.removesuffix('u')} ".join(sides)
    return "what is computed before" if isinstance(expr, Temp) else show(expr)


def _why(bound: Bound) -> str:
    more = len(bound.why) - _MANY
    return ", ".join(bound.why[:_MANY]) + (f" and {more} more" if more > 0 else "")
