"""`gfpcheck check`, the main job."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import click
import msgspec

from gfpcheck import report as reporting
from gfpcheck.cli import config as configuration
from gfpcheck.cli.cache import cache_directory
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, where
from gfpcheck.cli.terminal import ProgressLine, say, wants_color
from gfpcheck.driver import Options, RunError, run
from gfpcheck.findings import Confidence, Level, Report

LEVELS = [level.value for level in Level]
CONFIDENCES = [confidence.value for confidence in Confidence]


@click.command()
@click.argument("paths", type=PATH, nargs=-1, required=True)
@click.option("--format", "fmt", type=click.Choice(reporting.FORMATS), default="text", help="Default: text.")
@click.option("-o", "--output", type=PATH, metavar="FILE", help="Write the results here instead of standard output.")
@click.option("--select", multiple=True, metavar="RULE", help="Only these rules: ids, prefixes (GFP3), names, or all.")
@click.option("--ignore", multiple=True, metavar="RULE", help="Not these rules.")
@click.option("--rules", "rule_dirs", type=PATH, multiple=True, metavar="DIR", help="Also the rules in DIR.")
@click.option("--model", "models", type=PATH, multiple=True, metavar="FILE", help="Also the models in FILE (TOML).")
@click.option("--config", "config_file", type=PATH, metavar="FILE", help="Default: the nearest gfpcheck.toml.")
@click.option("--fail-on", type=click.Choice([*LEVELS, "never"]), help="Exit 1 from this level on. Default: warning.")
@click.option("--min-confidence", type=click.Choice(CONFIDENCES), help="Hide findings below. Default: low.")
@click.option("--strict", is_flag=True, help="Exit 2 when anything could not be analysed.")
@click.option("-j", "--jobs", type=click.IntRange(min=1), help="Worker processes. Default: one per processor.")
@where
@click.option("--exit-zero", is_flag=True, help="Exit 0 whatever is found.")
@click.option("--statistics", is_flag=True, help="Say on standard error how long it took.")
@click.option("-v", "--verbose", is_flag=True, help="Show every step, and name what was not analysed.")
@click.option("-q", "--quiet", is_flag=True, help="Findings only.")
def check(
    paths: tuple[Path, ...],
    fmt: str,
    output: Path | None,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    rule_dirs: tuple[Path, ...],
    models: tuple[Path, ...],
    config_file: Path | None,
    fail_on: str | None,
    min_confidence: str | None,
    strict: bool,
    jobs: int | None,
    arch: str | None,
    build_dir: Path | None,
    compile_commands: Path | None,
    tree: Path | None,
    no_cache: bool,
    exit_zero: bool,
    statistics: bool,
    verbose: bool,
    quiet: bool,
) -> int:
    """Analyse the C files at PATHS (files, directories, or a whole tree).

    \b
    Exit codes: 0  nothing at or above --fail-on
                1  findings
                2  it could not do what was asked
    """
    settings = _settings(config_file)
    options = Options(
        paths=paths,
        arch=arch or settings.arch or "x86",
        build_dir=build_dir,
        compile_commands=compile_commands,
        tree=tree,
        select=_words(select) or settings.select,
        ignore=_words(ignore) or settings.ignore,
        rule_dirs=(*(Path(p) for p in settings.rules), *rule_dirs),
        models=(*(Path(p) for p in settings.models), *models),
        min_confidence=Confidence(min_confidence) if min_confidence else settings.min_confidence,
        jobs=jobs or settings.jobs,
        cache_dir=cache_directory(not no_cache),
        command_line=shlex.join(["gfpcheck", *sys.argv[1:]]),
        announce=None if quiet else say,
    )
    threshold = fail_on or settings.fail_on or Level.WARNING.value
    started = time.monotonic()
    progress = ProgressLine(not quiet)
    try:
        result = run(options, progress)
    except RunError as error:
        progress.clear()
        raise click.ClickException(str(error)) from error
    progress.clear()
    code = Exit.CLEAN if exit_zero else _exit_code(result, threshold, strict)
    result = msgspec.structs.replace(result, exit_code=int(code))
    _write(result, fmt, output, verbose, quiet)
    if statistics:
        say(f"{time.monotonic() - started:.1f} s")
        for name, count in result.counts.items():
            say(f"{count} {name}")
    if strict and result.losses:
        say(f"{len(result.losses)} things could not be analysed, and --strict was given")
    return code


def _settings(named: Path | None) -> configuration.Config:
    path = named or configuration.find(Path.cwd())
    if path is None:
        return configuration.Config()
    try:
        return configuration.load(path)
    except configuration.ConfigError as error:
        raise click.ClickException(str(error)) from error


def _words(values: tuple[str, ...]) -> tuple[str, ...]:
    """`--select GFP1,GFP3` and `--select GFP1 --select GFP3` are the same."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def _exit_code(result: Report, threshold: str, strict: bool) -> Exit:
    if strict and result.losses:
        return Exit.FAILED
    if threshold == "never":
        return Exit.CLEAN
    limit = Level(threshold).rank
    return Exit.FOUND if any(finding.level.rank >= limit for finding in result.findings) else Exit.CLEAN


def _write(result: Report, fmt: str, output: Path | None, verbose: bool, quiet: bool) -> None:
    try:
        if output is None:
            reporting.write(result, fmt, sys.stdout, color=wants_color(sys.stdout), verbose=verbose, quiet=quiet)
            sys.stdout.flush()
        else:
            reporting.write_file(str(output), result, fmt, verbose=verbose, quiet=quiet)
            if not quiet:
                reporting.write_summary(result, sys.stderr, color=wants_color(sys.stderr), verbose=verbose)
    except reporting.ReportError as error:
        raise click.ClickException(str(error)) from error
