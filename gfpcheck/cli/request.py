"""From the command line and gfpcheck.toml to what the driver is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from gfpcheck.cli import config as configuration
from gfpcheck.triage import PathSettings, Policy, TriageError, load_accepted, load_baseline


def settings(named: Path | None, paths: Sequence[Path]) -> tuple[configuration.Config, Path | None]:
    """As `config.settings`, for a command: what is wrong is a ClickException."""
    try:
        return configuration.settings(named, paths)
    except configuration.ConfigError as error:
        raise click.ClickException(str(error)) from error


def own_rules(
    config: configuration.Config, config_path: Path | None, named: Path | None, directories: Sequence[Path]
) -> tuple[Path, ...]:
    """The directories of rules: those of the settings, then those of the command line. Raises ClickException."""
    try:
        return (*configuration.rule_directories(config, config_path, named), *directories)
    except configuration.ConfigError as error:
        raise click.ClickException(str(error)) from error


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
