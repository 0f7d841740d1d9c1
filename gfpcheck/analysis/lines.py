"""What is held on each line of a function."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gfpcheck.analysis.engine import Engine, Held, Point
from gfpcheck.ir import Func, Goto, Jump, Loc, Position, Stop, positions, successors


def held_by_line(engine: Engine, key: str) -> dict[int, tuple[Held, ...]]:
    """What may be held where control comes to each line of `key`, before anything on it is done; nothing at all for a
    line that is never reached. Lines count from that of the function's name, which stands for its entry."""
    func = engine.program.functions[key]
    points = [((0, 0), 0), *_beginnings(func)]
    held = engine.watch(key, {point for point, _ in points})
    by_line: dict[int, dict[Held, None]] = {}
    for point, line in points:
        by_line.setdefault(line, {}).update(dict.fromkeys(held[point]))
    return {line: tuple(found) for line, found in sorted(by_line.items())}


def _beginnings(func: Func) -> Iterator[tuple[Point, int]]:
    """The points where control comes to another line, each with that line."""
    places = positions(func)
    lines = [list(_lines(func, number, places)) for number in range(len(func.blocks))]
    before = _lines_before(func, [here[-1][1] if here else None for here in lines])
    for number, here in enumerate(lines):
        previous = before[number]
        for index, line in here:
            if previous - {line}:
                yield (number, index), line
            previous = {line}


def _lines(func: Func, number: int, places: Mapping[Loc, Position]) -> Iterator[tuple[int, int]]:
    """(index, line) of the instructions of a block, and of its end if that has a line."""
    block = func.blocks[number]
    for index, instr in enumerate(block.instrs):
        yield index, places[instr.loc].line
    if not isinstance(block.term, Jump | Goto | Stop):
        yield len(block.instrs), places[block.term.loc].line


def _lines_before(func: Func, last: list[int | None]) -> list[set[int]]:
    """For each block the lines from which control comes to it; `last` is the last line of each, if it has one."""
    before: list[set[int]] = [set() for _ in func.blocks]
    before[0].add(0)
    pending = list(range(len(func.blocks)))
    while pending:
        number = pending.pop()
        line = last[number]
        leaving = before[number] if line is None else {line}
        for target in successors(func.blocks[number].term):
            if not leaving <= before[target]:
                before[target] |= leaving
                pending.append(target)
    return before
