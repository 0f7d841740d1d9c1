"""What a change introduces: the findings after it that were not there before."""

from __future__ import annotations

import contextlib
import gc
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import msgspec

from gfpcheck import __version__, kbuild, workers
from gfpcheck.changes import ChangeError, Lines, Side, changed_lines, shadow, without
from gfpcheck.driver.blame import blame
from gfpcheck.driver.options import Options, Progress, RunError
from gfpcheck.driver.rules import all_rules
from gfpcheck.driver.run import known, run
from gfpcheck.driver.selection import select
from gfpcheck.findings import Confidence, Finding, Report
from gfpcheck.triage import Policy
from gfpcheck.workers import Copy, scratch

Look = Callable[[Options], Report | None]
"""What finds the report of a tree."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Report | None).decode
_ROUNDING = 0.03
"""Seconds by which files must be older than the run that reads them, for what is found to be kept."""


def compare(sides: Sequence[Side], within: Sequence[str], options: Options, progress: Progress | None = None) -> Report:
    """The report of the last of `sides` with only those findings that the first one does not have. Sides between them
    are the tree after each patch of a series: each finding says which patch brought it (property "patch").

    `within` are the folders and files to analyse, below the root of the sides; if there are none, what is built
    together with what differs. Everything else is as `options` says, but for its paths. A finding stands at a line that
    the change has written; of a series, its patch. Raises RunError as `run` does.
    """
    last = sides[-1]
    try:
        changed = sorted({path for old, new in itertools.pairwise(sides) for path in old.differing(new)})
        since = [changed_lines(side, last) for side in sides[:-1]]
    except ChangeError as error:
        raise RunError(str(error)) from error
    plain = replace(options, policy=Policy(), announce=None)
    reports = _look_at_all(sides, changed, within, plain, options, progress) if changed else []
    after = reports[-1] if reports else None
    if after is None:
        return _nothing(last, changed, options)
    seen = [_fingerprints(report) for report in reports]
    new = [finding for finding in after.findings if _unknown(finding, seen[0])]
    shown = [finding for finding in new if finding.confidence.rank >= options.min_confidence.rank]
    if len(sides) > 2:
        shown = [_of_patch(finding, sides, seen, since) for finding in shown]
    else:
        shown = [blame(finding, since[0]) for finding in shown]
    counts = {
        "changed files": len(changed),
        **after.counts,
        "hidden findings": len(new) - len(shown),
        "older findings": len(after.findings) - len(new),
        "removed findings": len(seen[0] - seen[-1]),
        "findings of one patch that a later one removes": len(frozenset[str]().union(*seen) - seen[0] - seen[-1]),
    }
    return msgspec.structs.replace(
        after,
        root=str(last.root),
        findings=tuple(sorted(shown, key=lambda finding: finding.sort_key)),
        counts=counts,
        replaced=dict(last.replaced),
    )


def _look_at_all(
    sides: Sequence[Side],
    changed: Sequence[str],
    within: Sequence[str],
    plain: Options,
    options: Options,
    progress: Progress | None,
) -> list[Report | None]:
    """The reports of all sides: the last one's as `options` say, the others' as `plain`."""
    first, last = sides[0], sides[-1]
    look = partial(run, progress=progress)
    # The tree as it is may be known, which is looked up meanwhile.
    if len(sides) == 2 and not first.replaced and plain.cache_dir is not None and options.processes > 1:
        with workers.copies(1, lambda _: _encode(_look(first, changed, within, plain, known))) as copies:
            for copy in copies:
                copy.ask(b"")
            after = _look(last, changed, within, options, look)
            before = _taken(copies)
        return [before or _look(first, changed, within, plain, look), after]
    reports = []
    for side in sides[:-1]:
        reports.append(_look(side, changed, within, plain, look))
        if len(sides) > 2:
            gc.collect()  # a side leaves much behind, and many may follow
    return [*reports, _look(last, changed, within, options, look)]


def _taken(copies: Sequence[Copy]) -> Report | None:
    """The report that the copy, if there is one, has found, if it is not gone."""
    for copy in copies:
        with contextlib.suppress(OSError, EOFError):
            report: Report | None = _decode(copy.answer())
            return report
    return None


def _look(side: Side, changed: Sequence[str], within: Sequence[str], options: Options, look: Look) -> Report | None:
    """What `look` reports of one side; None if there is nothing on it to analyse. Low confidence counts: what was
    hidden before is not new."""
    with _tree(side, changed, within) as root:
        names = [name for name in within or kbuild.neighbours(root, changed) if (root / name).exists()]
        if not names:
            return None
        paths = tuple(root / name for name in names)
        policy = options.policy.moved(str(side.root), str(root))
        tell = options.announce

        def named(text: str) -> str:
            """What is told names the user's tree."""
            return text.replace(str(root), str(side.root))

        announce = None if tell is None else lambda line: tell(named(line))
        asked = replace(options, paths=paths, policy=policy, min_confidence=Confidence.LOW, announce=announce)
        try:
            report = look(asked)
        except RunError as error:
            raise RunError(named(str(error))) from error
        return report and msgspec.structs.replace(report, setup=named(report.setup))


@contextlib.contextmanager
def _tree(side: Side, changed: Sequence[str], within: Sequence[str]) -> Iterator[Path]:
    """The root of the side's tree, which is there for as long as the block runs."""
    if not side.replaced:
        yield side.root
        return
    with scratch() as folder:
        opened = {*within, *(path.rpartition("/")[0] for path in changed)}
        try:
            root = shadow(side, folder.resolve(), sorted(opened))
            time.sleep(_ROUNDING)
            yield root
        except OSError as error:
            raise RunError(f"{side.name}: {error.filename}: {error.strerror or error}") from error


def _fingerprints(report: Report | None) -> frozenset[str]:
    """Those of all findings, and of the places that each stands for."""
    return frozenset(
        entry.fingerprint for finding in (report.findings if report else ()) for entry in finding.entries()
    )


def _unknown(finding: Finding, seen: frozenset[str]) -> bool:
    """True if the finding, or one of the places that it stands for, is not among those seen."""
    return any(entry.fingerprint not in seen for entry in finding.entries())


def _of_patch(
    finding: Finding, sides: Sequence[Side], seen: Sequence[frozenset[str]], since: Sequence[Lines]
) -> Finding:
    """`finding`, which says after which patch it is there to stay, at a line that this patch has written. `since` are
    the lines that were written after each side but the last."""
    number = max(number for number in range(len(sides) - 1) if _unknown(finding, seen[number])) + 1
    own = without(since[number - 1], since[number]) if number < len(since) else since[-1]
    finding = blame(finding, own if any(own.values()) else since[0])  # later patches may have written all of it anew
    patch = {"patch": sides[number].name, "patch_number": number}
    return msgspec.structs.replace(finding, properties={**finding.properties, **patch})


def _nothing(last: Side, changed: Sequence[str], options: Options) -> Report:
    """The report when there is nothing to analyse."""
    why = "no C file is built together with the changed ones" if changed else "no C code has changed"
    rules = select(all_rules(options.rule_dirs), options.select, options.ignore)
    infos = tuple(rule.info(options.rules_page) for rule in rules)
    counts = {"changed files": len(changed)}
    return Report(
        __version__, str(last.root), f"the change: {why}", "", "", (), infos, (), counts, options.command_line
    )
