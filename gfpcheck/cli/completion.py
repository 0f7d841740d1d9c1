"""What shells complete: the values of options beyond what click knows of them, and how fish reads an answer."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem, FishComplete, add_completion_class


class _Fish(FishComplete):
    # click's own script ends a description at its first comma.
    source_template = FishComplete.source_template.replace('string split ","', 'string split --max 1 ","')


def install() -> None:
    """From here on click answers fish by the script of this module."""
    add_completion_class(_Fish)


def rules(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The built-in rules by id, the last of a list with commas. For `shell_complete` of a parameter."""
    from gfpcheck.driver.rules import all_rules  # takes longer than other completions should

    before, comma, last = incomplete.rpartition(",")
    return [
        CompletionItem(f"{before}{comma}{rule.id}", help=rule.name)
        for rule in all_rules(())
        if rule.id.startswith(last.upper())
    ]


def files(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """A file. For `shell_complete` of a parameter whose value is not only that."""
    return [CompletionItem(incomplete, type="file")]
