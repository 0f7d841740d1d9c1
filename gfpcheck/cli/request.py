"""From the command line and gfpcheck.toml to what the driver is asked to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from gfpcheck.cli import config as configuration


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
