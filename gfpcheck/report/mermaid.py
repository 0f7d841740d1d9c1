"""The scenarios of a report as Mermaid flow charts, which GitHub, GitLab and many editors draw from Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from gfpcheck.findings import Finding, Report, Scenario, Step
from gfpcheck.report.lines import Sink, one_line, place_prefix


def write(report: Report, sink: Sink) -> None:
    """Writes a chart for each finding that has a scenario, in a block of code of its own."""
    for finding in report.findings:
        if finding.scenario is not None:
            for line in _chart(finding, finding.scenario):
                sink.write(f"{line}\n")


def _chart(finding: Finding, scenario: Scenario) -> Iterator[str]:
    yield "```mermaid"
    yield "---"
    yield f"title: {_text(f'{finding.rule} at {place_prefix(finding.place)}')}"
    yield "---"
    yield "flowchart TB"
    for task in scenario.tasks:
        yield f"  subgraph {task.name}[{_text(f'{task.name}, {task.role}')}]"
        for number, step in enumerate(task.steps):
            yield f"    {task.name}_{number}[{_text(_step(step))}]"
        for number in range(1, len(task.steps)):
            yield f"    {task.name}_{number - 1} --> {task.name}_{number}"
        yield "  end"
    ends = {task.name: f"{task.name}_{len(task.steps) - 1}" for task in scenario.tasks}
    waits = _first(scenario, "taskB", "wait")
    holds = _first(scenario, "taskA", "acquire")
    if waits and holds:
        yield f"  {waits} -. waits for .-> {holds}"
    if waits and "taskA" in ends:
        yield f"  {ends['taskA']} -. needs the memory of .-> {waits}"
    if waits and "taskC" in ends:
        yield f"  {ends['taskC']} -. kills .-> {waits}"
    yield "```"


def _first(scenario: Scenario, name: str, kind: str) -> str:
    """The node of the first step of that kind of a task, if it has one."""
    for task in scenario.tasks:
        for number, step in enumerate(task.steps):
            if task.name == name and step.kind == kind:
                return f"{name}_{number}"
    return ""


def _step(step: Step) -> str:
    function = f"{step.place.function}()\n" if step.place.function else ""
    where = f"\n{place_prefix(step.place)}" if step.place.file else ""
    return f"{function}{step.text}{where}"


def _text(text: str) -> str:
    """A quoted label; characters that mean something to Mermaid or to HTML by their numbers."""
    lines = (one_line(line) for line in text.split("\n"))
    return '"' + "<br>".join("".join(_plain(char) for char in line) for line in lines) + '"'


def _plain(char: str) -> str:
    return f"#{ord(char)};" if char in '"#&<>;`\\' else char
