"""Which findings the suppressions of a run concern, and which suppressions concern none."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec

from gfpcheck.findings import Finding, Place, RuleInfo, Suppression, match
from gfpcheck.report.source import contents
from gfpcheck.rule_api import Ignore
from gfpcheck.triage.comments import Comment, read_comments
from gfpcheck.triage.policy import Accepted


class Suppressions:
    """The suppressions that apply to the findings of one run, by number.

    `ran` are the rules of the run, `names` the ids and names of all that there are. `looked_at(file)`: the run would
    have found what there is in the file.
    """

    def __init__(
        self,
        root: str,
        findings: Sequence[Finding],
        ran: Iterable[RuleInfo],
        names: Collection[str],
        looked_at: Callable[[str], bool],
    ) -> None:
        self._root = root
        self._findings = findings
        self._ids = {word: rule.id for rule in ran for word in (rule.id, rule.name)}
        self._names = names
        self._looked_at = looked_at
        self._found: dict[int, list[Suppression]] = {}
        self.ignores: list[Ignore] = []

    def comments(self, files: Iterable[str]) -> None:
        """Takes those in the source: in `files`, and wherever a finding is."""
        by_file: dict[str, list[int]] = {}
        for number, finding in enumerate(self._findings):
            for file in {finding.place.file, finding.meeting.file}:
                by_file.setdefault(file, []).append(number)
        for file in sorted({*files, *by_file}):
            for comment in read_comments(contents(Path(self._root, file)) or b""):
                self._comment(file, comment, by_file.get(file, ()))

    def _comment(self, file: str, comment: Comment, numbers: Iterable[int]) -> None:
        wanted = {self._ids[word]: word for word in map(self._canonical, comment.words) if word in self._ids}
        used = set()
        for number in numbers:
            finding = self._findings[number]
            places = (finding.place, finding.meeting)
            here = any(place.file == file and comment.first <= place.line <= comment.last for place in places)
            if here and finding.rule in wanted:
                used.add(finding.rule)
                where = f"{file}:{comment.line}"
                self._found.setdefault(number, []).append(Suppression("inSource", comment.reason, where))
        idle = [word for rule, word in wanted.items() if rule not in used] if self._looked_at(file) else []
        unknown = tuple(word for word in comment.words if self._canonical(word) not in self._names)
        place = Place(file, comment.line, comment.col)
        self.ignores.append(Ignore(place, comment.words, comment.reason, unknown, tuple(idle), comment.wrong))

    def _canonical(self, word: str) -> str:
        return word.upper() if word.upper() in self._names else word

    def accepted(self, entries: Sequence[Accepted], gone: Callable[[str], bool]) -> None:
        """Takes those of files of suppressions. `gone` as in `match`."""
        by_known = {entry.known: entry for entry in entries}
        used = set()
        for number, known in match(by_known, self._findings, gone).items():
            entry = by_known[known]
            used.add(known)
            where = self._shown(entry.source)
            self._found.setdefault(number, []).append(Suppression("external", entry.reason, where))
        for known, entry in by_known.items():
            rule = self._ids.get(entry.rule)
            idle = known not in used and rule is not None and entry.file != "" and self._looked_at(entry.file)
            place = Place(self._shown(entry.source), entry.line)
            unknown = () if self._canonical(entry.rule) in self._names else (entry.rule,)
            self.ignores.append(Ignore(place, (entry.rule,), entry.reason, unknown, (entry.rule,) if idle else ()))

    def _shown(self, source: str) -> str:
        """A file of suppressions, below the root by its path from there."""
        path = Path(os.path.realpath(source))
        root = Path(os.path.realpath(self._root))
        return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)

    def applied(self) -> Iterator[Finding]:
        """All findings, with their suppressions."""
        for number, finding in enumerate(self._findings):
            own = self._found.get(number)
            yield msgspec.structs.replace(finding, suppressions=tuple(own)) if own else finding
