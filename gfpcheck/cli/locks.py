"""`gfpcheck locks`: what is allocated under each lock, who waits for it, and the cycles through memory."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.overviews import Asked, check_output, overview_options_with, style_for, survey, write_lines
from gfpcheck.cli.sections import SectionCommand
from gfpcheck.overview.writing import FORMATS


@click.command(cls=SectionCommand, short_help="Show lock classes, their order, and deadlocks through memory.")
@overview_options_with((*FORMATS, "html"))
def locks(fmt: str, output: Path | None, verbose: bool, quiet: bool, **asked: Unpack[Asked]) -> int:
    """Tell of each lock class at PATH what may be allocated with it held, how memory reclaim comes to wait for it, who
    waits for it and cannot be killed, and which locks it is held with.

    Cycles that pass through reclaim, or through an allocation that may not fail, come first, with what each task does.
    `--format html` draws the locks, and lets you look around.
    """
    # Takes longer than --help and completions should.
    from gfpcheck.overview.locks import write
    from gfpcheck.overview.locks.ask import locks as find

    check_output(output)
    found = survey(find, asked, quiet)
    if fmt == "json":
        lines = write.json(found)
    elif fmt == "csv":
        lines = write.csv(found)
    elif fmt == "html":
        from gfpcheck.overview.locks.picture.page import html

        lines = html(found)
    else:
        lines = write.text(found, style_for(output), verbose)
    write_lines(lines, output)
    return Exit.CLEAN
