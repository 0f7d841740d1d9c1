"""Findings of one run found again in another: by fingerprint, then by file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gfpcheck.findings.types import Finding


class Known(NamedTuple):
    """A finding as something else remembers it (a baseline, a suppression): its fingerprint, and the file that it was
    in, "" where that is not known."""

    fingerprint: str
    file: str


def match(known: Iterable[Known], findings: Sequence[Finding], gone: Callable[[str], bool]) -> dict[int, Known]:
    """Which of `known` each finding is, by the finding's number.

    Functions of one name in several files make equal fingerprints, so the file decides first. What is no longer in its
    own file may have moved: then the fingerprint alone counts, once. `gone(file)` says that what is missing in the
    file is not there, rather than not looked at.
    """
    left = dict.fromkeys(known)
    found: dict[int, Known] = {}
    for number, finding in enumerate(findings):
        own = Known(finding.fingerprint, finding.place.file)
        if own in left:
            found[number] = own
    for own in found.values():
        left.pop(own, None)
    moved: dict[str, list[Known]] = {}
    for each in left:
        if not each.file or gone(each.file):
            moved.setdefault(each.fingerprint, []).append(each)
    for number, finding in enumerate(findings):
        waiting = moved.get(finding.fingerprint)
        if number not in found and waiting:
            found[number] = waiting.pop(0)
    return found
