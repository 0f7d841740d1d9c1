"""The test of a rule directory: its rules run over its fixtures, and what came is compared with the marks."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from gfpcheck.authoring.compare import compare, found_in
from gfpcheck.authoring.marks import Mark, MarkError, MarkReader
from gfpcheck.driver.options import Options, RunError
from gfpcheck.driver.rules import known_rules, rule_modules
from gfpcheck.driver.run import run
from gfpcheck.findings import Confidence, Report
from gfpcheck.rule_api import Rule

FIXTURES = "fixtures"


@dataclass(frozen=True)
class Trial:
    """What a test has shown: `complaints` is empty when all is as it should be.

    Files of marks are relative to the current directory. `hidden` counts the expected findings of a confidence so low
    that `gfpcheck check` hides them by default.
    """

    rules: tuple[type[Rule], ...]
    marks: tuple[Mark, ...]
    report: Report
    complaints: tuple[str, ...]
    hidden: int


def try_directory(directory: Path, options: Options) -> Trial:
    """Run the rules of `directory`, and those that a mark names, over its folder "fixtures".

    `options` say where a kernel is and which models there are; paths and rules are set here. Raises RunError when
    the test cannot be run: no fixtures, a mark that is none, a rule that cannot be loaded.
    """
    fixtures = directory / FIXTURES
    if not directory.is_dir():
        raise RunError(f"{directory}: no such directory")
    if not fixtures.is_dir():
        raise RunError(f"{directory} has no fixtures: it should hold rules, and C files in a folder {FIXTURES!r}")
    directories = (directory,) if rule_modules(directory) else ()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", DeprecationWarning)
        known = known_rules(directories)
        own = tuple(each.rule for each in known if Path(each.place).parent == directory)
        try:
            marks = MarkReader([each.rule.id for each in known]).folder(fixtures, fixtures)
        except (MarkError, OSError) as error:
            raise RunError(str(error)) from error
        wanted = sorted({rule.id for rule in own} | {mark.rule for mark in marks})
        if not wanted:
            raise RunError(f"{directory} tests nothing: there is no rule in it, and no mark in its fixtures")
        report = run(replace(options, paths=(fixtures,), rule_dirs=directories, select=tuple(wanted)))
    tested = tuple(each.rule for each in known if each.rule.id in wanted)
    marks = [mark._replace(file=os.path.relpath(fixtures / mark.file)) for mark in marks]
    found = [each._replace(file=os.path.relpath(Path(report.root, each.file))) for each in found_in(report)]
    complaints = compare(marks, found, Path())
    complaints += [f"{loss.what}: {loss.why}" for loss in report.losses]
    complaints += _untested(own, marks)
    complaints += _deprecated(warned, directory)
    low = sum(finding.confidence is Confidence.LOW for finding in report.findings)
    return Trial(tested, tuple(marks), report, tuple(complaints), low)


def _untested(rules: Sequence[type[Rule]], marks: Sequence[Mark]) -> Iterator[str]:
    """What no fixture could show to be wrong."""
    for rule in rules:
        kinds = {mark.kind for mark in marks if mark.rule == rule.id}
        if "must" not in kinds:
            yield f"{rule.id} {rule.name}: no fixture expects it, so nothing shows that it finds anything"
        if "not" not in kinds:
            yield f"{rule.id} {rule.name}: no fixture says what it must not report"


def _deprecated(warned: Sequence[warnings.WarningMessage], directory: Path) -> list[str]:
    """What the rules use of the rule API that will go away."""
    own = directory.absolute()
    lines = (
        f"{each.filename}:{each.lineno}: deprecated: {each.message}"
        for each in warned
        if issubclass(each.category, DeprecationWarning) and Path(each.filename).absolute().is_relative_to(own)
    )
    return list(dict.fromkeys(lines))
