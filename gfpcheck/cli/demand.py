"""`gfpcheck demand`: what memory each type of transaction may take."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.overviews import Asked, check_output, overview_options, style_for, survey, write_lines
from gfpcheck.cli.sections import SectionCommand


@click.command(cls=SectionCommand, short_help="Estimate the memory that each type of transaction may take.")
@overview_options
def demand(fmt: str, output: Path | None, verbose: bool, quiet: bool, **asked: Unpack[Asked]) -> int:
    """Estimate for each type of transactions that is started at PATH what is allocated between its start and its end:
    how much at least and at most, what of it outlives the transaction, and what could not be bounded.

    A type is the reservation that a transaction is started with (xfs_trans_alloc()) or the type that it is started as
    (ext4_journal_start()).
    """
    # Takes longer than --help and completions should.
    from gfpcheck.overview.demand import write
    from gfpcheck.overview.demand.ask import demand as find

    check_output(output)
    found = survey(find, asked, quiet)
    if fmt == "json":
        lines = write.json(found)
    elif fmt == "csv":
        lines = write.csv(found)
    else:
        lines = write.text(found, style_for(output), verbose)
    write_lines(lines, output)
    return Exit.CLEAN
