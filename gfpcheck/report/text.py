"""The report for people: message, source line with an underline, the path in `note:` lines, totals."""

from __future__ import annotations

from collections.abc import Iterator

from gfpcheck.findings import Confidence, Finding, Place, Report, Step
from gfpcheck.report.lines import Sink, one_line, place_prefix, printable
from gfpcheck.report.scenario_text import scenario_lines
from gfpcheck.report.snippet import snippet
from gfpcheck.report.source import Sources
from gfpcheck.report.steps import indent, patch_of, telling
from gfpcheck.report.style import Style
from gfpcheck.report.summary import summary_lines


def write(report: Report, sink: Sink, *, color: bool, verbose: bool, quiet: bool) -> None:
    """Writes `report` as text. `verbose` shows every step with its source line and names the
    losses; `quiet` leaves the summary out."""
    printer = _Printer(report, Style(color), verbose=verbose)
    for finding in report.findings:
        sink.write("".join(f"{line}\n" for line in printer.finding(finding)) + "\n")
    if not quiet:
        write_summary(report, sink, color=color, verbose=verbose)


def write_summary(report: Report, stream: Sink, *, color: bool = False, verbose: bool = False) -> None:
    """Writes the totals: findings by rule, what was analysed, what was lost (by name if `verbose`)."""
    for line in summary_lines(report, Style(color), verbose=verbose):
        stream.write(f"{line}\n")


class _Printer:
    """Turns findings into lines."""

    def __init__(self, report: Report, style: Style, *, verbose: bool) -> None:
        self._names = {rule.id: rule.name for rule in report.rules}
        self._sources = Sources(report.root, report.replaced)
        self._style = style
        self._verbose = verbose

    def finding(self, finding: Finding) -> Iterator[str]:
        style = self._style
        rule = f"[{finding.rule} {self._names[finding.rule]}]" if finding.rule in self._names else f"[{finding.rule}]"
        yield (
            f"{style.place(place_prefix(finding.place))}: {style.level(finding.level)}: "
            f"{style.message(one_line(finding.message))} {style.rule(rule)}"
        )
        quoter = _Quoter(self._sources, style)
        yield from quoter.quote(finding.place, str(finding.level))
        if patch := patch_of(finding):
            yield self._remark("patch", one_line(patch))
        if self._verbose or finding.confidence is not Confidence.HIGH:
            yield self._remark("confidence", finding.confidence)
        asked, effective = finding.properties.get("gfp_asked"), str(finding.properties.get("gfp"))
        if asked and effective in finding.message:  # which is not what the source says
            yield self._remark("flags", f"{asked} is asked for, {effective} in effect, in an allocation scope")
        for each in finding.suppressions:
            yield self._remark("suppressed", one_line(f"{each.reason or 'no reason given'} ({each.where})"))
        if finding.baseline and not finding.suppressions:
            yield self._remark("baseline", finding.baseline)
        if self._verbose:
            yield self._remark("fingerprint", finding.fingerprint)
        for step in finding.flow if self._verbose else telling(finding):
            yield from self._step(step, quoter)
        if finding.other:
            yield style.heading("  on the other side:")
            for step in finding.other:
                yield from self._step(step, quoter)
        if finding.scenario is not None:
            yield from scenario_lines(finding.scenario, style)

    def _step(self, step: Step, quoter: _Quoter) -> Iterator[str]:
        style = self._style
        yield f"{style.place(place_prefix(step.place))}: {style.level('note')}: {indent(step)}{one_line(step.text)}"
        if step.essential or self._verbose:
            yield from quoter.quote(step.place, "note")

    def _remark(self, name: str, value: str) -> str:
        return f"       {self._style.gutter('=')} {name}: {value}"


class _Quoter:
    """Quotes source for one finding: each place once, and a function's name where it changes."""

    def __init__(self, sources: Sources, style: Style) -> None:
        self._sources = sources
        self._style = style
        self._seen: set[tuple[str, int, int]] = set()
        self._function = ""

    def quote(self, place: Place, level: str) -> Iterator[str]:
        key = (place.file, place.line, place.col)
        raw = self._sources.line(place.file, place.line)
        if key in self._seen or raw is None:
            return
        self._seen.add(key)
        if place.function not in ("", self._function):
            self._function = place.function
            yield self._style.heading(f"  in {printable(place.function)}():")
        shown = snippet(raw, place.col)
        yield self._row(str(place.line), shown.text)
        if shown.length:
            underline = "^" + "~" * (shown.length - 1)
            yield self._row("", " " * shown.indent + self._style.underline(level, underline))

    def _row(self, number: str, text: str) -> str:
        return f"{self._style.gutter(f'{number:>6} |')} {text}".rstrip()
