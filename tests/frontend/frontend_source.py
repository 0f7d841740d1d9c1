"""Lowers C given as text, for the tests of the frontend."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

from gfpcheck.frontend import lower_file
from gfpcheck.ir import positions, pretty
from gfpcheck.ir.types import Call, Func, Loc, Module
from gfpcheck.kbuild.types import Unit
from gfpcheck.store import is_settled, stamp

ARGS = ("-std=gnu11",)


class Source:
    """Files of a small tree below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def unit(self, name: str, text: str | bytes | None = None, args: tuple[str, ...] = ARGS) -> Unit:
        """A unit for the file `name`, which is written first if `text` is given."""
        path = self.root / name
        if text is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return Unit(str(path), name, args, str(self.root))

    def settle(self) -> None:
        """Waits until nothing written so far can be mistaken for what is written from now on."""
        probe = self.root / "probe"
        probe.write_text("")
        while not is_settled(stamp(str(probe)), time.time_ns()):
            time.sleep(0.01)
        probe.unlink()

    def lower(
        self,
        text: str | bytes,
        *,
        name: str = "a.c",
        args: tuple[str, ...] = ARGS,
        stop: frozenset[str] = frozenset(),
        noreturn: frozenset[str] = frozenset(),
    ) -> Module:
        """The module of `text`."""
        return lower_file(self.unit(name, text, args), str(self.root), stop, noreturn)

    def blocks(self, text: str, name: str = "f") -> str:
        """The blocks of function `name` in `text`, printed, without trailing newline."""
        return pretty.blocks(function(self.lower(text), name).blocks)


def function(module: Module, name: str = "f") -> Func:
    """The function of that name, of the file or a header."""
    [found] = [func for func in module.functions + module.headers if func.name == name]
    return found


def written(func: Func, loc: Loc) -> tuple[int, int]:
    """Line and column in the file."""
    position = positions(func)[loc]
    return func.line + position.line, position.col


def calls(func: Func) -> list[Call]:
    """All calls, in the order of the blocks."""
    return [instr for block in func.blocks for instr in block.instrs if isinstance(instr, Call)]


def callees(func: Func) -> list[str]:
    """The names of what is called, in the order of the blocks."""
    return [pretty.expr(call.callee) for call in calls(func)]


def expect(text: str) -> str:
    """An expected listing, without the indentation it has in a test."""
    return textwrap.dedent(text).strip("\n").rstrip()
