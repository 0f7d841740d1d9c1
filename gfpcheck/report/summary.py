"""The totals at the end of the text report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gfpcheck.findings import Level, Report
from gfpcheck.report.lines import one_line
from gfpcheck.report.style import Style

_PHASES = {
    "plan": "in planning",
    "parse": "in parsing",
    "lower": "in lowering",
    "follow": "in files that calls lead to",
    "analysis": "in the analysis",
    "rule": "in rules",
}
_HEADERS = 3
"""Headers that are named when they are not there."""


def summary_lines(report: Report, style: Style, *, verbose: bool) -> Iterator[str]:
    """Findings by rule, what was analysed, what was lost; one line when there is nothing to tell."""
    scope = _scope(report)
    if report.findings:
        yield from _findings(report, style)
        if scope:
            yield f"Looked at {scope}."
    else:
        yield f"{style.good('No findings')} in {scope}." if scope else f"{style.good('No findings')}."
    if report.absent and verbose:
        yield style.message("Stale in the baseline:")
        for entry in report.absent:
            yield f"  {one_line(str(entry))}"
    yield from _losses(report, style, verbose=verbose)


def _findings(report: Report, style: Style) -> Iterator[str]:
    by_level = Counter(finding.level for finding in report.findings)
    levels = ", ".join(
        _counted(by_level[level], f"{level}s") for level in (Level.ERROR, Level.WARNING, Level.NOTE) if by_level[level]
    )
    files = len({finding.place.file for finding in report.findings})
    total = _counted(len(report.findings), "findings")
    yield f"{style.message(total)} ({levels}) in {_counted(files, 'files')}:"

    names = {rule.id: rule.name for rule in report.rules}
    by_rule = sorted(Counter(finding.rule for finding in report.findings).items())
    width = max(len(f"{count:,}") for _, count in by_rule)
    for rule, count in by_rule:
        yield f"  {count:>{width},}  {style.rule(rule)} {names.get(rule, '')}".rstrip()


def _scope(report: Report) -> str:
    counts = ", ".join(_counted(number, name) for name, number in report.counts.items() if number)
    kernel = f"Linux {report.kernel}" if report.kernel else ""
    # The setup of a kernel tree says by itself what it is.
    setting = (
        report.setup
        if kernel and kernel in report.setup
        else ", ".join(filter(None, (kernel, report.arch, report.setup)))
    )
    return one_line(f"{counts} ({setting})" if counts and setting else counts or setting)


def _losses(report: Report, style: Style, *, verbose: bool) -> Iterator[str]:
    if not report.losses:
        return
    by_phase = Counter(loss.phase for loss in report.losses)
    phases = ", ".join(f"{count:,} {_PHASES.get(phase, phase)}" for phase, count in by_phase.items())
    hint = ":" if verbose else " (-v names them)"
    yield f"{style.message('Not everything was looked at')}: {_counted(len(report.losses), 'losses')}, {phases}{hint}"
    if verbose:
        for loss in report.losses:
            yield f"  {one_line(f'{loss.what}: {loss.why}')}"
    headers = Counter(loss.header for loss in report.losses if loss.header).most_common()
    if headers:
        # Most of what does not parse follows from these.
        shown = ", ".join(f"{one_line(name)} ({_counted(count, 'places')})" for name, count in headers[:_HEADERS])
        more = f" and {len(headers) - _HEADERS:,} more" if len(headers) > _HEADERS else ""
        yield f"{style.message('Headers that were not found')}: {shown}{more}"


def _counted(number: int, plural: str) -> str:
    """`1 file`, `2 files`, `1,234 entries`."""
    return f"{number:,} {_singular(plural) if number == 1 else plural}"


def _singular(plural: str) -> str:
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("s", "")):
        if plural.endswith(ending):
            return plural.removesuffix(ending) + replacement
    return plural
