"""Output files that are either complete or not there."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO


class ReportError(Exception):
    """A report could not be written; the message names the file and the reason."""


@contextlib.contextmanager
def replacing(path: str) -> Iterator[TextIO]:
    """A UTF-8 text file that takes the place of `path` when the block ends without an error.

    What is at `path` stays untouched until then. A symbolic link is followed. A device or a pipe
    (`/dev/null`, `/dev/stdout`) cannot be replaced and is written to directly.
    Raises ReportError for any OSError, inside the block too.
    """
    if not _is_name(path):
        raise ReportError(f"cannot write {path!r}: not a file name")
    try:
        if _is_special(path):
            with Path(path).open("w", encoding="utf-8", newline="\n") as stream:
                yield stream
        else:
            with _temporary(Path(os.path.realpath(path))) as stream:
                yield stream
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror or error}") from error


def _is_name(path: str) -> bool:
    """Whether the operating system can be asked for `path` at all."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def _is_special(path: str) -> bool:
    """Whether `path` is there and is neither a regular file nor a directory."""
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


@contextlib.contextmanager
def _temporary(target: Path) -> Iterator[TextIO]:
    """A new file beside `target`, renamed to it at the end or removed on any exception."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, "is a directory")
    # A name of our own instead of `tempfile`, whose files nobody but their owner may read.
    temporary = target.with_name(f".gfpcheck-{secrets.token_hex(8)}.tmp")
    stream = temporary.open("x", encoding="utf-8", newline="\n")
    try:
        # Closing is part of the attempt: a full disk may show only then.
        with stream:
            yield stream
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
