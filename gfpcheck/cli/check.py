"""`gfpcheck check`, the main job."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from pathlib import Path

import click
import msgspec

from gfpcheck.cli.config import URL, Config
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, Results, Selection, Sources, follow_option, results, selection, where
from gfpcheck.cli.output import check_places, outputs, write_report
from gfpcheck.cli.request import policy, reporting, run_options, settings, working
from gfpcheck.cli.sections import OUTPUT, REPORTED, SectionCommand, option
from gfpcheck.cli.statistics import statistics_lines
from gfpcheck.cli.terminal import note, say
from gfpcheck.findings import Level, Report
from gfpcheck.triage import TriageError
from gfpcheck.triage import write_baseline as save_baseline


@click.command(cls=SectionCommand, short_help="Analyse files, directories or a whole tree (the default).")
@click.argument("paths", type=PATH, nargs=-1, required=True, metavar="PATH...")
@where
@follow_option
@selection
@option(REPORTED, "--show-suppressed", is_flag=True, help="Show suppressed findings, too, and why they are.")
@option(REPORTED, "--baseline", type=PATH, metavar="FILE", help="Hide what is in this baseline, JSON report or SARIF.")
@option(REPORTED, "--write-baseline", type=PATH, metavar="FILE", help="Make a baseline of all that is found.")
@option(REPORTED, "--show-known", is_flag=True, help="Show what the baseline has, too.")
@option(REPORTED, "--scenarios", is_flag=True, help="Draw the deadlock, task by task, where a finding may end in one.")
@results
@option(OUTPUT, "--rules-page", metavar="URL", help="Where `gfpcheck rules page` is published; SARIF links there.")
@option(OUTPUT, "--statistics", is_flag=True, help="Say on standard error what it took and what was counted.")
def check(
    paths: tuple[Path, ...],
    sources: Sources,
    follow: int | None,
    selected: Selection,
    show_suppressed: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    show_known: bool,
    scenarios: bool,
    wanted: Results,
    rules_page: str | None,
    statistics: bool,
) -> int:
    """Analyse the C files at each PATH: a file, a directory, or a whole tree.

    \b
    Exit codes: 0  nothing at or above --fail-on
                1  findings
                2  it could not do what was asked

    `gfpcheck PATH...` is the same as `gfpcheck check PATH...`.
    """
    # Takes longer than --help and completions should.
    from gfpcheck.driver.run import run

    started = time.monotonic()
    found = settings(sources.config_file, paths)
    config, quiet = found.config, wanted.quiet
    destinations = outputs(wanted.places, wanted.fmt)
    if write_baseline is not None:
        check_places([*(output.path for output in destinations), write_baseline])
    if rules_page and not re.match(URL, rules_page):
        raise click.ClickException(f"--rules-page {rules_page}: not the address of a page")
    if wanted.verbose and found.path is not None:
        say(f"settings from {found.path}")
    judged = policy(
        config,
        baseline=baseline,
        write_baseline=write_baseline,
        suppressions=selected.suppressions,
        show_suppressed=show_suppressed,
        show_known=show_known,
    )
    options = run_options(paths, found, sources, follow=follow, jobs=wanted.jobs, quiet=quiet)
    options = reporting(options, found, selected, judged)
    options = replace(options, scenarios=scenarios, rules_page=rules_page or config.rules_page)
    with working(quiet) as progress:
        result = run(options, progress)
    code = exit_code(result, threshold(wanted, config), wanted.strict)
    result = msgspec.structs.replace(result, exit_code=int(code))
    if write_baseline is not None:
        _record(write_baseline, result, quiet)
    write_report(result, destinations, wanted.verbose, quiet)
    if statistics:
        for line in statistics_lines(result, time.monotonic() - started):
            note(line)
    if wanted.strict and result.losses:
        say("not everything could be analysed, and --strict was given")
    return code


def _record(path: Path, result: Report, quiet: bool) -> None:
    """Writes the baseline and says so. Raises ClickException."""
    try:
        save_baseline(path, result.recorded)
    except TriageError as error:
        raise click.ClickException(str(error)) from error
    if not quiet:
        number = len(result.recorded)
        say(f"{number} {'finding is' if number == 1 else 'findings are'} in the baseline {path}")


def threshold(wanted: Results, config: Config) -> str:
    """The level from which on there are findings, or "never"."""
    return "never" if wanted.exit_zero else wanted.fail_on or config.fail_on


def exit_code(result: Report, threshold: str, strict: bool) -> Exit:
    """The code that says whether there is anything at or above `threshold`, a level or "never"."""
    if strict and result.losses:
        return Exit.FAILED
    if threshold == "never":
        return Exit.CLEAN
    limit = Level(threshold).rank
    return Exit.FOUND if any(f.counts and f.level.rank >= limit for f in result.findings) else Exit.CLEAN
