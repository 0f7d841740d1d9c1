"""What is known of one open document: what a look at it alone sees, and what only a wide look sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gfpcheck.lsp.jobs import Hint, Related, Spot

Moved = Callable[[int], int | None]
"""From a line, from 0, to where it is after an edit; None for one that was edited."""


class Document:
    """A wide look takes its time. Until the next one what only it has seen stays where the text has not changed."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._alone: tuple[str, frozenset[str]] = ("", frozenset())
        self._text = ""
        self._beyond: list[Hint] = []

    def narrow(self, text: str, hints: Sequence[Hint]) -> list[Hint]:
        """What to show of `text`, in which a look at it alone has seen `hints`."""
        seen = frozenset(hint.fingerprint for hint in hints)
        self._alone = text, seen
        moved = moves(self._text, text)
        kept = (_shifted(hint, self._path, moved) for hint in self._beyond if hint.fingerprint not in seen)
        return [*hints, *(hint for hint in kept if hint is not None)]

    def wide(self, text: str, hints: Sequence[Hint]) -> list[Hint]:
        """The same after a wide look, which has seen all there is to see."""
        own, seen = self._alone
        self._text = text
        self._beyond = [hint for hint in hints if own == text and hint.fingerprint not in seen]
        return list(hints)


def moves(old: str, new: str) -> Moved:
    """Where the lines of `old` are in `new`, between which there is one stretch that differs."""
    before, after = old.split("\n"), new.split("\n")
    shorter = min(len(before), len(after))
    same = next((n for n in range(shorter) if before[n] != after[n]), shorter)
    rest = next((n for n in range(shorter - same) if before[-1 - n] != after[-1 - n]), shorter - same)

    def moved(line: int) -> int | None:
        if line < same:
            return line
        return line + len(after) - len(before) if line >= len(before) - rest else None

    return moved


def _shifted(hint: Hint, path: str, moved: Moved) -> Hint | None:
    spot = _spot(hint.spot, moved)
    if spot is None:
        return None
    related = []
    for each in hint.related:
        there = _spot(each.spot, moved) if each.file == path else each.spot
        if there is not None:
            related.append(Related(each.file, there, each.text))
    return Hint(hint.rule, hint.level, hint.message, spot, related, hint.fingerprint, hint.page)


def _spot(spot: Spot, moved: Moved) -> Spot | None:
    line = moved(spot.line)
    return None if line is None else Spot(line, spot.start, spot.end)
