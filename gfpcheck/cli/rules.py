"""`gfpcheck rules`: which rules there are; a new one; its tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import rule_sources
from gfpcheck.cli.output import print_lines
from gfpcheck.cli.request import own_rules, settings
from gfpcheck.cli.rules_new import new
from gfpcheck.cli.rules_page import page
from gfpcheck.cli.rules_test import test
from gfpcheck.cli.sections import OUTPUT, option, write_sections
from gfpcheck.cli.terminal import wants_color
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

if TYPE_CHECKING:
    from gfpcheck.driver.rules import Known

SCHEMA_VERSION = 1


class _Sections(click.Group):
    """A group whose own options stand under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_sections(self.get_params(ctx), ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=_Sections, invoke_without_command=True, short_help="List the rules; write and test your own.")
@option(OUTPUT, "--format", "fmt", type=click.Choice(["text", "json"]), default="text", help="Default: text.")
@rule_sources
@click.pass_context
def rules(ctx: click.Context, fmt: str, rule_dirs: tuple[Path, ...], config_file: Path | None) -> int:
    """List the rules: built in, of installed packages, of gfpcheck.toml and of each --rules DIR.

    `gfpcheck explain RULE` shows a rule's documentation.
    """
    if ctx.invoked_subcommand is not None:
        return Exit.CLEAN
    from gfpcheck.driver.options import RunError
    from gfpcheck.driver.rules import known_rules

    found = settings(config_file, (Path(),))
    try:
        known = known_rules(own_rules(found, rule_dirs))
    except RunError as error:
        raise click.ClickException(str(error)) from error
    print_lines(_json(known) if fmt == "json" else _table(known, Style(wants_color(sys.stdout))))
    return Exit.CLEAN


def _table(known: Sequence[Known], style: Style) -> Iterator[str]:
    """One line a rule: id, name, family, level, default, summary."""
    shown = [each.rule for each in known]
    cells = [(r.id, r.name, r.family, str(r.level), "on" if r.default else "off") for r in shown]
    heads = ("ID", "NAME", "FAMILY", "LEVEL", "DEFAULT")
    widths = [max(len(row[column]) for row in [heads, *cells]) for column in range(len(heads))]

    def padded(row: Sequence[str]) -> list[str]:
        return [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]

    yield style.heading("  ".join([*padded(heads), "WHAT"]))
    for rule, row in zip(shown, cells, strict=True):
        ident, name, family, level, default = padded(row)
        level = style.level(row[3]) + " " * (len(level) - len(row[3]))
        yield "  ".join([style.rule(ident), style.title(name), family, level, default, printable(rule.summary)])


def _json(known: Sequence[Known]) -> Iterator[str]:
    """An object; `schema_version` grows when a key changes its meaning or goes away."""
    described = [
        {
            "id": rule.id,
            "name": rule.name,
            "family": rule.family,
            "level": rule.level,
            "default": rule.default,
            "summary": rule.summary,
            "origin": place,
            "documentation": rule.documentation(),
        }
        for rule, place in known
    ]
    yield json.dumps({"schema_version": SCHEMA_VERSION, "rules": described}, indent=1)


rules.add_command(new)
rules.add_command(page)
rules.add_command(test)
