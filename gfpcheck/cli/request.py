"""From the command line and gfpcheck.toml to what the driver is asked to do."""

from __future__ import annotations

import os
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


def words(values: Sequence[str]) -> tuple[str, ...]:
    """`--select GFP1,GFP3` and `--select GFP1 --select GFP3` are the same."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())


def check_output(path: Path) -> None:
    """Raises ClickException if there cannot be such a file: better before the work than after it."""
    folder = path.parent
    if path.is_dir():
        raise click.ClickException(f"cannot write {path}: is a directory")
    if not folder.is_dir():
        raise click.ClickException(f"cannot write {path}: no such directory as {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise click.ClickException(f"cannot write {path}: permission denied")
