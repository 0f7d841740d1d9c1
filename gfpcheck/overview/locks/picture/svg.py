"""The picture of locks as SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from gfpcheck.overview.locks.picture.graph import RECLAIM, Arrow, Graph
from gfpcheck.overview.locks.picture.layers import HEIGHT, Box, Point, lay_out
from gfpcheck.overview.locks.types import LockClass, Locks
from gfpcheck.report.webpage import escaped

_LETTER = 7.3
"""The width of a letter of a name."""
_SMALL = 6.4
_PADDING = 24
_TITLE = "memory reclaim"
_SUBTITLE = "entered by allocations with GFP_KERNEL"
_WORDS = {
    "order": "is held while one waits for",
    "enters": "is held by allocations that enter",
    "takes": "waits for",
}


def picture(graph: Graph, found: Locks, links: Mapping[str, str]) -> Iterator[str]:
    """The lines of an SVG element; `links` are the fragments to which the boxes lead, by class."""
    shown = {lock.cls: (short(lock.cls), _counts(lock)) for lock in graph.locks}
    if any(RECLAIM in arrow.ends for arrow in graph.arrows):
        shown[RECLAIM] = (_TITLE, _SUBTITLE)
    widths = {name: max(len(a) * _LETTER, len(b) * _SMALL) + _PADDING for name, (a, b) in shown.items()}
    drawn = [arrow for arrow in graph.arrows if not arrow.faint]
    layout = lay_out(widths, [arrow.ends for arrow in drawn])
    routes = dict(zip(drawn, layout.routes, strict=True))
    number = {name: n for n, name in enumerate(shown)}
    width, height = round(layout.width), round(layout.height)
    yield (
        f'<svg id="picture" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="group" aria-label="Locks and memory reclaim">'
    )
    yield "<defs>"
    for name in ("plain", "low", "sure"):
        yield (
            f'<marker id="head-{name}" class="head {name}" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" '
            'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 1 L10 5 L0 9 z"/></marker>'
        )
    yield "</defs>"
    # Those in cycles are drawn last, above the others.
    for arrow in sorted(graph.arrows, key=_look):
        yield _arrow(arrow, routes.get(arrow) or _straight(arrow, layout.boxes), number)
    worst = _worst(found)
    for name, (title, counts) in shown.items():
        look = "reclaim" if name == RECLAIM else f"lock {worst.get(name, '')}".strip()
        box = _box(layout.boxes[name], title, counts, f"{look}", number[name])
        yield box if name == RECLAIM else f'<a href="#{links[name]}">{box}</a>'
    yield "</svg>"


def short(cls: str) -> str:
    """A lock class without "struct"."""
    return cls.removeprefix("struct ")


def _counts(lock: LockClass) -> str:
    parts = [f"{number} {word}" for word in ("fs", "io") if (number := lock.count(word))]
    if lock.no_fail:
        parts.append(f"{lock.no_fail} no-fail")
    return " \u00b7 ".join(parts) or "nothing waits under it"


def _worst(found: Locks) -> dict[str, str]:
    """How each class is drawn that is in a cycle: by the surest one."""
    worst: dict[str, str] = {}
    for finding in reversed(found.findings):  # the surest are the first
        for cls in finding.locks:
            worst[cls] = "sure" if finding.confidence != "low" else worst.get(cls, "low")
    return worst


def _look(arrow: Arrow) -> int:
    """0 for an arrow of no cycle, 2 for one of a cycle of some confidence."""
    return 0 if arrow.cycle is None else 1 if arrow.cycle == "low" else 2


def _straight(arrow: Arrow, boxes: Mapping[str, Box]) -> tuple[Point, ...]:
    """The way of an arrow for which no place was kept."""
    upper, lower = (boxes[end] for end in arrow.ends)
    return (upper.x, upper.y + HEIGHT), (lower.x, lower.y)


def _arrow(arrow: Arrow, route: Sequence[Point], number: Mapping[str, int]) -> str:
    points = list(reversed(route)) if arrow.up else list(route)
    look = ("plain", "low", "sure")[_look(arrow)]
    names = [_TITLE if end == RECLAIM else short(end) for end in (arrow.first, arrow.second)]
    if arrow.how == "enters":
        places = f" ({arrow.places} allocations)" if arrow.places > 1 else ""
    else:
        places = f" (in {arrow.places} places)" if arrow.places > 1 else ""
    kind = f"{look} {arrow.how} faint" if arrow.faint else f"{look} {arrow.how}"
    title = f"{names[0]} {_WORDS[arrow.how]} {names[1]}{places}"
    return (
        f'<path class="arrow {kind}" d="{_curve(points)}" marker-end="url(#head-{look})" '
        f'data-from="{number[arrow.first]}" data-to="{number[arrow.second]}"><title>{escaped(title)}</title></path>'
    )


def _curve(points: Sequence[Point]) -> str:
    """Straight up and down where it passes a layer, an S between layers."""
    (x, y), *rest = points
    parts = [f"M{x:.0f} {y:.0f}"]
    for at, down in rest:
        if abs(at - x) < 1:
            parts.append(f"L{at:.0f} {down:.0f}")
        else:
            middle = (y + down) / 2
            parts.append(f"C{x:.0f} {middle:.0f} {at:.0f} {middle:.0f} {at:.0f} {down:.0f}")
        x, y = at, down
    return " ".join(parts)


def _box(box: Box, title: str, counts: str, look: str, number: int) -> str:
    left = box.x - box.width / 2
    return (
        f'<g class="box {look}" data-number="{number}"><rect x="{left:.0f}" y="{box.y:.0f}" width="{box.width:.0f}" '
        f'height="{HEIGHT}" rx="7"/><text class="name" x="{box.x:.0f}" y="{box.y + 19:.0f}">{escaped(title)}</text>'
        f'<text class="counts" x="{box.x:.0f}" y="{box.y + 36:.0f}">{escaped(counts)}</text></g>'
    )
