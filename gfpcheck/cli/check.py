"""`gfpcheck check`, the main job."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path

import click
import msgspec

from gfpcheck.cli.cache import cache_directory
from gfpcheck.cli.config import URL
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, follow_option, results, selection, where
from gfpcheck.cli.output import check_places, outputs, write_report
from gfpcheck.cli.request import own_rules, policy, settings, words
from gfpcheck.cli.sections import OUTPUT, REPORTED, SectionCommand, option
from gfpcheck.cli.statistics import statistics_lines
from gfpcheck.cli.terminal import ProgressLine, note, say
from gfpcheck.findings import Confidence, Level, Report
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
    arch: str | None,
    build_dir: Path | None,
    compile_commands: Path | None,
    tree: Path | None,
    models: tuple[Path, ...],
    config_file: Path | None,
    no_cache: bool,
    follow: int | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    rule_dirs: tuple[Path, ...],
    min_confidence: str | None,
    suppressions: tuple[Path, ...],
    show_suppressed: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    show_known: bool,
    scenarios: bool,
    fmt: str,
    places: tuple[str, ...],
    rules_page: str | None,
    statistics: bool,
    verbose: bool,
    quiet: bool,
    fail_on: str | None,
    exit_zero: bool,
    strict: bool,
    jobs: int | None,
) -> int:
    """Analyse the C files at each PATH: a file, a directory, or a whole tree.

    \b
    Exit codes: 0  nothing at or above --fail-on
                1  findings
                2  it could not do what was asked

    `gfpcheck PATH...` is the same as `gfpcheck check PATH...`.
    """
    # Takes longer than --help and completions should.
    from gfpcheck.driver.options import Options, RunError
    from gfpcheck.driver.run import run

    started = time.monotonic()
    config, config_path = settings(config_file, paths)
    destinations = outputs(places, fmt)
    if write_baseline is not None:
        check_places([*(output.path for output in destinations), write_baseline])
    if rules_page and not re.match(URL, rules_page):
        raise click.ClickException(f"--rules-page {rules_page}: not the address of a page")
    if verbose and config_path is not None:
        say(f"settings from {config_path}")
    options = Options(
        paths=paths,
        arch=arch or config.arch,
        build_dir=build_dir,
        compile_commands=compile_commands,
        tree=tree,
        follow=config.follow if follow is None else follow,
        select=words(select) or config.select,
        ignore=words(ignore) or config.ignore,
        scenarios=scenarios,
        rules_page=rules_page or config.rules_page,
        rule_dirs=own_rules(config, config_path, config_file, rule_dirs),
        models=(*map(Path, config.models), *models),
        min_confidence=Confidence(min_confidence) if min_confidence else config.min_confidence,
        policy=policy(
            config,
            baseline=baseline,
            write_baseline=write_baseline,
            suppressions=suppressions,
            show_suppressed=show_suppressed,
            show_known=show_known,
        ),
        jobs=jobs or config.jobs,
        cache_dir=cache_directory(not no_cache),
        command_line=shlex.join(["gfpcheck", *click.get_current_context().obj]),
        announce=None if quiet else say,
    )
    progress = ProgressLine(not quiet)
    try:
        result = run(options, progress)
    except RunError as error:
        raise click.ClickException(str(error)) from error
    finally:
        progress.clear()
    code = exit_code(result, "never" if exit_zero else fail_on or config.fail_on, strict)
    result = msgspec.structs.replace(result, exit_code=int(code))
    if write_baseline is not None:
        _record(write_baseline, result, quiet)
    write_report(result, destinations, verbose, quiet)
    if statistics:
        for line in statistics_lines(result, time.monotonic() - started):
            note(line)
    if strict and result.losses:
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


def exit_code(result: Report, threshold: str, strict: bool) -> Exit:
    """The code that says whether there is anything at or above `threshold`, a level or "never"."""
    if strict and result.losses:
        return Exit.FAILED
    if threshold == "never":
        return Exit.CLEAN
    limit = Level(threshold).rank
    return Exit.FOUND if any(f.counts and f.level.rank >= limit for f in result.findings) else Exit.CLEAN
