"""`gfpcheck man`: the manual page, made of what `--help` says."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import click

from gfpcheck import __version__
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.output import print_lines

_ENVIRONMENT = (
    ("GFPCHECK_CACHE", "Where to keep what runs find out. Default: gfpcheck/ in XDG_CACHE_HOME or ~/.cache."),
    ("NO_COLOR, FORCE_COLOR", "Never, or always, use colour. Default: on a terminal."),
)


@click.command(short_help="Print the manual page.")
@click.pass_context
def man(ctx: click.Context) -> int:
    """Print the manual page, for man(1): `gfpcheck man > ~/.local/share/man/man1/gfpcheck.1`."""
    print_lines(_page(ctx.find_root()))
    return Exit.CLEAN


def _page(root: click.Context) -> Iterator[str]:
    """The page in the macros of man(7)."""
    group = root.command
    assert isinstance(group, click.Group)
    yield f'.TH GFPCHECK 1 "" "gfpcheck {__version__}" "User Commands"'
    yield ".SH NAME"
    yield r"gfpcheck \- find memory allocations made in the wrong context in kernel C"
    yield ".SH SYNOPSIS"
    yield r".B gfpcheck"
    yield r"[\fIOPTIONS\fR] \fIPATH\fR..."
    yield ".br"
    yield r".B gfpcheck"
    yield r"\fICOMMAND\fR [\fIARGS\fR]..."
    yield ".SH DESCRIPTION"
    yield from _prose(group.help or "")
    for name, command in group.commands.items():
        yield from _command(command, click.Context(command, info_name=name, parent=root), "SH", f"gfpcheck {name}")
    yield ".SH ENVIRONMENT"
    for name, text in _ENVIRONMENT:
        yield from _item(name, text)
    yield ".SH FILES"
    yield from _item("gfpcheck.toml", "Settings of a project: the nearest one at or above the first path.")


def _command(command: click.Command, ctx: click.Context, macro: str, title: str) -> Iterator[str]:
    yield f'.{macro} "{_text(title).upper() if macro == "SH" else _text(title)}"'
    usage = " ".join(command.collect_usage_pieces(ctx))
    yield ".B " + _text(title)
    yield _text(usage)
    yield ".PP"
    yield from _prose(command.help or "")
    for parameter in command.get_params(ctx):
        record = parameter.get_help_record(ctx)
        if record is not None and isinstance(parameter, click.Option):
            yield from _item(*record)
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            inner = click.Context(below, info_name=name, parent=ctx)
            yield from _command(below, inner, "SS", f"{title} {name}")


def _prose(text: str) -> Iterator[str]:
    """Paragraphs of click's help; those that begin with a backspace keep their lines."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", text.strip())):
        if number:
            yield ".PP"
        if paragraph.lstrip().startswith("\b"):
            yield ".nf"
            yield from map(_text, textwrap.dedent(paragraph.replace("\b", "")).strip("\n").splitlines())
            yield ".fi"
        else:
            yield _text(" ".join(paragraph.split()))


def _item(term: str, text: str) -> Iterator[str]:
    yield ".TP"
    yield r"\fB" + _text(term) + r"\fR"
    yield _text(" ".join(text.split()))


def _text(text: str) -> str:
    """Text that troff takes literally."""
    text = (
        text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq").replace("'", r"\(aq").replace("`", r"\(ga")
    )
    return rf"\&{text}" if text.startswith(".") else text
