"""`gfpcheck explain`: a rule's documentation in the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gfpcheck.cli import completion
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.markdown import page_width, render
from gfpcheck.cli.options import rule_sources
from gfpcheck.cli.output import print_lines
from gfpcheck.cli.request import own_rules, settings
from gfpcheck.cli.terminal import wants_color
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

if TYPE_CHECKING:
    from gfpcheck.rule_api import Rule


@click.command(short_help="Show a rule's documentation.")
@click.argument("names", nargs=-1, required=True, metavar="RULE...", shell_complete=completion.rules)
@rule_sources
def explain(names: tuple[str, ...], rule_dirs: tuple[Path, ...], config_file: Path | None) -> int:
    """Show the documentation of each RULE, an id (GFP201) or a name (missing-nofs)."""
    from gfpcheck.driver.options import RunError
    from gfpcheck.driver.rules import OWN, known_rules
    from gfpcheck.driver.selection import one

    found = settings(config_file, (Path(),))
    try:
        known = known_rules(own_rules(found, rule_dirs))
        places = {each.rule: each.place for each in known}
        chosen = [one(places, name) for name in names]
    except RunError as error:
        raise click.ClickException(str(error)) from error
    style = Style(wants_color(sys.stdout))
    width = page_width()
    for rule in dict.fromkeys(chosen):
        origin = "" if places[rule] == OWN else f", from {places[rule]}"
        print_lines(_page(rule, origin, style, width))
    return Exit.CLEAN


def _page(rule: type[Rule], origin: str, style: Style, width: int) -> Iterator[str]:
    default = "on by default" if rule.default else "off by default"
    yield f"{style.rule(rule.id)} {style.title(rule.name)}"
    yield f"{printable(rule.family)}, {style.level(rule.level)}, {default}{printable(origin)}"
    yield ""
    yield from render(rule.documentation(), style, width)
