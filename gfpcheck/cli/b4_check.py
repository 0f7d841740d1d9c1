"""`gfpcheck b4-check`: a check command for b4."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gfpcheck.changes import ChangeError, Side, apply_patches, commit_of, find_range, read_patches
from gfpcheck.cli.change import introduced, within_option
from gfpcheck.cli.check import exit_code
from gfpcheck.cli.options import Sources, follow_option, jobs_option, selection, where
from gfpcheck.cli.output import print_report
from gfpcheck.cli.request import settings
from gfpcheck.cli.sections import OUTPUT, SectionCommand, option
from gfpcheck.report import b4


@click.command("b4-check", cls=SectionCommand, short_help="Check one patch for b4, on standard input.")
@option(OUTPUT, "--json", "as_json", is_flag=True, help="Answer in JSON, as `b4 review` wants it.")
@within_option
@where
@follow_option
@selection
@jobs_option
def b4_check(as_json: bool, sources: Sources, **asked: Any) -> int:
    """Report what the patch on standard input introduces, in a way that b4 understands.

    \b
    git config b4.prep-perpatch-check-cmd "gfpcheck b4-check"             b4 prep --check
    git config b4.am-perpatch-check-cmd "gfpcheck b4-check"               b4 am --check
    git config b4.review-perpatch-check-cmd "gfpcheck b4-check --json"    b4 review

    A patch that is one of the last commits of HEAD already, as those of a prepared series are, is compared with the
    commit before it; any other is applied to the working tree, which is left as it is.
    """
    found = settings(sources.config_file, (Path.cwd(),))
    result = introduced(_sides, found, sources, quiet=True, **asked)
    print_report(result, b4.write_json if as_json else b4.write_lines)
    return exit_code(result, found.config.fail_on, strict=False)


def _sides(root: Path) -> Sequence[Side]:
    patches = read_patches(sys.stdin.buffer.read(), "standard input")
    if len(patches) != 1:
        raise ChangeError(f"standard input: one patch is expected, and there are {len(patches)}")
    commit = commit_of(root, patches[0].diff)
    if commit is not None:
        return find_range(root, f"{commit}^..{commit}", staged=False)
    before = Side(root, "the working tree", {})
    return [before, *(side for _, side in apply_patches(before, patches))]
