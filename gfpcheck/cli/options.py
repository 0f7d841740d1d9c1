"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from gfpcheck.cli.config import FOLLOW
from gfpcheck.cli.sections import INPUT, REPORTED, RUNNING, option

PATH = click.Path(path_type=Path)

_CONFIG = option(
    RUNNING, "--config", "config_file", type=PATH, metavar="FILE", help="Default: the nearest gfpcheck.toml."
)
_MODEL = option(INPUT, "--model", "models", type=PATH, multiple=True, metavar="FILE", help="More models (TOML).")
rules_option = option(
    REPORTED, "--rules", "rule_dirs", type=PATH, multiple=True, metavar="DIR", help="Also the rules in DIR."
)
suppressions_option = option(
    REPORTED,
    "--suppressions",
    type=PATH,
    multiple=True,
    metavar="FILE",
    help="Findings that may stay, with reasons (TOML).",
)

follow_option = option(
    INPUT,
    "--follow",
    type=click.IntRange(min=0),
    metavar="N",
    help=f"Look into functions of other files, N files away. Default: {FOLLOW}.",
)

_WHERE = (
    option(INPUT, "--arch", metavar="ARCH", help="Architecture, as in arch/. Default: the tree's, else x86."),
    option(INPUT, "--build-dir", type=PATH, metavar="DIR", help="Build directory of the tree (make O=DIR)."),
    option(INPUT, "--compile-commands", type=PATH, metavar="FILE", help="The compile_commands.json to use."),
    option(INPUT, "--tree", type=PATH, metavar="DIR", help="Kernel tree of an out-of-tree module."),
    _MODEL,
    _CONFIG,
    option(RUNNING, "--no-cache", is_flag=True, help="Keep nothing between runs."),
)


def where(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say where the sources are and what is known of them."""
    for one in reversed(_WHERE):
        command = one(command)
    return command


def rule_sources(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which rules there are."""
    return rules_option(_CONFIG(command))


def model_sources(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which models there are."""
    return _MODEL(_CONFIG(command))
