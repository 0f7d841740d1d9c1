"""Lays a graph without circles out in layers, every arrow downwards: as Sugiyama, Tagawa and Toda have shown in 1981.

A layer is no wider than a screen; arrows that pass a layer get a place in it, as if they were boxes; boxes are put in
an order with few crossings and then moved as near to their neighbours as the boxes beside them allow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

WIDEST = 1120
"""Of a layer's boxes, if more than one is in it."""
HEIGHT = 46
"""Of a box."""
_GAP = 22
_BETWEEN = 62
"""From one layer to the next."""
_LANE = 14
"""What an arrow takes that passes a layer."""
_SWEEPS = 16
_ROUNDS = 24
_MARGIN = 12
_PORT = 16
_EDGE = 14

Point = tuple[float, float]
Ends = tuple[str, str]


class Box(NamedTuple):
    """A box: its middle, and its upper edge."""

    x: float
    y: float
    width: float


class Layout(NamedTuple):
    """Where everything is. `routes` has the points on the way of each arrow, in the order of the arrows."""

    width: float
    height: float
    boxes: dict[str, Box]
    routes: tuple[tuple[Point, ...], ...]


class _Item(NamedTuple):
    """A box, or the place of arrow number `arrow` in a layer."""

    name: str
    arrow: int = -1


def lay_out(widths: Mapping[str, float], arrows: Sequence[Ends]) -> Layout:
    """A layout of boxes with these widths and the arrows between them, which must not form a circle."""
    level = _levels(widths, arrows)
    chains = [_chain(number, ends, level) for number, ends in enumerate(arrows)]
    layers: list[list[_Item]] = [[] for _ in range(max(level.values(), default=0) + 1)]
    for name in widths:
        layers[level[name]].append(_Item(name))
    above: dict[_Item, list[_Item]] = {}
    below: dict[_Item, list[_Item]] = {}
    for chain, (first, _) in zip(chains, arrows, strict=True):
        for number, item in enumerate(chain[1:-1], level[first] + 1):
            layers[number].append(item)
        for upper, lower in pairwise(chain):
            above.setdefault(lower, []).append(upper)
            below.setdefault(upper, []).append(lower)
    layers = _ordered(layers, above, below)
    size = {item: widths[item.name] if item.arrow < 0 else _LANE for layer in layers for item in layer}
    x = _placed(layers, size, above, below)
    left = min((x[item] - size[item] / 2 for item in x), default=0) - _MARGIN
    right = max((x[item] + size[item] / 2 for item in x), default=0) + _MARGIN
    top = {name: _MARGIN + level[name] * (HEIGHT + _BETWEEN) for name in widths}
    boxes = {name: Box(x[_Item(name)] - left, top[name], widths[name]) for name in widths}
    height = len(layers) * (HEIGHT + _BETWEEN) - _BETWEEN + 2 * _MARGIN
    middle = {item: x[item] - left for item in x}
    return Layout(right - left, height, boxes, _routes(chains, middle, boxes, level, arrows))


def _levels(widths: Mapping[str, float], arrows: Sequence[Ends]) -> dict[str, int]:
    """The layer of each box: below all that lead to it, where there is room."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(widths)
    graph.add_edges_from(arrows)
    level: dict[str, int] = {}
    filled: dict[int, float] = {}
    order = list(nx.lexicographical_topological_sort(graph))
    for name in order:
        number = max((level[above] + 1 for above in graph.predecessors(name)), default=0)
        while number in filled and filled[number] + widths[name] > WIDEST:
            number += 1
        level[name] = number
        filled[number] = filled.get(number, 0) + widths[name] + _GAP
    for name in reversed(order):  # what nothing leads to need not be far from what it leads to
        lowest = min((level[below] for below in graph.successors(name)), default=0) - 1
        has_room = filled.get(lowest, 0) + widths[name] <= WIDEST
        if lowest > level[name] and has_room and not graph.in_degree(name):
            filled[level[name]] -= widths[name] + _GAP
            filled[lowest] = filled.get(lowest, 0) + widths[name] + _GAP
            level[name] = lowest
    used = {number: n for n, number in enumerate(sorted(set(level.values())))}
    return {name: used[level[name]] for name in widths}


def _chain(number: int, ends: Ends, level: Mapping[str, int]) -> list[_Item]:
    first, second = ends
    lanes = [_Item(f"{at}", number) for at in range(level[first] + 1, level[second])]
    return [_Item(first), *lanes, _Item(second)]


_Links = Mapping[_Item, Sequence[_Item]]


def _ordered(layers: list[list[_Item]], above: _Links, below: _Links) -> list[list[_Item]]:
    """Each layer in an order with few crossings: by the middle of what an item is linked to, downwards and upwards in
    turn; the best that was seen."""
    best, fewest = layers, _crossings(layers, below)
    for sweep in range(_SWEEPS):
        links, numbers = (above, range(1, len(layers))) if sweep % 2 == 0 else (below, range(len(layers) - 2, -1, -1))
        layers = [list(layer) for layer in layers]
        for number in numbers:
            beside = layers[number - 1 if sweep % 2 == 0 else number + 1]
            at = {item: place for place, item in enumerate(beside)}
            own = {item: place for place, item in enumerate(layers[number])}
            layers[number].sort(key=lambda item: (_mean([at[o] for o in links.get(item, ())], own[item]), own[item]))
        crossings = _crossings(layers, below)
        if crossings < fewest:
            best, fewest = layers, crossings
    return best


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _crossings(layers: list[list[_Item]], below: _Links) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        at = {item: place for place, item in enumerate(lower)}
        links = [(n, at[o]) for n, item in enumerate(upper) for o in below.get(item, ())]
        total += sum(a < c and b > d for a, b in links for c, d in links)
    return total


def _placed(layers: list[list[_Item]], size: Mapping[_Item, float], above: _Links, below: _Links) -> dict[_Item, float]:
    """The middle of each item: near to what it is linked to, with room between neighbours."""
    x: dict[_Item, float] = {}
    for layer in layers:
        total = sum(size[item] + _GAP for item in layer)
        left = -total / 2
        for item in layer:
            x[item] = left + size[item] / 2
            left += size[item] + _GAP
    for turn in range(_ROUNDS):
        for layer in layers if turn % 2 == 0 else reversed(layers):
            wanted = [_mean([x[o] for o in (*above.get(item, ()), *below.get(item, ()))], x[item]) for item in layer]
            offsets = [0.0]
            for one, other in pairwise(layer):
                offsets.append(offsets[-1] + (size[one] + size[other]) / 2 + _GAP)
            for item, place in zip(layer, _apart(wanted, offsets), strict=True):
                x[item] = place
    return x


def _apart(wanted: Sequence[float], offsets: Sequence[float]) -> list[float]:
    """The places nearest to those `wanted` that are as far apart as `offsets`: neighbours that would overlap move
    together."""
    blocks: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        total, number = want - offset, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / number:
            before, count = blocks.pop()
            total, number = total + before, number + count
        blocks.append((total, number))
    starts = [total / number for total, number in blocks for _ in range(number)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]


def _routes(
    chains: Sequence[Sequence[_Item]],
    middle: Mapping[_Item, float],
    boxes: Mapping[str, Box],
    level: Mapping[str, int],
    arrows: Sequence[Ends],
) -> tuple[tuple[Point, ...], ...]:
    """The points of each arrow. Those that meet at one side of a box get places of their own there."""
    leaving: dict[str, list[tuple[float, int]]] = {}
    coming: dict[str, list[tuple[float, int]]] = {}
    for number, (chain, (first, second)) in enumerate(zip(chains, arrows, strict=True)):
        leaving.setdefault(first, []).append((middle[chain[1]], number))
        coming.setdefault(second, []).append((middle[chain[-2]], number))
    start = {number: x for name, found in leaving.items() for number, x in _ports(boxes[name], found)}
    end = {number: x for name, found in coming.items() for number, x in _ports(boxes[name], found)}
    routes = []
    for number, (chain, (first, second)) in enumerate(zip(chains, arrows, strict=True)):
        points: list[Point] = [(start[number], boxes[first].y + HEIGHT)]
        for layer, item in enumerate(chain[1:-1], level[first] + 1):
            top = _MARGIN + layer * (HEIGHT + _BETWEEN)
            points += [(middle[item], top), (middle[item], top + HEIGHT)]
        points.append((end[number], boxes[second].y))
        routes.append(tuple(points))
    return tuple(routes)


def _ports(box: Box, found: list[tuple[float, int]]) -> list[tuple[int, float]]:
    step = min(_PORT, (box.width - 2 * _EDGE) / max(len(found) - 1, 1))
    first = box.x - step * (len(found) - 1) / 2
    return [(number, first + step * place) for place, (_, number) in enumerate(sorted(found))]
