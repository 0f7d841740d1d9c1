"""`gfpcheck nofs`: what each GFP_NOFS, GFP_NOIO and __GFP_NOLOCKDEP is there for."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.overviews import Asked, check_output, overview_options, style_for, survey, write_lines
from gfpcheck.cli.sections import SectionCommand


@click.command(cls=SectionCommand, short_help="Say what each GFP_NOFS is there for, and where a scope could stand.")
@overview_options
def nofs(fmt: str, output: Path | None, verbose: bool, quiet: bool, **asked: Unpack[Asked]) -> int:
    """Say of each GFP_NOFS, GFP_NOIO and __GFP_NOLOCKDEP that is written at PATH what asks for it: a transaction, a
    scope, a lock that reclaim waits for, or reclaim itself; or that none was found, and what was looked at.

    Where something was found, it says where a scope (memalloc_nofs_save()) could stand instead, so that the flag need
    not be handed down to each allocation: Documentation/core-api/gfp_mask-from-fs-io.rst.
    """
    # Takes longer than --help and completions should.
    from gfpcheck.overview.mentions import account
    from gfpcheck.overview.nofs import write
    from gfpcheck.overview.nofs.ask import restrictions
    from gfpcheck.overview.nofs.types import TOKENS

    check_output(output)
    found = survey(restrictions, asked, quiet)
    mentions = account(found, found.calls, TOKENS, asked["paths"])
    if fmt == "json":
        lines = write.json(found, mentions)
    elif fmt == "csv":
        lines = write.csv(found)
    else:
        lines = write.text(found, mentions, style_for(output), verbose)
    write_lines(lines, output)
    return Exit.CLEAN
