"""`gfpcheck models`: the check of models against the source that they speak of."""

from __future__ import annotations

import sys
from pathlib import Path

import click

import gfpcheck.models as package
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.markdown import page_width, render
from gfpcheck.cli.options import PATH, model_sources
from gfpcheck.cli.output import print_lines
from gfpcheck.cli.request import settings
from gfpcheck.cli.sections import SectionCommand
from gfpcheck.cli.terminal import wants_color
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style


@click.group(no_args_is_help=False, short_help="Check models of locks, allocators, scopes, ... against a tree.")
def models() -> None:
    """What gfpcheck knows of functions that it does not look into: locks, scopes, allocators, callbacks, reclaim.

    `gfpcheck models format` describes the files that they are written in.
    """


@models.command(name="format")
def format_() -> int:
    """Describe the format of model files."""
    text = (Path(package.__file__).parent / "FORMAT.md").read_text(encoding="utf-8")
    print_lines(render(text, Style(wants_color(sys.stdout)), page_width()))
    return Exit.CLEAN


@models.command(cls=SectionCommand)
@click.argument("tree", type=PATH, required=False)
@model_sources
def check(tree: Path | None, models: tuple[Path, ...], config_file: Path | None) -> int:
    """Check each entry of the models against the source in TREE: names, arguments, types, return conventions.

    With a kernel tree these are the built-in models and those of --model and gfpcheck.toml, with any other folder of C
    the latter alone. Default: the kernel tree that one stands in; where there is none, the files are checked by
    themselves.

    \b
    Exit codes: 0  every entry is confirmed
                1  some are not
                2  a model file is wrong by itself, or there is no such tree
    """
    from gfpcheck.authoring.model_check import check_models
    from gfpcheck.driver.options import RunError
    from gfpcheck.models import ModelError

    config = settings(config_file, (tree or Path(),)).config
    files = (*map(Path, config.models), *models)
    try:
        found = check_models(tree, files)
    except (RunError, ModelError) as error:
        raise click.ClickException(str(error)) from error
    style = Style(wants_color(sys.stdout))
    lines = [printable(problem) for problem in found.problems]
    if not found.source:
        lines.append(f"{style.good('The format is right')}: {found.entries} names in {', '.join(map(str, files))}")
    else:
        state = f"{len(found.problems)} not confirmed" if found.problems else style.good("all confirmed")
        absent = f", {found.absent} built-in ones not there" if found.absent else ""
        lines.append(f"{found.entries:,} names against {printable(found.source)}: {state}{absent}")
    print_lines(lines)
    return Exit.FOUND if found.problems else Exit.CLEAN
