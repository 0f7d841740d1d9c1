"""What the page knows: findings, and the source lines around all places that they name, each line once."""

from __future__ import annotations

from collections.abc import Iterable

from gfpcheck.findings import Finding, Place, Report, Step
from gfpcheck.report.jsonlines import write_list, write_members
from gfpcheck.report.lines import Sink, one_line, printable
from gfpcheck.report.source import Sources
from gfpcheck.report.steps import standing

_AROUND = 3
"""Lines shown before and after one that matters."""
_LIMIT = 400
"""Generated code can have lines of megabytes; of a longer line only the neighbourhood of the place is shown."""
_BEFORE = 100


def write_data(report: Report, sink: Sink) -> None:
    """Writes one JSON object. All text in it is printable, and none of it is markup."""
    quoter = _Quoter(Sources(report.root, report.replaced))
    sink.write("{\n")
    write_members(_head(report), sink)
    write_list("findings", (_finding(finding, quoter) for finding in report.findings), sink)
    sink.write(",\n")
    # Known only now: the findings have said which lines they need.
    write_list("sources", ({"file": file, "lines": lines} for file, lines in quoter.lines.items()), sink)
    sink.write("\n}\n")


def _head(report: Report) -> dict[str, object]:
    return {
        "version": one_line(report.version),
        "kernel": one_line(report.kernel),
        "arch": one_line(report.arch),
        "setup": one_line(report.setup),
        "command": one_line(report.command_line),
        "counts": report.counts,
        "rules": [
            {
                "id": rule.id,
                "name": rule.name,
                "summary": one_line(rule.summary),
                "help": "\n".join(map(printable, rule.help.splitlines())),
            }
            for rule in report.rules
        ],
        "losses": [one_line(f"{loss.what}: {loss.why}") for loss in report.losses],
        "stale": [one_line(str(entry)) for entry in report.absent],
    }


def _finding(finding: Finding, quoter: _Quoter) -> dict[str, object]:
    # A rule may put anything into its properties.
    locks, also = (
        [each for each in finding.properties.get(key, ()) if isinstance(each, dict)] for key in ("locks", "also")
    )
    return {
        "rule": finding.rule,
        "level": finding.level,
        "confidence": finding.confidence,
        "message": one_line(finding.message + standing(finding)),
        "fingerprint": finding.fingerprint,
        "place": quoter.place(finding.place),
        "locks": sorted({one_line(str(lock.get("class", ""))) for lock in locks} - {""}),
        "flow": _steps(finding.flow, quoter),
        "other": _steps(finding.other, quoter),
        "also": [one_line(f"{each.get('file')}:{each.get('line')} {each.get('function')}()") for each in also],
        "baseline": finding.baseline,
    }


def _steps(steps: Iterable[Step], quoter: _Quoter) -> list[dict[str, object]]:
    return [
        {"place": quoter.place(step.place), "kind": step.kind, "depth": step.depth, "text": one_line(step.text)}
        for step in steps
    ]


class _Quoter:
    """Turns places into what the page shows of them, and collects the lines around them."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.lines: dict[str, dict[int, str]] = {}
        """By the file's name as it is shown: lines by number."""

    def place(self, place: Place) -> dict[str, object]:
        """The place; `start` and `end`, in code points, are where its word stands in the line, 0 and 0 if it has none.
        `text` is there if the line looks different at this place than elsewhere."""
        name = printable(place.file)
        lines = self.lines.setdefault(name, {})
        for number in range(place.line - _AROUND, place.line + _AROUND + 1):
            raw = None if number in lines else self._sources.line(place.file, number)
            if raw is not None:
                lines[number] = _cut(_shown(raw), 0)
        shown: dict[str, object] = {"file": name, "line": place.line, "function": printable(place.function)}
        raw = self._sources.line(place.file, place.line)
        if raw is None or not 0 < place.col <= len(raw):
            return shown
        start, end = (column - 1 for column in self._sources.span(place))
        text = _shown(raw)
        if len(text) > _LIMIT:
            first = max(0, start - _BEFORE)
            text = shown["text"] = _cut(text, first)
            start, end = (min(column - first + (1 if first else 0), len(text)) for column in (start, end))
        return shown | {"start": start, "end": end}


def _shown(raw: bytes) -> str:
    """A line as it is shown: the page knows what a tab is, but nothing else that cannot be seen."""
    return "\t".join(map(printable, raw.decode("utf-8", "replace").split("\t")))


def _cut(text: str, first: int) -> str:
    """`text` from its character `first` on, as much as is shown of a line, with marks where something is missing."""
    before = "\N{HORIZONTAL ELLIPSIS}" if first else ""
    after = "\N{HORIZONTAL ELLIPSIS}" if len(text) > first + _LIMIT else ""
    return before + text[first : first + _LIMIT] + after
