"""What goes to the terminal beside the results: colour, progress, messages."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def wants_color(stream: TextIO) -> bool:
    """NO_COLOR and FORCE_COLOR first (https://no-color.org, any non-empty value), then the terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def say(message: str) -> None:
    """One message of the tool on standard error."""
    print(f"gfpcheck: {message}", file=sys.stderr)


class ProgressLine:
    """A line on standard error that is overwritten; nothing at all when that is no terminal."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled and sys.stderr.isatty()
        self._shown = 0

    def __call__(self, phase: str, done: int, total: int) -> None:
        if self._enabled:
            text = f"{phase} {done}/{total}"
            sys.stderr.write("\r" + text.ljust(self._shown))
            sys.stderr.flush()
            self._shown = len(text)

    def clear(self) -> None:
        if self._shown:
            sys.stderr.write("\r" + " " * self._shown + "\r")
            sys.stderr.flush()
            self._shown = 0
