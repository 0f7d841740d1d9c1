"""`gfpcheck inventory`: every allocation that may not fail."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH
from gfpcheck.cli.overviews import Asked, check_output, overview_options, style_for, survey, write_lines
from gfpcheck.cli.sections import INPUT, SectionCommand, option


@click.command(cls=SectionCommand, short_help="List every allocation that may not fail.")
@overview_options
@option(INPUT, "--diff", "old", type=PATH, metavar="OLD.json", help="Show what has changed since this inventory.")
def inventory(
    fmt: str, output: Path | None, verbose: bool, quiet: bool, old: Path | None, **asked: Unpack[Asked]
) -> int:
    """List every allocation at PATH that may not fail, and what it asks for, under which locks.

    Four kinds: `explicit`, __GFP_NOFAIL is written at the call; `helper`, a function that is called adds it, or never
    gives up; `loop`, an open-coded loop; `small`, the result is used and nobody looks whether there is any.

    At the end, every place where the text of the files says __GFP_NOFAIL is accounted for.
    """
    # Takes longer than --help and completions should.
    from gfpcheck.overview.inventory import write
    from gfpcheck.overview.inventory.ask import inventory as find
    from gfpcheck.overview.inventory.compare import InventoryError, compare, load
    from gfpcheck.overview.inventory.types import TOKEN
    from gfpcheck.overview.mentions import account

    check_output(output)
    try:
        before = None if old is None else load(old)
    except InventoryError as error:
        raise click.ClickException(str(error)) from error
    found = survey(find, asked, quiet)
    difference = None if before is None else compare(before, found)
    mentions = account(found, found.requirements, [TOKEN], asked["paths"])
    if fmt == "json":
        lines = write.json(found, mentions, difference)
    elif fmt == "csv":
        lines = write.csv(found, difference)
    else:
        style = style_for(output)
        lines = write.text(found, mentions, difference, style, verbose)
    write_lines(lines, output)
    return Exit.CLEAN
