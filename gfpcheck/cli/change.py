"""`gfpcheck diff` and `gfpcheck patch`: what a change introduces."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec

from gfpcheck.changes import ChangeError, Patch, Side, apply_patches, find_range, read_patches
from gfpcheck.cli.check import exit_code, threshold
from gfpcheck.cli.options import PATH, Results, Selection, Sources, follow_option, results, selection, where
from gfpcheck.cli.output import outputs, write_report
from gfpcheck.cli.request import Settings, policy, reporting, run_options, settings, working
from gfpcheck.cli.sections import INPUT, SectionCommand, option
from gfpcheck.findings import Report

Sides = Callable[[Path], Sequence[Side]]
"""The tree before and after the change, and between the patches of a series, from the root of the tree."""

within_option = option(
    INPUT,
    "--within",
    type=PATH,
    multiple=True,
    metavar="PATH",
    help="Analyse these. Default: what is built together with the changed files.",
)


@click.command(cls=SectionCommand, short_help="Report what a change in git introduces.")
@click.argument("revisions", metavar="[BASE[..HEAD]]", default="")
@option(INPUT, "--staged", is_flag=True, help="What is staged, instead of the working tree.")
@within_option
@where
@follow_option
@selection
@results
def diff(revisions: str, staged: bool, **asked: Any) -> int:
    """Report what a change introduces: findings after it that were not there before, wherever they stand.

    \b
    gfpcheck diff                the working tree against HEAD
    gfpcheck diff --staged       what is staged against HEAD
    gfpcheck diff v6.12          the working tree against a revision
    gfpcheck diff main..topic    one revision against another
    gfpcheck diff main...topic   against where they parted

    An unchanged allocation that a new lock covers is new, too. A finding stands at the changed line that brought it.
    Files are analysed together with those that the same Makefile builds. Nothing in the tree or the index changes.
    """

    def sides(root: Path) -> Sequence[Side]:
        return find_range(root, revisions, staged)

    return _report(sides, **asked)


@click.command(cls=SectionCommand, short_help="Report what patches introduce.")
@click.argument("files", type=PATH, nargs=-1, required=True, metavar="FILE...")
@within_option
@where
@follow_option
@selection
@results
def patch(files: tuple[Path, ...], **asked: Any) -> int:
    """Report what patches introduce that are applied, one on the other, to the tree that one stands in.

    FILE is a unified diff, what `git format-patch` writes, or a series as an mbox; - is standard input. The tree is
    left as it is. Of a series, each finding says which patch brought it.
    """

    def sides(root: Path) -> Sequence[Side]:
        before = Side(root, "the working tree", {})
        patches = [each for file in files for each in _read(file)]
        if not patches:
            raise ChangeError(f"{', '.join(map(str, files))}: there is no patch in it")
        return [before, *(side for _, side in apply_patches(before, patches))]

    return _report(sides, **asked)


def _read(file: Path) -> list[Patch]:
    if str(file) == "-":
        return read_patches(sys.stdin.buffer.read(), "standard input")
    try:
        return read_patches(file.read_bytes(), str(file))
    except OSError as error:
        raise ChangeError(f"{file}: {error.strerror or error}") from error


def _report(find_sides: Sides, *, wanted: Results, sources: Sources, **asked: Any) -> int:
    destinations = outputs(wanted.places, wanted.fmt)
    found = settings(sources.config_file, (Path.cwd(),))
    result = introduced(find_sides, found, sources, quiet=wanted.quiet, jobs=wanted.jobs, **asked)
    code = exit_code(result, threshold(wanted, found.config), wanted.strict)
    result = msgspec.structs.replace(result, exit_code=int(code))
    write_report(result, destinations, wanted.verbose, wanted.quiet)
    return code


def introduced(
    find_sides: Sides,
    found: Settings,
    sources: Sources,
    *,
    quiet: bool,
    within: tuple[Path, ...],
    follow: int | None,
    selected: Selection,
    jobs: int | None,
) -> Report:
    """The report of what a change introduces to the tree that one stands in, by the settings `found` and what the
    options of the same names say. Raises ClickException."""
    # Takes longer than --help and completions should.
    from gfpcheck.driver.compare import compare
    from gfpcheck.kbuild import find_tree

    if sources.compile_commands is not None:
        raise click.UsageError("--compile-commands names files of one tree, and a change has two")
    here = Path.cwd()
    kernel = find_tree(here.resolve())
    root = here.resolve() if kernel is None else kernel.root
    options = run_options((root,), found, sources, follow=follow, jobs=jobs, quiet=quiet)
    options = reporting(options, found, selected, policy(found.config, suppressions=selected.suppressions))
    with working(quiet) as progress:
        try:
            names = [_below(root, path) for path in within]
            return compare(find_sides(root), names, options, progress)
        except ChangeError as error:
            raise click.ClickException(str(error)) from error


def _below(root: Path, path: Path) -> str:
    """The path, spelled from the root of the tree. Raises ChangeError."""
    try:
        return str(path.resolve().relative_to(root)) or "."
    except (OSError, RuntimeError, ValueError) as error:
        raise ChangeError(f"--within {path}: not below {root}") from error
