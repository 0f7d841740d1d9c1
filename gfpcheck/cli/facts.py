"""`gfpcheck facts`: what the analysis knows of a function, line by line."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, Sources, follow_option, where
from gfpcheck.cli.output import print_lines
from gfpcheck.cli.request import run_options, settings, working
from gfpcheck.cli.sections import INPUT, OUTPUT, SectionCommand, option
from gfpcheck.cli.terminal import wants_color
from gfpcheck.report.style import Style


@click.command(cls=SectionCommand, short_help="Show what is known of a function, line by line.")
@click.argument("place", metavar="FILE[:FUNCTION]")
@option(INPUT, "--within", type=PATH, multiple=True, metavar="PATH", help="Analyse this together with the file.")
@where
@follow_option
@option(OUTPUT, "--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="Default: text.")
def facts(
    place: str,
    within: tuple[Path, ...],
    sources: Sources,
    follow: int | None,
    fmt: str,
) -> int:
    """Show what the analysis knows of FUNCTION, or of all functions of FILE, beside the source.

    A letter before a line stands for a lock that is held, or a context that was entered, when control comes to it; a
    word, for an allocation scope. With a question mark, on some paths only. "never" stands before a line that cannot
    be reached, a dot before a jump, of which nothing is known. Below a line stand the allocations that it makes or
    reaches, with the flags asked for and those in effect.

    What reclaim takes and what callers do is seen as far as it is analysed, too: `--within fs/xfs` shows what
    `gfpcheck fs/xfs` knows.
    """
    # Takes longer than --help and completions should.
    from gfpcheck.driver.facts import facts as find
    from gfpcheck.report import facts_json, facts_text

    file, function = _split(place)
    options = run_options(within, settings(sources.config_file, (file,)), sources, follow=follow)
    with working() as progress:
        found = find(file, function, options, progress)
    if fmt == "json":
        print_lines(facts_json.lines(found))
    else:
        print_lines(facts_text.lines(found, Style(wants_color(sys.stdout))))
    return Exit.CLEAN


def _split(place: str) -> tuple[Path, str]:
    """File and function; a file may have a colon in its name."""
    name, colon, function = place.rpartition(":")
    if colon and not Path(place).exists():
        return Path(name), function
    return Path(place), ""
