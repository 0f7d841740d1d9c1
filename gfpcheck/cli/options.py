"""Options that several commands share, and what they were given."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import click

from gfpcheck.cli import completion
from gfpcheck.cli.config import FOLLOW
from gfpcheck.cli.sections import EXIT, INPUT, OUTPUT, REPORTED, RUNNING, option
from gfpcheck.findings import Confidence, Level
from gfpcheck.report import FORMATS

PATH = click.Path(path_type=Path)

_CONFIG = option(
    RUNNING, "--config", "config_file", type=PATH, metavar="FILE", help="Default: the nearest gfpcheck.toml."
)
_MODEL = option(INPUT, "--model", "models", type=PATH, multiple=True, metavar="FILE", help="More models (TOML).")
no_cache_option = option(RUNNING, "--no-cache", is_flag=True, help="Keep nothing between runs.")
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

jobs_option = option(
    RUNNING,
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Worker processes. Default: one per processor.",
)

THRESHOLDS = [*(level.value for level in Level), "never"]
CONFIDENCES = [confidence.value for confidence in Confidence]
_SELECTION = (
    option(
        REPORTED,
        "--select",
        multiple=True,
        metavar="RULE",
        shell_complete=completion.rules,
        help="Only these: ids, prefixes, names, or all.",
    ),
    option(REPORTED, "--ignore", multiple=True, metavar="RULE", shell_complete=completion.rules, help="Not these."),
    rules_option,
    option(REPORTED, "--min-confidence", type=click.Choice(CONFIDENCES), help="Hide findings below. Default: medium."),
    suppressions_option,
)
_RESULTS = (
    option(OUTPUT, "--format", "fmt", type=click.Choice(FORMATS), default="text", help="Default: text."),
    option(
        OUTPUT,
        "-o",
        "--output",
        "places",
        multiple=True,
        metavar="[FORMAT=]FILE",
        shell_complete=completion.files,
        help="Write the results here, all or nothing; - is standard output. May be given several times.",
    ),
    option(OUTPUT, "-v", "--verbose", is_flag=True, help="Show every step, and name what was not analysed."),
    option(OUTPUT, "-q", "--quiet", is_flag=True, help="Nothing but findings and errors."),
    option(EXIT, "--fail-on", type=click.Choice(THRESHOLDS), help="Exit 1 from this level on. Default: warning."),
    option(EXIT, "--exit-zero", is_flag=True, help="Exit 0 whatever is found."),
    option(EXIT, "--strict", is_flag=True, help="Exit 2 when anything could not be analysed."),
    jobs_option,
)

_WHERE = (
    option(INPUT, "--arch", metavar="ARCH", help="Architecture, as in arch/. Default: the tree's, else x86."),
    option(INPUT, "--build-dir", type=PATH, metavar="DIR", help="Build directory of the tree (make O=DIR)."),
    option(INPUT, "--compile-commands", type=PATH, metavar="FILE", help="The compile_commands.json to use."),
    option(INPUT, "--tree", type=PATH, metavar="DIR", help="Kernel tree of an out-of-tree module."),
    _MODEL,
    _CONFIG,
    no_cache_option,
)


@dataclass(frozen=True)
class Sources:
    """Where the sources are and what is known of them."""

    arch: str | None = None
    build_dir: Path | None = None
    compile_commands: Path | None = None
    tree: Path | None = None
    models: tuple[Path, ...] = ()
    config_file: Path | None = None
    no_cache: bool = False


@dataclass(frozen=True)
class Selection:
    """What is reported."""

    select: tuple[str, ...]
    ignore: tuple[str, ...]
    rule_dirs: tuple[Path, ...]
    min_confidence: str | None
    suppressions: tuple[Path, ...]


@dataclass(frozen=True)
class Results:
    """Where results go, and what the exit code tells of them."""

    fmt: str
    places: tuple[str, ...]
    verbose: bool
    quiet: bool
    fail_on: str | None
    exit_zero: bool
    strict: bool
    jobs: int | None


Command = Callable[..., Any]


def _together(
    kind: type[Any], name: str, options: Sequence[Callable[[Command], Command]]
) -> Callable[[Command], Command]:
    """A decorator for commands: `options`, whose values the command is given as one object of `kind`, called `name`."""
    members = [field.name for field in fields(kind)]

    def decorate(command: Command) -> Command:
        @functools.wraps(command)
        def with_all(**asked: Any) -> Any:
            asked[name] = kind(**{member: asked.pop(member) for member in members})
            return command(**asked)

        decorated: Command = with_all
        for one in reversed(options):
            decorated = one(decorated)
        return decorated

    return decorate


where = _together(Sources, "sources", _WHERE)
selection = _together(Selection, "selected", _SELECTION)
results = _together(Results, "wanted", _RESULTS)


def rule_sources(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which rules there are."""
    return rules_option(_CONFIG(command))


def model_sources(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which models there are."""
    return _MODEL(_CONFIG(command))
