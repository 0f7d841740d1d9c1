"""`gfpcheck rules test`: what a rule directory's fixtures expect against what came."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, Sources, where
from gfpcheck.cli.output import print_lines
from gfpcheck.cli.request import run_options, settings, working
from gfpcheck.cli.sections import SectionCommand
from gfpcheck.cli.terminal import wants_color
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

if TYPE_CHECKING:
    from gfpcheck.authoring.trial import Trial


@click.command(cls=SectionCommand, short_help="Run a rule directory's fixtures.")
@click.argument("directory", type=PATH, metavar="DIR")
@where
def test(directory: Path, sources: Sources) -> int:
    """Run the rules of DIR over DIR/fixtures and compare with the marks in the C.

    \b
    A mark ends the line where the finding must be, or must not be:
      p = kmalloc(n, GFP_ATOMIC); /* MY001 */
      p = kmalloc(n, GFP_KERNEL); /* not MY001: it sleeps, as it may */
      p = helper(n);              /* missed MY001: known not to be found yet */
    A line without one must have no finding. A mark may name any rule, which then runs, too.

    The fixtures are plain C, or kernel code with --tree or in a kernel tree.

    \b
    Exit codes: 0  all as marked
                1  not
                2  it could not be tested
    """
    from gfpcheck.authoring.trial import try_directory

    options = run_options((), settings(sources.config_file, (directory,)), sources, jobs=1)
    with tempfile.TemporaryDirectory(prefix="gfpcheck-") as scratch, working(quiet=True):
        trial = try_directory(directory, replace(options, cache_dir=options.cache_dir or Path(scratch)))
    print_lines(_lines(trial, Style(wants_color(sys.stdout))))
    return Exit.FOUND if trial.complaints else Exit.CLEAN


def _lines(trial: Trial, style: Style) -> Iterator[str]:
    for complaint in trial.complaints:
        first, *rest = complaint.splitlines()
        yield style.message(printable(first))
        yield from map(printable, rest)
    if trial.complaints:
        yield ""
    for rule in trial.rules:
        kinds = Counter(mark.kind for mark in trial.marks if mark.rule == rule.id)
        missed = f", {kinds['missed']} known to be missed" if kinds["missed"] else ""
        yield f"{style.rule(rule.id)} {rule.name}: {kinds['must']} must be reported, {kinds['not']} must not{missed}"
    if trial.hidden:
        yield f"Of low confidence, which gfpcheck hides by default: {trial.hidden}"
    number = len(trial.complaints)
    yield f"{number} {'is' if number == 1 else 'are'} not as marked" if number else style.good("All as marked")
    if number:
        yield "`gfpcheck facts FILE:FUNCTION` shows what is known line by line"
