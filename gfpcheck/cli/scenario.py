"""`gfpcheck scenario`: the deadlock that a finding may end in, drawn task by task."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from gfpcheck import report as reporting
from gfpcheck.cli.exits import Exit
from gfpcheck.cli.options import PATH, Sources, follow_option, jobs_option, where
from gfpcheck.cli.output import outputs, write_report
from gfpcheck.cli.request import own_rules, run_options, settings, working
from gfpcheck.cli.sections import INPUT, OUTPUT, SectionCommand, option
from gfpcheck.findings import Finding, Report

_FINGERPRINT = re.compile(r"[0-9a-f]{8,32}")


class _Place(NamedTuple):
    """A line of a file, as it was written; line 0: all of them."""

    file: Path
    line: int


@click.command(cls=SectionCommand, short_help="Draw the deadlock that a finding may end in.")
@click.argument("what", metavar="FINDING|FILE[:LINE]")
@option(INPUT, "--within", type=PATH, multiple=True, metavar="PATH", help="Analyse this. Default: the file's folder.")
@where
@follow_option
@option(OUTPUT, "--format", "fmt", type=click.Choice(reporting.SCENARIO_FORMATS), default="text", help="Default: text.")
@option(OUTPUT, "-o", "--output", "places", multiple=True, metavar="FILE", help="Write it here, all or nothing.")
@jobs_option
def scenario(
    what: str,
    within: tuple[Path, ...],
    sources: Sources,
    follow: int | None,
    fmt: str,
    places: tuple[str, ...],
    jobs: int | None,
) -> int:
    """Draw the deadlock that a finding of GFP201, GFP301 or GFP302 may end in, as the thread "How to handle TIF_MEMDIE
    stalls?" draws it: taskA holds a lock and allocates, taskB, the victim of the OOM killer, waits for the lock and
    cannot be killed there, taskC asks for memory and invokes the OOM killer.

    FINDING is a fingerprint (`gfpcheck -v` shows it), or the first eight digits of it or more; FILE:LINE a line that a
    finding is about, whatever its confidence. What a task does before and after is seen as far as it is analysed:
    `--within fs/xfs` takes the whole file system.
    """
    # Takes longer than --help and completions should.
    from gfpcheck.driver.run import run

    place = _place(what)
    if place is None and not _FINGERPRINT.fullmatch(what):
        raise click.ClickException(f"{what}: no such file, and no fingerprint of a finding")
    paths = within or ((place.file if place.file.is_dir() else place.file.parent,) if place is not None else (Path(),))
    found = settings(sources.config_file, paths)
    destinations = outputs(places, fmt)
    options = run_options(paths, found, sources, follow=follow, jobs=jobs)
    with working() as progress:
        result = run(replace(options, scenarios=True, rule_dirs=own_rules(found)), progress)
    chosen = _chosen(result, place, what)
    if not chosen:
        raise click.ClickException(f"{what}: no finding there that may end in a deadlock")
    write_report(msgspec.structs.replace(result, findings=chosen), destinations, False, True)
    return Exit.CLEAN


def _place(what: str) -> _Place | None:
    """The file and line that are meant; a file may have a colon in its name."""
    name, _, line = what.rpartition(":")
    if name and line.isdecimal() and Path(name).is_file():
        return _Place(Path(name), int(line))
    return _Place(Path(what), 0) if Path(what).is_file() else None


def _chosen(result: Report, place: _Place | None, what: str) -> tuple[Finding, ...]:
    """The findings that are meant: those reported at the place; if there is none, those that stand for one there, or
    whose path comes there."""
    drawn = [finding for finding in result.findings if finding.scenario is not None]
    if place is None:
        return tuple(finding for finding in drawn if finding.fingerprint.startswith(what))
    name = os.path.relpath(place.file.resolve(), os.path.realpath(result.root))

    def is_there(file: str, line: int) -> bool:
        return file == name and place.line in (0, line)

    at = [finding for finding in drawn if is_there(finding.place.file, finding.place.line)]
    also = [f for f in drawn if any(is_there(each["file"], each["line"]) for each in f.properties.get("also", ()))]
    through = [f for f in drawn if any(is_there(step.place.file, step.place.line) for step in f.flow)]
    return tuple(at or also or through)
