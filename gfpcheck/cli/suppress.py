"""`gfpcheck suppress`: an entry in a file of suppressions for a finding."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import click

from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, Sources, follow_option, rules_option, where
from gfpcheck.cli.output import check_places
from gfpcheck.cli.request import own_rules, policy, run_options, settings, words, working
from gfpcheck.cli.sections import OUTPUT, REPORTED, SectionCommand, option
from gfpcheck.cli.terminal import say
from gfpcheck.findings import Finding, Report
from gfpcheck.triage import NAME, TriageError, add_accepted

_FINGERPRINT = re.compile(r"[0-9a-f]{8,32}")


@click.command(cls=SectionCommand, short_help="Accept a finding, with a reason, outside of the source.")
@click.argument("finding", metavar="FINDING")
@click.argument("paths", type=PATH, nargs=-1, metavar="[PATH...]")
@option(REPORTED, "--reason", required=True, metavar="TEXT", help="Why it may stay.")
@option(REPORTED, "--select", multiple=True, metavar="RULE", help="Only findings of these rules.")
@rules_option
@option(OUTPUT, "-o", "--output", type=PATH, metavar="FILE", help=f"Default: that of gfpcheck.toml, else {NAME} here.")
@where
@follow_option
def suppress(
    finding: str,
    paths: tuple[Path, ...],
    reason: str,
    select: tuple[str, ...],
    rule_dirs: tuple[Path, ...],
    output: Path | None,
    sources: Sources,
    follow: int | None,
) -> int:
    """Add FINDING to a file of suppressions, which `--suppressions FILE` or gfpcheck.toml then names.

    FINDING is a fingerprint, as `-v` shows it, or its beginning; or FILE:LINE, for all that is found in that line. The
    PATHs are those with which it was found. Default: the file.

    \b
    Example: gfpcheck suppress fs/xfs/xfs_mount.c:87 fs/xfs --reason "at mount, ..."
    """
    # Takes longer than --help and completions should.
    from gfpcheck.driver.run import run

    if not reason.strip():
        raise click.ClickException("--reason says nothing")
    file, line = _place(finding)
    if not paths and file is None:
        raise click.UsageError("name the PATH with which the finding was found", click.get_current_context())
    paths = paths or (file,) if file is not None else paths
    found = settings(sources.config_file, paths)
    config = found.config
    target = output or Path(*config.suppressions[:1] or [NAME])
    check_places([target])
    options = replace(
        run_options(paths, found, sources, follow=follow),
        select=words(select) or config.select,
        ignore=() if select else config.ignore,
        rule_dirs=own_rules(found, rule_dirs),
        policy=policy(config),
    )
    with working() as progress:
        result = run(options, progress)
    if file is None:
        chosen = [each for each in result.findings if each.fingerprint.startswith(finding)]
    else:
        chosen = [each for each in result.findings if _is_at(each, result, file, line)]
    if not chosen:
        raise click.ClickException(f"there is no such finding: {finding}")
    try:
        added = add_accepted(target, [entry for each in chosen for entry in each.entries()], reason)
    except TriageError as error:
        raise click.ClickException(str(error)) from error
    say(f"{added} {'entry' if added == 1 else 'entries'} added to {target}" if added else f"{target} has it already")
    return Exit.CLEAN


def _place(finding: str) -> tuple[Path | None, int]:
    """File and line, or None for a fingerprint. Raises UsageError for anything else."""
    name, _, line = finding.rpartition(":")
    if name and line.isdecimal():
        return Path(name), int(line)
    if _FINGERPRINT.fullmatch(finding):
        return None, 0
    context = click.get_current_context()
    raise click.UsageError(f"{finding!r} is neither a fingerprint (8 digits of it at least) nor FILE:LINE", context)


def _is_at(finding: Finding, result: Report, file: Path, line: int) -> bool:
    """True for a finding in that line; the file is named from here, or as the report does."""
    if finding.place.line != line:
        return False
    own = os.path.realpath(Path(result.root, finding.place.file))
    return finding.place.file == str(file) or own == os.path.realpath(file)
