"""`gfpcheck rules new`: a rule to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH
from gfpcheck.cli.output import print_lines


@click.command(short_help="Write a rule that works, with fixtures, to begin with.")
@click.argument("folder", type=PATH, metavar="NAME")
@click.option("--id", "ident", metavar="ID", help="As in MY001. Default: the initials of the name.")
def new(folder: Path, ident: str | None) -> int:
    """Write a folder NAME with a rule that works, fixtures that it passes, and their header.

    NAME is the rule's: lower-case words with hyphens that say what is found, as in alloc-under-rtnl. The folder is
    made here, or where a path before the name says.
    """
    from gfpcheck.authoring.skeleton import new_rule
    from gfpcheck.driver.options import RunError

    try:
        files = new_rule(folder, ident)
    except RunError as error:
        raise click.ClickException(str(error)) from error
    print_lines(
        [
            *(f"wrote {path}" for path in files),
            "",
            f"gfpcheck rules test {folder}      runs it over its fixtures",
            f"gfpcheck PATH --rules {folder}    runs it beside all others",
        ]
    )
    return Exit.CLEAN
