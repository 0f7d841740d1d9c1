"""From the command line and gfpcheck.toml to what the driver is asked to do."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from gfpcheck.cli import config as configuration
from gfpcheck.cli.cache import cache_directory
from gfpcheck.cli.options import Selection, Sources
from gfpcheck.cli.terminal import ProgressLine, say
from gfpcheck.findings import Confidence
from gfpcheck.triage import PathSettings, Policy, TriageError, load_accepted, load_baseline

if TYPE_CHECKING:  # takes longer than --help and completions should
    from gfpcheck.driver.options import Options


class Settings(NamedTuple):
    """The settings of a project, the file that they stand in, and the one that the user named."""

    config: configuration.Config
    path: Path | None
    named: Path | None


def settings(named: Path | None, paths: Sequence[Path]) -> Settings:
    """As `config.settings`, for a command: what is wrong is a ClickException."""
    try:
        return Settings(*configuration.settings(named, paths), named)
    except configuration.ConfigError as error:
        raise click.ClickException(str(error)) from error


def own_rules(found: Settings, directories: Sequence[Path] = ()) -> tuple[Path, ...]:
    """The directories of rules: those of the settings, then those of the command line. Raises ClickException."""
    try:
        return (*configuration.rule_directories(*found), *directories)
    except configuration.ConfigError as error:
        raise click.ClickException(str(error)) from error


def run_options(
    paths: Sequence[Path],
    found: Settings,
    sources: Sources,
    *,
    follow: int | None = None,
    jobs: int | None = None,
    quiet: bool = False,
) -> Options:
    """What the driver is asked to do, by the command line where that says something, else by the settings: all but what
    concerns rules and findings. `quiet`: it announces nothing."""
    from gfpcheck.driver.options import Options

    config = found.config
    return Options(
        paths=tuple(paths),
        arch=sources.arch or config.arch,
        build_dir=sources.build_dir,
        compile_commands=sources.compile_commands,
        tree=sources.tree,
        follow=config.follow if follow is None else follow,
        models=(*map(Path, config.models), *sources.models),
        jobs=jobs or config.jobs,
        cache_dir=cache_directory(not sources.no_cache),
        command_line=shlex.join(["gfpcheck", *click.get_current_context().obj]),
        announce=None if quiet else say,
    )


def reporting(options: Options, found: Settings, selected: Selection, judged: Policy) -> Options:
    """`options`, with the rules and the findings that are wanted. Raises ClickException."""
    config = found.config
    return replace(
        options,
        select=words(selected.select) or config.select,
        ignore=words(selected.ignore) or config.ignore,
        rules_page=config.rules_page,
        rule_dirs=own_rules(found, selected.rule_dirs),
        min_confidence=Confidence(selected.min_confidence or config.min_confidence),
        policy=judged,
    )


@contextlib.contextmanager
def working(quiet: bool = False) -> Iterator[ProgressLine]:
    """Progress, for as long as the driver works; what the driver cannot do is a ClickException."""
    from gfpcheck.driver.options import RunError

    progress = ProgressLine(not quiet)
    try:
        yield progress
    except RunError as error:
        raise click.ClickException(str(error)) from error
    finally:
        progress.clear()


def words(values: Sequence[str]) -> tuple[str, ...]:
    """`--select GFP1,GFP3` and `--select GFP1 --select GFP3` are the same."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def policy(
    config: configuration.Config,
    *,
    baseline: Path | None = None,
    write_baseline: Path | None = None,
    suppressions: Sequence[Path] = (),
    show_suppressed: bool = False,
    show_known: bool = False,
) -> Policy:
    """What becomes of findings, by the settings and by the command line. Raises ClickException.

    The baseline that is to be written may be the one to read: if it is not there yet, there is none.
    """
    known = baseline or (Path(config.baseline) if config.baseline else None)
    if known is not None and known == write_baseline and not known.exists():
        known = None
    try:
        return Policy(
            levels=config.levels,
            paths=tuple(PathSettings(t.paths, t.ignore, t.min_confidence, t.levels) for t in config.per_path),
            suppressions=tuple(
                entry for file in (*map(Path, config.suppressions), *suppressions) for entry in load_accepted(file)
            ),
            baseline=None if known is None else load_baseline(known),
            record=write_baseline is not None,
            show_suppressed=show_suppressed,
            show_known=show_known,
        )
    except TriageError as error:
        raise click.ClickException(str(error)) from error
