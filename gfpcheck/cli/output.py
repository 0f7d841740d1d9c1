"""Where the results go."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

import click

from gfpcheck import report as reporting
from gfpcheck.cli.terminal import wants_color
from gfpcheck.findings import Report
from gfpcheck.report.lines import encodable


def check_output(path: Path | None) -> None:
    """Raises ClickException if nothing can be written there (None: standard output), before any work is done."""
    if path is None:
        if sys.stdout is None:
            raise click.ClickException("standard output is closed")
        return
    folder = path.parent
    if path.is_dir():
        raise click.ClickException(f"cannot write {path}: is a directory")
    if not folder.is_dir():
        raise click.ClickException(f"cannot write {path}: no such directory as {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise click.ClickException(f"cannot write {path}: permission denied")


def write_report(result: Report, fmt: str, path: Path | None, verbose: bool, quiet: bool) -> None:
    """Writes the results to the file, or to standard output, and the summary to standard error unless it is
    among the results. Raises ClickException, BrokenPipeError."""
    if path is None:
        with _standard_output() as stream:
            reporting.write(result, fmt, stream, color=wants_color(stream), verbose=verbose, quiet=quiet)
    else:
        try:
            reporting.write_file(str(path), result, fmt, verbose=verbose, quiet=quiet)
        except reporting.ReportError as error:
            raise click.ClickException(str(error)) from error
    if not quiet and sys.stderr is not None and (path is not None or fmt != "text"):
        with contextlib.suppress(OSError):
            reporting.write_summary(result, sys.stderr, color=wants_color(sys.stderr), verbose=verbose)


def print_lines(lines: Iterable[str]) -> None:
    """Prints lines that are printable on standard output. Raises ClickException, BrokenPipeError."""
    with _standard_output() as stream:
        sink = encodable(stream)
        for line in lines:
            sink.write(f"{line}\n")


@contextlib.contextmanager
def _standard_output() -> Iterator[TextIO]:
    """Standard output for the block, flushed at its end. What cannot be written is a ClickException, but for
    BrokenPipeError: a reader that has gone away knows it."""
    try:
        yield sys.stdout
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"standard output: {error.strerror or error}") from error
