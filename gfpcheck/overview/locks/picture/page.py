"""The page around the picture: the cycles, each task beside the others, and all lock classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files

from gfpcheck.findings import Step
from gfpcheck.overview.locks.picture.graph import Graph, graph_of
from gfpcheck.overview.locks.picture.svg import picture, short
from gfpcheck.overview.locks.totals import Totals, count
from gfpcheck.overview.locks.types import HAZARDS, Allocation, Finding, LockClass, Locks
from gfpcheck.overview.locks.write import gate_in_words, neighbours, weight
from gfpcheck.overview.writing import some
from gfpcheck.report.webpage import escaped, filled, policy

_HAZARD_WORDS = {
    "fs": "may enter the file system",
    "io": "may wait for I/O (GFP_NOFS)",
    "reclaim": "may reclaim (GFP_NOIO)",
    "none": "does not wait",
    "unknown": "flags not known",
}
_OPEN = 3
"""Cycles that are told in full at once."""
_SHOWN = 60
"""Allocations that are listed under one class; JSON has all."""


def html(found: Locks) -> Iterator[str]:
    """The lines of the page, in ASCII. Nothing in it comes from elsewhere, and nothing of the sources is markup."""
    graph, totals = graph_of(found), count(found)
    links = {lock.cls: f"lock-{number}" for number, lock in enumerate(found.classes)}
    style, script = _resource("page.css"), _resource("page.js")
    kernel = f", Linux {found.kernel}" if found.kernel else ""
    parts = {
        "policy": policy(script, style),
        "title": escaped(f"gfpcheck: {totals.classes} lock classes{kernel}"),
        "style": style,
        "script": script,
        "scope": escaped(_scope(found, totals)),
        "note": escaped(_note(graph)),
    }
    for line in _resource("page.html").splitlines():
        content = _CONTENTS.get(line.strip())
        if content is None:
            yield filled(line, parts)
        else:
            yield from content(found, graph, links)


def _scope(found: Locks, totals: Totals) -> str:
    folders = list(totals.folders)
    where = some(folders, 2)
    kernel = f"Linux {found.kernel}" if found.kernel else ""
    numbers = f"{totals.classes} lock classes, {totals.orders} orders, {totals.findings} cycles"
    return " \u00b7 ".join(part for part in (where, kernel, found.arch, numbers) if part)


def _note(graph: Graph) -> str:
    parts = []
    faint = sum(arrow.faint for arrow in graph.arrows)
    if faint:
        which = "1 arrow of low confidence closes" if faint == 1 else f"{faint} arrows of low confidence close"
        parts.append(f"{which} a circle and can be seen where a lock is pointed at")
    if graph.implied:
        parts.append(f"{graph.implied} arrows that follow from others are not drawn")
    if graph.more_locks:
        parts.append(f"{graph.more_locks} locks under which nothing waits for memory are not drawn")
    return "; ".join(parts)


def _picture(found: Locks, graph: Graph, links: Mapping[str, str]) -> Iterator[str]:
    if not graph.locks:
        yield '<p class="soft">There is nothing to draw: no lock is held where memory is asked for.</p>'
        return
    yield from picture(graph, found, links)


# --- the cycles --------------------------------------------------------------------------------


def _findings(found: Locks, graph: Graph, links: Mapping[str, str]) -> Iterator[str]:
    if not found.findings:
        yield '<p class="soft">None was found.</p>'
    for number, finding in enumerate(found.findings):
        yield from _finding(finding, number < _OPEN, links)


def _finding(finding: Finding, is_open: bool, links: Mapping[str, str]) -> Iterator[str]:
    yield f'<details class="cycle"{" open" if is_open else ""}><summary>'
    yield f'<span class="pill {finding.confidence}">{finding.confidence}</span>'
    yield f'<span class="way">{_way(finding)}</span>'
    number = finding.allocations
    yield f'<span class="soft">{number} allocation{"" if number == 1 else "s"}</span></summary>'
    yield f'<p class="message">{escaped(finding.message)}</p>'
    yield '<div class="halves">'
    for half in finding.halves:
        yield f'<section class="half"><h4>{escaped(half.title)}</h4>'
        yield from _steps(half.steps)
        yield "</section>"
    yield "</div>"
    if finding.doubts:
        yield '<ul class="doubts">'
        yield from (f"<li>But {escaped(doubt)}.</li>" for doubt in finding.doubts)
        yield "</ul>"
    named = ", ".join(_link(cls, links) for cls in finding.locks)
    yield f'<p class="soft">Locks: {named}</p></details>'


def _way(finding: Finding) -> str:
    """The cycle in small boxes."""
    first, *others = (f'<b class="chip">{escaped(short(cls))}</b>' for cls in finding.locks)
    memory = "reclaim" if finding.kind == "reclaim" else "no-fail"
    chips = [first, f'<i class="chip">{memory}</i>', *others, first]
    return ' <span class="to">&#8594;</span> '.join(chips)


def _steps(steps: Iterable[Step]) -> Iterator[str]:
    yield '<ol class="steps">'
    for step in steps:
        place = escaped(f"{step.place.file}:{step.place.line}")
        where = f'<span class="place">{place}</span> <code>{escaped(step.place.function)}()</code>'
        yield f'<li class="{escaped(step.kind)}">{where} <span class="does">{escaped(step.text)}</span></li>'
    yield "</ol>"


# --- the classes -------------------------------------------------------------------------------


def _classes(found: Locks, graph: Graph, links: Mapping[str, str]) -> Iterator[str]:
    for lock in sorted(found.classes, key=weight):
        yield from _class(lock, found, links)


def _class(lock: LockClass, found: Locks, links: Mapping[str, str]) -> Iterator[str]:
    yield f'<details class="lock" id="{links[lock.cls]}"><summary><b>{escaped(short(lock.cls))}</b>'
    yield f'<span class="soft">{escaped(lock.kind)}</span>'
    for hazard in HAZARDS:
        if lock.count(hazard):
            yield f'<span class="badge {hazard}">{lock.count(hazard)} {hazard}</span>'
    if lock.no_fail:
        yield f'<span class="badge fail">{lock.no_fail} no-fail</span>'
    if lock.reclaim:
        yield '<span class="badge taken">reclaim takes it</span>'
    yield "</summary>"
    tried = f", tried or waited for until killed in {lock.tried}" if lock.tried else ""
    nested = f"; one is waited for while another of the class is held in {lock.nested}" if lock.nested else ""
    yield f"<p>A task waits for it until it has it in {lock.taken} places{tried}{nested}.</p>"
    before, after = neighbours(lock.cls, found.orders)
    for title, classes in (("It is waited for under", before), ("Under it one waits for", after)):
        if classes:
            yield f"<p>{title} {', '.join(_link(cls, links) for cls in classes)}.</p>"
    for way in lock.reclaim:
        doubt = "" if way.sure else "; that way is not sure"
        said = escaped(f"Reclaim waits for it through {way.root}, {gate_in_words(way.gate)}{doubt}")
        yield f"<h4>{said}</h4>"
        yield from _steps(way.steps)
    if lock.waiters:
        yield "<h4>Waits for it, and cannot be killed meanwhile</h4><ul>"
        yield from (f"<li>{escaped(waiter)}</li>" for waiter in lock.waiters)
        if lock.more_waiters:
            yield f"<li>and in {lock.more_waiters} places more</li>"
        yield "</ul>"
    if lock.allocations:
        yield from _allocations(lock.allocations)
    yield "</details>"


def _allocations(allocations: Sequence[Allocation]) -> Iterator[str]:
    yield '<h4>Allocations under it</h4><div class="scroll"><table>'
    yield "<tr><th>what it may do</th><th>where</th><th>asks with</th><th>lock taken in</th></tr>"
    for each in allocations[:_SHOWN]:
        fails = "; may not fail" if each.no_fail else ""
        down = f", {each.calls} call{'' if each.calls == 1 else 's'} up" if each.calls else ""
        cells = (
            f"{_HAZARD_WORDS[each.hazard]}{fails}",
            f"{each.place.file}:{each.place.line} {each.place.function}()",
            f"{each.call}() {each.flags}",
            f"{each.holder}() {each.held_at.file}:{each.held_at.line}{down}",
        )
        yield f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in cells)}</tr>"
    yield "</table></div>"
    more = len(allocations) - _SHOWN
    if more > 0:
        yield f'<p class="soft">and {more} more</p>'


def _link(cls: str, links: Mapping[str, str]) -> str:
    name = escaped(short(cls))
    return f'<a href="#{links[cls]}">{name}</a>' if cls in links else name


def _left_out(found: Locks, graph: Graph, links: Mapping[str, str]) -> Iterator[str]:
    for what, number in found.left_out.items():
        if number:
            yield f"<li><b>{number}</b> {escaped(what)}</li>"
    yield from (f"<li>Not looked at: {escaped(loss)}</li>" for loss in found.losses)


_CONTENTS = {
    "{{picture}}": _picture,
    "{{findings}}": _findings,
    "{{classes}}": _classes,
    "{{left out}}": _left_out,
}


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text("ascii")
