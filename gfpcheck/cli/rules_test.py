"""`gfpcheck rules test`: what a rule directory's fixtures expect against what came."""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gfpcheck.cli.cache import cache_directory
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, where
from gfpcheck.cli.output import print_lines
from gfpcheck.cli.request import settings
from gfpcheck.cli.sections import SectionCommand
from gfpcheck.cli.terminal import say, wants_color
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

if TYPE_CHECKING:
    from gfpcheck.authoring.trial import Trial


@click.command(cls=SectionCommand, short_help="Run a rule directory's fixtures.")
@click.argument("directory", type=PATH, metavar="DIR")
@where
def test(
    directory: Path,
    arch: str | None,
    build_dir: Path | None,
    compile_commands: Path | None,
    tree: Path | None,
    models: tuple[Path, ...],
    config_file: Path | None,
    no_cache: bool,
) -> int:
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
    from gfpcheck.driver.options import Options, RunError

    config, _ = settings(config_file, (directory,))
    cache = cache_directory(not no_cache)
    with tempfile.TemporaryDirectory(prefix="gfpcheck-") as scratch:
        options = Options(
            paths=(),
            arch=arch or config.arch,
            build_dir=build_dir,
            compile_commands=compile_commands,
            tree=tree,
            models=(*map(Path, config.models), *models),
            jobs=1,
            cache_dir=cache or Path(scratch),
            announce=say,
        )
        try:
            trial = try_directory(directory, options)
        except RunError as error:
            raise click.ClickException(str(error)) from error
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
