"""`gfpcheck rules page`: the documentation of all rules on one page."""

from __future__ import annotations

from pathlib import Path

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, rule_sources
from gfpcheck.cli.output import check_places, print_lines
from gfpcheck.cli.request import own_rules, settings
from gfpcheck.cli.sections import OUTPUT, SectionCommand, option


@click.command(cls=SectionCommand, short_help="Write the documentation of all rules to one page.")
@option(OUTPUT, "-o", "--output", type=PATH, metavar="FILE", help="Write the page here.")
@rule_sources
def page(output: Path | None, rule_dirs: tuple[Path, ...], config_file: Path | None) -> int:
    """Write the documentation of all rules as one page of Markdown.

    Each rule has an anchor, its id in small letters. Where the page is published can be said to `gfpcheck check` by
    --rules-page, or as `rules-page` in gfpcheck.toml; SARIF then links each rule to its text.
    """
    from gfpcheck.authoring.page import rules_page
    from gfpcheck.driver.options import RunError
    from gfpcheck.driver.rules import all_rules

    check_places([output])
    found = settings(config_file, (Path(),))
    try:
        rules = all_rules(own_rules(found, rule_dirs))
    except RunError as error:
        raise click.ClickException(str(error)) from error
    text = rules_page(rules)
    if output is None:
        print_lines(text.splitlines())
    else:
        output.write_text(text, encoding="utf-8")
    return Exit.CLEAN
