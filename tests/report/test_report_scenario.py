"""A scenario as text and as Mermaid: columns that end together, hostile names, what was not found."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec

from gfpcheck.findings import Place, Scenario, Step, Task
from gfpcheck.report import mermaid
from gfpcheck.report.scenario_text import drawing, scenario_lines
from gfpcheck.report.style import Style

from .report_samples import IN_ATOMIC, report

HELD = Step(Place("a.c", 3, 2, "holder"), 'takes "x" <b> & \x1b[31m', "acquire", 0, True)
WAITS = Step(Place("a.c", 9, 2, "waiter"), "waits", "wait", 0, True)


def test_the_columns_end_together() -> None:
    tasks = [Task("taskA", "", (), ("a()", "lock(x)", "alloc()")), Task("taskB", "", (), ("lock(x)", ""))]
    assert drawing(tasks) == ["taskA    taskB", "a()", "lock(x)  lock(x)", "alloc()"]


def test_what_was_not_found_is_said() -> None:
    scenario = Scenario("struct a.x", (Task("taskA", "the holder", (HELD,), ("a()",)),), problem="no task waits")
    lines = list(scenario_lines(scenario, Style(False)))
    assert lines[-1] == "  = no task waits"
    assert all(line.isprintable() for line in lines)


def test_mermaid_has_nothing_but_numbers_for_what_means_something_to_it(tmp_path: Path) -> None:
    tasks = (Task("taskA", 'the "holder"', (HELD,), ()), Task("taskB", "the victim", (WAITS,), ()))
    finding = msgspec.structs.replace(IN_ATOMIC, scenario=Scenario("struct a.x", tasks))
    sink = io.StringIO()
    mermaid.write(report(tmp_path, (finding,)), sink)
    text = sink.getvalue()
    assert text.startswith("```mermaid\n")
    assert text.endswith("```\n")
    assert "\x1b" not in text
    assert "takes #34;x#34; #60;b#62; #38;" in text
    assert "taskB_0 -. waits for .-> taskA_0" in text
