"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

PATH = click.Path(path_type=Path)


def where(command: Callable[..., Any]) -> Callable[..., Any]:
    """--arch, --build-dir, --compile-commands, --tree, --no-cache."""
    for option in reversed(
        (
            click.option("--arch", default=None, help="Architecture, as in arch/. Default: x86."),
            click.option("--build-dir", type=PATH, help="Build directory of the tree (make O=DIR)."),
            click.option("--compile-commands", type=PATH, metavar="FILE", help="A compile_commands.json to use."),
            click.option("--tree", type=PATH, metavar="DIR", help="Root of the kernel tree, if it cannot be found."),
            click.option("--no-cache", is_flag=True, help="Keep nothing between runs."),
        )
    ):
        command = option(command)
    return command
