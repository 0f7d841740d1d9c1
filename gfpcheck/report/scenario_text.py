"""A scenario as text: the drawing of the thread, then each task's steps with file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from gfpcheck.findings import Scenario, Task
from gfpcheck.report.lines import cells, one_line, place_prefix, printable
from gfpcheck.report.style import Style

_GAP = 2


def scenario_lines(scenario: Scenario, style: Style) -> Iterator[str]:
    """The lines that show `scenario` below its finding."""
    over = f" over {one_line(scenario.lock)}" if scenario.lock else ""
    yield style.heading(f"  scenario{over}:")
    yield ""
    yield from (f"    {line}" if line else "" for line in drawing(scenario.tasks))
    yield ""
    for task in scenario.tasks:
        yield style.heading(f"  {task.name}, {one_line(task.role)}:")
        for step in task.steps:
            where = f"{style.place(place_prefix(step.place))}: " if step.place.file else ""
            yield f"    {where}{one_line(step.text)}"
    yield from (f"  {line}" for line in remarks(scenario))


def remarks(scenario: Scenario) -> Iterator[str]:
    """What else is to be said: what was not found, other victims, and what was not counted as one."""
    if scenario.problem:
        yield f"= {one_line(scenario.problem)}"
    for other in scenario.others:
        yield f"= another victim: {one_line(other)}"
    if scenario.rest:
        places = "place waits" if scenario.rest == 1 else "places wait"
        yield f"= {scenario.rest} more {places} for such a lock, on ways that were not looked into"
    if scenario.mortal:
        places = "place that takes" if scenario.mortal == 1 else "places that take"
        yield f"= no victims: {scenario.mortal} {places} it by a trylock, or in a way that a signal ends"


def drawing(tasks: Iterable[Task]) -> list[str]:
    """The tasks side by side, a column each, so that they end together."""
    columns = [[task.name, *map(printable, task.drawn)] for task in tasks]
    height = max(len(column) for column in columns)
    padded = [[column[0], *[""] * (height - len(column)), *column[1:]] for column in columns]
    widths = [max(sum(map(cells, line)) for line in column) + _GAP for column in padded]
    rows = zip_longest(*padded, fillvalue="")
    return ["".join(_filled(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _filled(cell: str, width: int) -> str:
    return cell + " " * (width - sum(map(cells, cell)))
