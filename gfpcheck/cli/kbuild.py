"""`gfpcheck kbuild`: a checker for Kbuild, as sparse is."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from pathlib import Path

import click

from gfpcheck.cli.check import exit_code
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import (
    THRESHOLDS,
    Selection,
    Sources,
    follow_option,
    model_sources,
    no_cache_option,
    selection,
)
from gfpcheck.cli.request import policy, reporting, run_options, settings
from gfpcheck.cli.sections import EXIT, SectionCommand, option
from gfpcheck.cli.terminal import internal_error, say
from gfpcheck.findings import Report
from gfpcheck.report import gcc
from gfpcheck.report.lines import encodable, one_line


class _Checker(SectionCommand):
    """A command whose options end where the compiler's flags begin: at the first word with one dash that is none of its
    own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = {name: one for one in self.get_params(ctx) if isinstance(one, click.Option) for name in one.opts}
        index = 0
        while index < len(args):
            name, equals, _ = args[index].partition("=")
            if name not in options:
                break
            index += 1 if equals or options[name].is_flag else 2
        mine, rest = args[:index], args[index:]
        flags = rest and rest[0].startswith("-") and not rest[0].startswith("--")
        return super().parse_args(ctx, [*mine, "--", *rest] if flags else args)


@click.command(cls=_Checker, short_help='Check files while they are built: make C=1 CHECK="gfpcheck kbuild".')
@click.argument("compiler", nargs=-1, required=True, type=click.UNPROCESSED, metavar="FLAGS... FILE")
@follow_option
@selection
@model_sources
@no_cache_option
@option(
    EXIT,
    "--fail-on",
    type=click.Choice(THRESHOLDS),
    default="never",
    help="Exit 1, which ends make, from this level on.",
)
@option(EXIT, "--strict", is_flag=True, help="Exit 2 when anything could not be analysed.")
def kbuild(
    compiler: tuple[str, ...],
    follow: int | None,
    selected: Selection,
    models: tuple[Path, ...],
    config_file: Path | None,
    no_cache: bool,
    fail_on: str,
    strict: bool,
) -> int:
    """Check one C file with exactly the flags that Kbuild compiles it with, as make runs sparse.

    \b
    make C=1 CHECK="gfpcheck kbuild" fs/xfs/    what is compiled again
    make C=2 CHECK="gfpcheck kbuild" fs/xfs/    everything
    make -C HEADERS M=$PWD C=2 CHECK="gfpcheck kbuild"

    Findings are written to standard error in gcc's format. What gfpcheck finds, and what it cannot look at, does not
    end make unless --fail-on or --strict say so. Options stand before the compiler's flags.
    """
    # Takes longer than --help and completions should.
    from gfpcheck.driver.options import RunError
    from gfpcheck.driver.run import run
    from gfpcheck.kbuild import PlanError, read_check

    try:
        checked = read_check(compiler, str(Path.cwd()))
    except PlanError as error:
        raise click.ClickException(str(error)) from error
    sources = Sources(
        build_dir=checked.build, tree=checked.tree, models=models, config_file=config_file, no_cache=no_cache
    )
    found = settings(config_file, (checked.path,))
    options = run_options((checked.path,), found, sources, follow=follow, jobs=1, quiet=True)  # make runs several
    options = reporting(options, found, selected, policy(found.config, suppressions=selected.suppressions))
    options = replace(options, command=checked.command)
    try:
        result = run(options)
    except RunError as error:
        reason = str(error)
    except Exception as error:  # a bug of ours must not end make either
        reason = internal_error(error)
    else:
        _tell(result, checked.name)
        return exit_code(result, fail_on, strict)
    say(f"{checked.name}: {reason}")
    return Exit.FAILED if strict else Exit.CLEAN


def _tell(result: Report, name: str) -> None:
    """Writes the findings to standard error, and what of the file `name` was not looked at."""
    if sys.stderr is None:
        return
    with contextlib.suppress(OSError):  # as with any message: nobody can read it there
        gcc.write(result, encodable(sys.stderr), _spelling(result, name))
        sys.stderr.flush()
    if result.losses:
        first, more = result.losses[0], len(result.losses) - 1
        others = f" (and {more} more)" if more else ""
        say(f"{name}: not everything could be looked at: {one_line(f'{first.what}: {first.why}')}{others}")


def _spelling(result: Report, name: str) -> str:
    """What make puts before the names of files of the tree, when it calls the only file of the result `name`."""
    (file,) = result.files
    return name.removesuffix(file) if name.endswith(file) else f"{result.root}/"
