"""What goes to the terminal beside the results: colour, progress, messages."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import traceback
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
    note(f"gfpcheck: {message}")


def internal_error(error: Exception) -> str:
    """What to say of a bug of our own: the place helps whoever mends it."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"internal error, please report it: {type(error).__name__}: {error} ({place.filename}:{place.lineno})"


def note(text: str) -> None:
    """A line on standard error, lost if nobody can read it there."""
    # Without a standard error, print() would write to standard output.
    if sys.stderr is not None:
        with contextlib.suppress(OSError):
            print(text, file=sys.stderr)


def open_standard_streams() -> None:
    """Gives a closed standard stream (`>&-`) a place to go, so that no file opened later gets its number."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number, which is this one
            os.set_inheritable(opened, True)


def abandon_standard_streams() -> None:
    """What is still to be written to standard output and error is dropped: nobody reads it, or there is no room.

    Otherwise the interpreter tries again at its end, complains, and changes the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is None:
            continue
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                sink = os.open(os.devnull, os.O_WRONLY)
                os.dup2(sink, stream.fileno())
                os.close(sink)


class ProgressLine:
    """A line on standard error that is overwritten; nothing at all when that is no terminal."""

    def __init__(self, enabled: bool) -> None:
        self._enabled = enabled and sys.stderr is not None and sys.stderr.isatty()
        self._shown = 0

    def __call__(self, phase: str, done: int, total: int) -> None:
        if self._enabled:
            # A line longer than the terminal could not be overwritten.
            text = f"{phase} {done:,}/{total:,}"[: shutil.get_terminal_size().columns - 1]
            self._write("\r" + text.ljust(self._shown))
            self._shown = len(text)

    def clear(self) -> None:
        if self._shown:
            self._write("\r" + " " * self._shown + "\r")
            self._shown = 0

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
