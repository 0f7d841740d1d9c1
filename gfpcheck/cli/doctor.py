"""`gfpcheck doctor`: what gfpcheck makes of a path."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from gfpcheck import __version__
from gfpcheck.cli.cache import cache_directory
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, where
from gfpcheck.cli.request import settings
from gfpcheck.cli.sections import SectionCommand


@click.command(cls=SectionCommand, short_help="Say what there is at a path, and what to do next.")
@click.argument("path", type=PATH, default=".")
@where
def doctor(
    path: Path,
    arch: str | None,
    build_dir: Path | None,
    compile_commands: Path | None,
    tree: Path | None,
    models: tuple[Path, ...],
    config_file: Path | None,
    no_cache: bool,
) -> int:
    """Say what gfpcheck finds at PATH (default: here): tree, version, flags, and what to do next.

    \b
    Exit codes: 0  it can be analysed
                2  it cannot, and why
    """
    from gfpcheck.driver.options import Options, RunError
    from gfpcheck.driver.survey import survey

    config, config_path = settings(config_file, (path,))
    cache = cache_directory(not no_cache)
    with tempfile.TemporaryDirectory(prefix="gfpcheck-") as scratch:
        options = Options(
            paths=(path,),
            arch=arch or config.arch,
            build_dir=build_dir,
            compile_commands=compile_commands,
            tree=tree,
            models=(*map(Path, config.models), *models),
            cache_dir=cache or Path(scratch),
        )
        try:
            rows, is_fine = survey(options)
        except RunError as error:
            raise click.ClickException(str(error)) from error
    rows = [("gfpcheck", __version__), ("settings", str(config_path or "none")), *rows]
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        click.echo(f"{label.ljust(width)}  {value}")
    return Exit.CLEAN if is_fine else Exit.FAILED
