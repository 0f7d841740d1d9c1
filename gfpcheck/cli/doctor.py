"""`gfpcheck doctor`: what gfpcheck makes of a path."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from gfpcheck.cli.cache import cache_directory
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, where


@click.command()
@click.argument("path", type=PATH, default=".")
@where
def doctor(
    path: Path,
    arch: str | None,
    build_dir: Path | None,
    compile_commands: Path | None,
    tree: Path | None,
    no_cache: bool,
) -> int:
    """Say what gfpcheck finds at PATH (default: here): tree, version, flags, and what to do next."""
    from gfpcheck.driver import Options, RunError, survey

    cache = cache_directory(not no_cache)
    with tempfile.TemporaryDirectory(prefix="gfpcheck-") as scratch:
        options = Options(
            paths=(path,),
            arch=arch or "x86",
            build_dir=build_dir,
            compile_commands=compile_commands,
            tree=tree,
            cache_dir=cache or Path(scratch),
        )
        try:
            rows = survey(options)
        except RunError as error:
            raise click.ClickException(str(error)) from error
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        click.echo(f"{label.ljust(width)}  {value}")
    return Exit.CLEAN
