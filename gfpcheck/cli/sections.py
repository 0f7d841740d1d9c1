"""Options under headings, for commands that have many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

INPUT = "What is analysed"
REPORTED = "What is reported"
OUTPUT = "Output"
EXIT = "Exit code"
RUNNING = "How it runs"
OTHER = "Other"
_ORDER = (INPUT, REPORTED, OUTPUT, EXIT, RUNNING, OTHER)

F = TypeVar("F", bound=Callable[..., Any])


class SectionOption(click.Option):
    """An option that knows the heading under which `--help` shows it."""

    def __init__(self, *args: Any, section: str = OTHER, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class SectionCommand(click.Command):
    """A command whose `--help` shows its options under their headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        write_sections(self.get_params(ctx), ctx, formatter)


def write_sections(parameters: Sequence[click.Parameter], ctx: click.Context, formatter: click.HelpFormatter) -> None:
    """The help of all options among the parameters."""
    sections: dict[str, list[tuple[str, str]]] = {heading: [] for heading in _ORDER}
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is not None and isinstance(parameter, click.Option):
            sections[getattr(parameter, "section", OTHER)].append(record)
    for heading, records in sections.items():
        if records:
            with formatter.section(heading):
                formatter.write_dl(records)


def option(section: str, *declarations: str, **attributes: Any) -> Callable[[F], F]:
    """`click.option` under the heading `section`."""
    return click.option(*declarations, cls=SectionOption, section=section, **attributes)
