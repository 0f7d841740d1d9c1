"""What the commands that give an overview have in common: their options, and where the result goes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

import click

from gfpcheck.cli import request
from gfpcheck.cli.options import PATH, Sources, follow_option, jobs_option, where
from gfpcheck.cli.output import check_places, print_lines
from gfpcheck.cli.sections import OUTPUT, option
from gfpcheck.cli.terminal import wants_color
from gfpcheck.overview.writing import FORMATS
from gfpcheck.report.files import ReportError, replacing
from gfpcheck.report.style import Style

if TYPE_CHECKING:
    from gfpcheck.driver.options import Options, Progress


class Asked(TypedDict):
    """What the options of `overview_options` were given, but for those of the output."""

    paths: tuple[Path, ...]
    sources: Sources
    follow: int | None
    jobs: int | None


_OPTIONS = (
    option(OUTPUT, "-o", "--output", type=PATH, metavar="FILE", help="Write the result here, all or nothing."),
    option(OUTPUT, "-v", "--verbose", is_flag=True, help="Leave nothing out."),
    option(OUTPUT, "-q", "--quiet", is_flag=True, help="Nothing but the result and errors."),
    jobs_option,
)
_Command = Callable[..., Any]
Found = TypeVar("Found")


def overview_options_with(formats: Sequence[str]) -> Callable[[_Command], _Command]:
    """The paths, where the sources are and what is known of them, how far to look, where the result goes and as what of
    `formats`."""
    fmt = option(OUTPUT, "--format", "fmt", type=click.Choice(formats), default="text", help="Default: text.")

    def add(command: _Command) -> _Command:
        for one in reversed((fmt, *_OPTIONS)):
            command = one(command)
        command = follow_option(command)
        return click.argument("paths", type=PATH, nargs=-1, required=True, metavar="PATH...")(where(command))

    return add


overview_options = overview_options_with(FORMATS)
"""As `overview_options_with`, with the formats that all have."""


def survey(find: Callable[[Options, Progress | None], Found], asked: Asked, quiet: bool) -> Found:
    """What `find` says of what is asked for. Raises ClickException if settings are wrong, or it cannot be done."""
    sources = asked["sources"]
    with request.working(quiet) as progress:
        found = request.settings(sources.config_file, asked["paths"])
        options = request.run_options(
            asked["paths"], found, sources, follow=asked["follow"], jobs=asked["jobs"], quiet=quiet
        )
        return find(options, progress)


def style_for(output: Path | None) -> Style:
    """Colours, if the result goes to a terminal that has them."""
    return Style(output is None and wants_color(sys.stdout))


def check_output(output: Path | None) -> None:
    """Raises ClickException, before any work is done, if the result cannot be written there."""
    check_places([output])


def write_lines(lines: Iterable[str], output: Path | None) -> None:
    """Writes the result to a file, all or nothing, or to standard output. Raises ClickException, BrokenPipeError."""
    if output is None:
        print_lines(lines)
        return
    try:
        with replacing(str(output)) as stream:
            for line in lines:
                stream.write(f"{line}\n")
    except ReportError as error:
        raise click.ClickException(str(error)) from error
