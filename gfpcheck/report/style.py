"""Terminal colours, or none."""

from __future__ import annotations

_LEVELS = {"error": "1;31", "warning": "1;35", "note": "1;36"}


class Style:
    """Paints pieces of the text report; every method returns its argument as it is without colour."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def place(self, text: str) -> str:
        return self._paint("1", text)

    def message(self, text: str) -> str:
        return self._paint("1", text)

    def heading(self, text: str) -> str:
        return self._paint("2", text)

    def title(self, text: str) -> str:
        return self._paint("1", text)

    def code(self, text: str) -> str:
        return self._paint("36", text)

    def inline_code(self, text: str) -> str:
        """Code within prose: in its colour, or between backticks."""
        return self._paint("36", text) if self._color else f"`{text}`"

    def gutter(self, text: str) -> str:
        return self._paint("34", text)

    def rule(self, text: str) -> str:
        return self._paint("33", text)

    def level(self, level: str) -> str:
        """The word for `level` ("error", "warning", "note") in its colour."""
        return self._paint(_LEVELS[level], level)

    def underline(self, level: str, text: str) -> str:
        return self._paint(_LEVELS[level], text)

    def good(self, text: str) -> str:
        return self._paint("1;32", text)

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and text else text
