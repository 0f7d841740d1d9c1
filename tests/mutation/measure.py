"""Makes each mutant, runs gfpcheck over it and what is around it, and sees whether the hazard is reported."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from gfpcheck.driver.options import Options, RunError
from gfpcheck.driver.run import run
from gfpcheck.findings import Confidence, Finding, Report
from gfpcheck.kbuild import make_plan

from .claims import Claim, edited
from .ctext import Source
from .overlay import Overlay

Signature = tuple[object, ...]
_PROBE = "the mutant is compiled"
REPORTED_BEFORE = "the unchanged site is reported already"
NOT_COMPILED = "the configuration leaves the site out"
MANY = 150
"""C files of a directory up to which all of it is analysed; of a larger one, what the evidence goes through."""

Progress = Callable[[int, int, str], None]
"""Called with (mutants done, of how many, where now)."""


class Verdict(NamedTuple):
    """What gfpcheck said of a mutant. `confidence` None: nothing. `note`: what is known of the reason for a miss;
    `shows_nothing`: why the mutant is no measure, "" if it is one."""

    claim: Claim
    rule: str
    confidence: Confidence | None
    note: str = ""
    shows_nothing: str = ""

    @property
    def detected(self) -> bool:
        """Shown by default, that is with medium confidence at least."""
        return self.confidence is not None and self.confidence.rank >= Confidence.MEDIUM.rank


class Measurement:
    """Runs over one tree. `work` is a folder for the overlay and gfpcheck's cache; `work/tree` must not exist."""

    def __init__(self, root: Path, work: Path) -> None:
        self._root = root
        self._overlay = Overlay(root, work / "tree")
        self._cache = work / "cache"

    def verdicts(self, claims: Iterable[Claim], progress: Progress) -> Iterator[Verdict]:
        """A verdict for each claim, those that are analysed together in a row."""
        ordered = sorted(claims, key=lambda claim: (self._analysed(claim), claim.file, claim.edits))
        done = 0
        for names, here in itertools.groupby(ordered, key=self._analysed):
            progress(done, len(ordered), names[0])
            report = self._run(names)
            before = [] if isinstance(report, str) else list(report.findings)
            known = {_signature(finding) for finding in before}
            for claim in here:
                yield self._verdict(claim, names, before, known)
                done += 1
                progress(done, len(ordered), claim.place)

    def _analysed(self, claim: Claim) -> tuple[str, ...]:
        """What gfpcheck is given: the directory, or some files of a large one."""
        if sum(path.suffix == ".c" for path in (self._root / claim.folder).iterdir()) <= MANY:
            return (claim.folder,)
        return tuple(sorted({claim.file, *(step.file for step in claim.why)}))

    def _verdict(self, claim: Claim, names: tuple[str, ...], before: list[Finding], known: set[Signature]) -> Verdict:
        if claim.hazard != "hoisted" and any(_is_of(finding, claim) for finding in before):
            return Verdict(claim, "", None, shows_nothing=REPORTED_BEFORE)
        text = edited(Source.read(self._root, claim.file).text, claim.edits)
        with self._overlay.changed(claim.file, text):
            after = self._run(names)
        findings = () if isinstance(after, str) else after.findings
        found = [f for f in findings if _is_of(f, claim) and _signature(f) not in known]
        best = max(found, key=lambda finding: finding.confidence.rank, default=None)
        if best is not None:
            return Verdict(claim, best.rule, best.confidence)
        if not self._compiled(claim, text):
            return Verdict(claim, "", None, shows_nothing=NOT_COMPILED)
        if isinstance(after, str):
            return Verdict(claim, "", None, after)
        lost = [loss.why for loss in after.losses if claim.file in loss.what]
        return Verdict(claim, "", None, f"not everything of the file was looked at: {lost[0]}" if lost else "")

    def _compiled(self, claim: Claim, text: str) -> bool:
        """True if the preprocessor comes to the site: it says so there."""
        if claim.file in dict(make_plan(self._paths((claim.folder,)), cache_dir=self._cache).skipped):
            return False
        lines = text.split("\n")
        probed = "\n".join([*lines[: claim.lines[0] - 1], f"#error {_PROBE}", *lines[claim.lines[0] - 1 :]])
        with self._overlay.changed(claim.file, probed):
            report = self._run((claim.file,))
        return _PROBE in report if isinstance(report, str) else any(_PROBE in loss.why for loss in report.losses)

    def _paths(self, names: tuple[str, ...]) -> tuple[Path, ...]:
        for name in names:
            self._overlay.folder(name if not name.endswith(".c") else name.rpartition("/")[0])
        return tuple(self._overlay.place / name for name in names)

    def _run(self, names: tuple[str, ...]) -> Report | str:
        """The report, or why there is none."""
        try:
            return run(Options(paths=self._paths(names), jobs=1, cache_dir=self._cache))
        except RunError as error:
            return str(error)


def _signature(finding: Finding) -> Signature:
    """What tells whether a finding was there before: where it is and ends, and the other places that it names."""
    return finding.rule, finding.place, finding.flow[-1].place, tuple(sorted(_also(finding)))


def _also(finding: Finding) -> set[tuple[str, int]]:
    return {(place["file"], place["line"]) for place in finding.properties.get("also", ())}


def _is_of(finding: Finding, claim: Claim) -> bool:
    """True if the finding is of the family that is expected, and passes the site."""
    places = {(step.place.file, step.place.line) for step in finding.flow} | _also(finding)
    first, last = claim.lines
    return finding.rule.startswith(claim.family) and any(
        file == claim.file and first <= line <= last for file, line in places
    )
