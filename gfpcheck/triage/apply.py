"""From all that was found to what is reported: settings by path, confidence, suppressions, the baseline."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from gfpcheck.findings import Confidence, Entry, Finding, Known, Report, RuleInfo, distinct, match, names_rule, numbered
from gfpcheck.rule_api import Rule
from gfpcheck.rule_api.ignores import IgnoreRule
from gfpcheck.triage.ignores import Suppressions
from gfpcheck.triage.policy import PathSettings, Policy


@dataclass(frozen=True)
class Request:
    """What the run was asked for, as far as it matters here: its `paths`, the rules that it ran, the ids and `names` of
    all there are, the least confidence."""

    paths: Sequence[Path]
    rules: Sequence[type[Rule]]
    names: Collection[str]
    min_confidence: Confidence


def triage(report: Report, policy: Policy, request: Request) -> Report:
    """What is reported of `report`, which has all that the rules have found.

    Nothing is lost without a count: what is hidden, suppressed, or known from the baseline.
    """
    settings = _Settings(report, policy, request.min_confidence)
    looked_at = _looked_at(report.root, request.paths)

    def gone(file: str) -> bool:
        return looked_at(file) or not Path(report.root, file).exists()

    suppressions = Suppressions(report.root, settings.adjusted(report.findings), report.rules, request.names, looked_at)
    suppressions.comments(report.files)
    suppressions.accepted(policy.suppressions, gone)
    about = [
        finding
        for rule in request.rules
        if issubclass(rule, IgnoreRule)
        for ignore in suppressions.ignores
        for finding in rule().check_ignore(ignore)
    ]
    found = [*suppressions.applied(), *settings.adjusted(numbered(about))]
    entries = policy.baseline or ()
    known = match([Known(entry.fingerprint, entry.file) for entry in entries], found, gone)
    hidden = len(distinct(found)) - len(distinct(filter(settings.is_sure, found)))
    if policy.baseline is not None or policy.record:
        found = [_compared(finding, policy.record or number in known) for number, finding in enumerate(found)]
    sure = [finding for finding in found if settings.is_sure(finding)]
    suppressed = [finding for finding in sure if finding.suppressions]
    old = [finding for finding in sure if not finding.suppressions and finding.baseline == "unchanged"]
    shown = [finding for finding in sure if finding.counts]
    shown += suppressed if policy.show_suppressed else []
    shown += old if policy.show_known else []
    missing = _missing(entries, known.values())
    ran = {rule.id for rule in report.rules}
    absent = tuple(entry for entry in missing if looked_at(entry.file) and entry.rule in ran)
    recorded = {entry for finding in sure if not finding.suppressions for entry in finding.entries()}
    recorded |= set(missing).difference(absent)
    counts = {
        **report.counts,
        "hidden findings": hidden,
        "suppressed findings": len(distinct(suppressed)),
        "known findings": len(distinct(old)),
        "stale baseline entries": len(absent),
    }
    return msgspec.structs.replace(
        report,
        findings=tuple(distinct(shown)),
        counts=counts,
        absent=absent,
        recorded=tuple(sorted(recorded)) if policy.record else (),
        show_known=policy.show_known,
    )


class _Settings:
    """What the policy says of each file and rule."""

    def __init__(self, report: Report, policy: Policy, min_confidence: Confidence) -> None:
        self._root = report.root
        self._rules = {rule.id: rule for rule in report.rules}
        self._policy = policy
        self._least = min_confidence
        self._by_file: dict[str, list[PathSettings]] = {}

    def adjusted(self, findings: Iterable[Finding]) -> list[Finding]:
        """`findings` without those that are ignored where they are, each with the level that is set for it."""
        result = []
        for finding in findings:
            here = self._of(finding)
            if any(self._means(finding, each.ignore) for each in here):
                continue
            for levels in (self._policy.levels, *(each.levels for each in here)):
                # The longest word is the most particular one.
                for word in sorted(levels, key=len):
                    if self._means(finding, [word]) and finding.level is not levels[word]:
                        finding = msgspec.structs.replace(finding, level=levels[word])
            result.append(finding)
        return result

    def is_sure(self, finding: Finding) -> bool:
        """True if it is of enough confidence for the file that it is in."""
        set_here = [each.min_confidence for each in self._of(finding) if each.min_confidence is not None]
        return finding.confidence.rank >= (set_here[-1] if set_here else self._least).rank

    def _of(self, finding: Finding) -> list[PathSettings]:
        file = finding.place.file
        if file not in self._by_file:
            path = os.path.normpath(Path(self._root, file))
            self._by_file[file] = [each for each in self._policy.paths if each.concerns(path)]
        return self._by_file[file]

    def _means(self, finding: Finding, words: Iterable[str]) -> bool:
        rule: RuleInfo | None = self._rules.get(finding.rule)
        return any(names_rule(word, finding.rule, rule.name if rule else "") for word in words)


def _compared(finding: Finding, known: bool) -> Finding:
    return msgspec.structs.replace(finding, baseline="unchanged" if known else "new")


def _missing(entries: Iterable[Entry], known: Collection[Known]) -> list[Entry]:
    """The entries that are none of the findings."""
    there = set(known)
    return [entry for entry in entries if Known(entry.fingerprint, entry.file) not in there]


def _looked_at(root: str, paths: Sequence[Path]) -> Callable[[str], bool]:
    """Whether a file lies in a folder that was asked for. One that was asked for by itself may have fewer findings than
    with its neighbours, so that nothing follows from what is missing in it."""
    folders = [Path(os.path.realpath(path)) for path in paths if path.is_dir()]
    top = Path(os.path.realpath(root))
    return lambda file: any((top / file).is_relative_to(folder) for folder in folders)
