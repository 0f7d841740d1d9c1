"""The survey of locks as text, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gfpcheck.findings import Step
from gfpcheck.overview.locks.totals import count
from gfpcheck.overview.locks.types import HAZARDS, MEANING, SCHEMA_VERSION, Allocation, Finding, LockClass, Locks, Order
from gfpcheck.overview.writing import csv_lines, json_lines, some, table
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

_FEW = 3
_MANY = 1 << 30
_COLUMNS = (
    "class",
    "kind",
    "folder",
    "taken",
    "tried",
    "nested",
    *(f"allocations_{hazard}" for hazard in HAZARDS),
    "no_fail",
    "reclaim_takes_it",
    "waiters",
    "more_waiters",
    "waited_for_under",
    "under_it_one_waits_for",
    "findings",
)


def text(found: Locks, style: Style, verbose: bool) -> Iterator[str]:
    """The survey for people: the cycles, then the classes, then the totals."""
    told = [each for each in found.findings if verbose or each.confidence != "low"]
    yield style.heading(
        f"== cycles through memory reclaim, or through memory that may not fail ({len(found.findings)})"
    )
    for finding in told:
        yield from _finding(finding, style)
        yield ""
    if len(told) < len(found.findings):
        yield f"and {len(found.findings) - len(told)} of low confidence, which -v tells in full:"
        yield from (f"  {_cycle(each)}" for each in found.findings if each.confidence == "low")
        yield ""
    yield style.heading(f"== lock classes ({len(found.classes)})")
    for lock in sorted(found.classes, key=weight):
        yield from _class(lock, found.orders, style, verbose)
    yield ""
    yield from _totals(found, style)
    if found.losses:
        yield style.heading(f"== not looked at ({len(found.losses)})")
        yield from (f"  {printable(loss)}" for loss in (found.losses if verbose else found.losses[:_FEW]))


def csv(found: Locks) -> Iterator[str]:
    """The classes as a table."""
    return csv_lines(_COLUMNS, (_row(lock, found) for lock in found.classes))


def json(found: Locks) -> Iterator[str]:
    """All of it as one object."""
    members = {
        "schema_version": SCHEMA_VERSION,
        "tool": "gfpcheck",
        "version": found.version,
        "kernel": found.kernel,
        "arch": found.arch,
        "setup": found.setup,
        "totals": count(found),
        "left_out": found.left_out,
    }
    lists: dict[str, Sequence[object]] = {
        "findings": found.findings,
        "classes": found.classes,
        "orders": found.orders,
        "losses": found.losses,
    }
    return json_lines(members, lists)


def gate_in_words(gate: str) -> str:
    """Which allocations come through a gate of reclaim."""
    return f"if the allocation has {gate}" if gate else "whatever the flags are"


def weight(lock: LockClass) -> tuple[object, ...]:
    """Those with the most allocations that may wait come first."""
    waiting = sum(lock.count(hazard) for hazard in HAZARDS[:3])
    return -waiting, not lock.reclaim, -lock.taken, lock.cls


def _cycle(finding: Finding) -> str:
    around = " -> ".join((*finding.locks, finding.locks[0])) if len(finding.locks) > 1 else finding.locks[0]
    return f"{finding.kind}: {printable(around)} ({_number(finding.allocations, 'allocation')})"


def _finding(finding: Finding, style: Style) -> Iterator[str]:
    place = style.place(f"{printable(finding.place.file)}:{finding.place.line}")
    yield f"{place} {printable(finding.message)} ({finding.confidence} confidence)"
    yield f"    {_cycle(finding)}"
    for half in finding.halves:
        yield f"    {printable(half.title)}:"
        yield from (f"        {line}" for line in _steps(half.steps))
    yield from (f"    but {printable(doubt)}" for doubt in finding.doubts)


def _steps(steps: Iterable[Step]) -> Iterator[str]:
    for step in steps:
        where = f"{step.place.file}:{step.place.line}"
        yield printable(f"{'  ' * min(step.depth, 8)}{where} {step.place.function}(): {step.text}")


def _class(lock: LockClass, orders: Sequence[Order], style: Style, verbose: bool) -> Iterator[str]:
    most = _MANY if verbose else _FEW
    tried = f", tried in {lock.tried}" if lock.tried else ""
    nested = f", nested in {lock.nested}" if lock.nested else ""
    waited = f"waited for in {_number(lock.taken, 'place')}"
    yield f"{style.place(printable(lock.cls))} ({lock.kind}): {waited}{tried}{nested}"
    if lock.allocations:
        counts = (f"{lock.count(hazard)} {hazard}" for hazard in HAZARDS if lock.count(hazard))
        no_fail = f"; {lock.no_fail} may not fail" if lock.no_fail else ""
        yield f"    allocations under it: {', '.join(counts)}{no_fail}"
        for each in lock.allocations if verbose else ():
            yield f"        {printable(_allocation(each))}"
    for way in lock.reclaim:
        last = way.steps[-1].place
        doubt = "" if way.sure else ", though that is not sure"
        gate = gate_in_words(way.gate)
        yield f"    reclaim waits for it in {printable(last.function)}(), through {printable(way.root)}, {gate}{doubt}"
        if verbose:
            yield from (f"        {line}" for line in _steps(way.steps))
    for waiter in lock.waiters[:most]:
        yield f"    waits, and cannot be killed: {printable(waiter)}"
    more = len(lock.waiters[most:]) + lock.more_waiters
    if more:
        yield f"    and {_number(more, 'place')} more where a task waits so"
    before, after = neighbours(lock.cls, orders)
    if before:
        yield f"    is waited for under {some(before, most)}"
    if after:
        yield f"    under it one waits for {some(after, most)}"


def neighbours(cls: str, orders: Iterable[Order]) -> tuple[list[str], list[str]]:
    """What is held while a lock of class `cls` is waited for, and what is waited for while one is held."""
    before = dict.fromkeys(each.first for each in orders if each.second == cls)
    after = dict.fromkeys(each.second for each in orders if each.first == cls)
    return list(before), list(after)


def _allocation(each: Allocation) -> str:
    far = f", {_number(each.calls, 'call')} down" if each.calls else ""
    no_fail = ", may not fail" if each.no_fail else ""
    taken = f"taken in {each.holder}() at {each.held_at.file}:{each.held_at.line}{far}"
    where = f"{each.place.file}:{each.place.line} {each.place.function}()"
    return f"{each.hazard:7} {where}: {each.call}() with {each.flags}{no_fail}; {taken}"


def _totals(found: Locks, style: Style) -> Iterator[str]:
    totals = count(found)
    yield style.heading(f"== totals: {totals.classes} lock classes, {totals.orders} orders, {totals.findings} cycles")
    yield f"reclaim waits for locks of {totals.reclaim} of them"
    yield from table("by kind of lock", totals.kinds)
    yield from table("by folder", totals.folders)
    named = {f"{hazard}: {MEANING[hazard]}": totals.hazards[hazard] for hazard in HAZARDS}
    yield from table("allocations under a lock (one counts under each lock)", named)
    yield f"{totals.no_fail} of these {totals.allocations} may not fail"
    yield from table("cycles by confidence", totals.confidences)
    if any(found.left_out.values()):
        yield from table("left out", found.left_out)
    yield ""


def _row(lock: LockClass, found: Locks) -> tuple[object, ...]:
    before, after = neighbours(lock.cls, found.orders)
    findings = tuple(each.key for each in found.findings if lock.cls in each.locks)
    ways = tuple(f"{way.root} {gate_in_words(way.gate)}" for way in lock.reclaim)
    counts = (*(lock.count(hazard) for hazard in HAZARDS), lock.no_fail)
    who = (lock.cls, lock.kind, lock.folder, lock.taken, lock.tried, lock.nested)
    return (*who, *counts, ways, lock.waiters, lock.more_waiters, tuple(before), tuple(after), findings)


def _number(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
