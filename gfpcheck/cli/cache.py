"""Where the cache is, what is in it, and how to be rid of it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from gfpcheck.cli.terminal import say


def cache_directory(use: bool) -> Path | None:
    """The cache directory, made if need be; None when there shall be none or it cannot be written.

    GFPCHECK_CACHE names it, else it is gfpcheck/ in XDG_CACHE_HOME or ~/.cache.
    """
    if not use:
        return None
    named = os.environ.get("GFPCHECK_CACHE")
    try:
        path = _place()
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied", str(path))
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        say(f"the cache directory cannot be used ({why}: {getattr(error, 'filename', named)}); going on without one")
        return None
    return path


def _place() -> Path:
    """Where the cache directory should be. Raises RuntimeError for a user without a home."""
    named = os.environ.get("GFPCHECK_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gfpcheck"


@click.group(no_args_is_help=False, short_help="Say what is kept between runs, or remove it.")
def cache() -> None:
    """What gfpcheck keeps between runs: generated headers, precompiled headers, results.

    It may be removed at any time; the next run takes longer. GFPCHECK_CACHE says where it is, else it is
    gfpcheck/ in XDG_CACHE_HOME or ~/.cache.
    """


@cache.command()
def info() -> None:
    """Say where the cache is and what is in it."""
    from gfpcheck.driver.cache import held

    place = _existing()
    found, limit = held(place)
    rows = [("folder", str(place))]
    rows += [(one.what, f"{one.files:,} file{'' if one.files == 1 else 's'}, {_mib(one.size)}") for one in found]
    rows += [("all together", _mib(sum(one.size for one in found))), ("limit of results", _mib(limit))]
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        click.echo(f"{label.ljust(width)}  {value}")


@cache.command()
def clear() -> None:
    """Remove what is in the cache."""
    from gfpcheck.driver.cache import clear

    place = _existing()
    try:
        clear(place)
    except OSError as error:
        raise click.ClickException(f"cannot clear the cache: {error.strerror}: {error.filename}") from error


def _existing() -> Path:
    try:
        return _place()
    except RuntimeError as error:
        raise click.ClickException(f"there is no cache directory: {error}") from error


def _mib(size: int) -> str:
    return f"{size / (1 << 20):,.1f} MiB"
