"""`gfpcheck check`, the main job."""

from __future__ import annotations

import re
import shlex
import time
from pathlib import Path

import click
import msgspec

from gfpcheck import report as reporting
from gfpcheck.cli.cache import cache_directory
from gfpcheck.cli.config import URL
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, follow_option, rules_option, where
from gfpcheck.cli.output import check_output, write_report
from gfpcheck.cli.request import own_rules, settings, words
from gfpcheck.cli.sections import EXIT, OUTPUT, REPORTED, RUNNING, SectionCommand, option
from gfpcheck.cli.statistics import statistics_lines
from gfpcheck.cli.terminal import ProgressLine, note, say
from gfpcheck.findings import Confidence, Level, Report

LEVELS = [level.value for level in Level]
CONFIDENCES = [confidence.value for confidence in Confidence]


@click.command(cls=SectionCommand, short_help="Analyse files, directories or a whole tree (the default).")
@click.argument("paths", type=PATH, nargs=-1, required=True, metavar="PATH...")
@where
@follow_option
@option(REPORTED, "--select", multiple=True, metavar="RULE", help="Only these: ids, prefixes (GFP3), names, or all.")
@option(REPORTED, "--ignore", multiple=True, metavar="RULE", help="Not these.")
@rules_option
@option(REPORTED, "--min-confidence", type=click.Choice(CONFIDENCES), help="Hide findings below. Default: medium.")
@option(OUTPUT, "--format", "fmt", type=click.Choice(reporting.FORMATS), default="text", help="Default: text.")
@option(OUTPUT, "-o", "--output", type=PATH, metavar="FILE", help="Write the results here, all or nothing.")
@option(OUTPUT, "--rules-page", metavar="URL", help="Where `gfpcheck rules page` is published; SARIF links there.")
@option(OUTPUT, "--statistics", is_flag=True, help="Say on standard error what it took and what was counted.")
@option(OUTPUT, "-v", "--verbose", is_flag=True, help="Show every step, and name what was not analysed.")
@option(OUTPUT, "-q", "--quiet", is_flag=True, help="Nothing but findings and errors.")
@option(EXIT, "--fail-on", type=click.Choice([*LEVELS, "never"]), help="Exit 1 from this level on. Default: warning.")
@option(EXIT, "--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
@option(EXIT, "--strict", is_flag=True, help="Exit 2 when anything could not be analysed.")
@option(
    RUNNING,
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Worker processes. Default: one per processor.",
)
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
    fmt: str,
    output: Path | None,
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
    check_output(output)
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
        rules_page=rules_page or config.rules_page,
        rule_dirs=own_rules(config, config_path, config_file, rule_dirs),
        models=(*map(Path, config.models), *models),
        min_confidence=Confidence(min_confidence) if min_confidence else config.min_confidence,
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
    code = _exit_code(result, "never" if exit_zero else fail_on or config.fail_on, strict)
    result = msgspec.structs.replace(result, exit_code=int(code))
    write_report(result, fmt, output, verbose, quiet)
    if statistics:
        for line in statistics_lines(result, time.monotonic() - started):
            note(line)
    if strict and result.losses:
        say("not everything could be analysed, and --strict was given")
    return code


def _exit_code(result: Report, threshold: str, strict: bool) -> Exit:
    if strict and result.losses:
        return Exit.FAILED
    if threshold == "never":
        return Exit.CLEAN
    limit = Level(threshold).rank
    return Exit.FOUND if any(finding.level.rank >= limit for finding in result.findings) else Exit.CLEAN
