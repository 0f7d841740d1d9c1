"""`gfpcheck doctor`: what gfpcheck makes of a path."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import click

from gfpcheck import __version__
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, Sources, where
from gfpcheck.cli.request import run_options, settings, working
from gfpcheck.cli.sections import SectionCommand


@click.command(cls=SectionCommand, short_help="Say what there is at a path, and what to do next.")
@click.argument("path", type=PATH, default=".")
@where
def doctor(path: Path, sources: Sources) -> int:
    """Say what gfpcheck finds at PATH (default: here): tree, version, flags, and what to do next.

    \b
    Exit codes: 0  it can be analysed
                2  it cannot, and why
    """
    from gfpcheck.driver.survey import survey

    found = settings(sources.config_file, (path,))
    options = run_options((path,), found, sources, quiet=True)
    with tempfile.TemporaryDirectory(prefix="gfpcheck-") as scratch, working(quiet=True):
        rows, is_fine = survey(replace(options, cache_dir=options.cache_dir or Path(scratch)), _words(sources))
    rows = [("gfpcheck", __version__), ("settings", str(found.path or "none")), *rows]
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        click.echo(f"{label.ljust(width)}  {value}")
    return Exit.CLEAN if is_fine else Exit.FAILED


def _words(sources: Sources) -> list[str]:
    """The options that were given, for the command that comes next."""
    given = [
        ("--arch", sources.arch),
        ("--build-dir", sources.build_dir),
        ("--compile-commands", sources.compile_commands),
        ("--tree", sources.tree),
        *(("--model", model) for model in sources.models),
        ("--config", sources.config_file),
    ]
    words = [word for option, value in given if value is not None for word in (option, str(value))]
    return [*words, "--no-cache"] if sources.no_cache else words
