"""Where the results go."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

import click

from gfpcheck import report as reporting
from gfpcheck.cli.terminal import say, wants_color
from gfpcheck.findings import Report
from gfpcheck.report.lines import Sink, encodable

STANDARD = "-"


class Output(NamedTuple):
    """Results in one format; `path` None is standard output."""

    fmt: str
    path: Path | None


def outputs(values: Sequence[str], fmt: str) -> tuple[Output, ...]:
    """What `--output` says, once or several times: FILE, or FORMAT=FILE, "-" for standard output. `fmt` is that of
    those that name none, and nothing named is standard output.

    Raises ClickException, before any work is done, if something cannot be written there, or two would go to one place.
    """
    found = [_output(value, fmt) for value in values] or [Output(fmt, None)]
    check_places([output.path for output in found])
    return tuple(found)


def check_places(paths: Sequence[Path | None]) -> None:
    """Raises ClickException if nothing can be written to one of the files (None: standard output), or if two are
    one."""
    seen: dict[str, Path | None] = {}
    for path in paths:
        _check(path)
        place = STANDARD if path is None or _is_standard_output(path) else os.path.realpath(path)
        if place in seen and place != os.devnull:
            name = "standard output" if place == STANDARD else str(path)
            raise click.ClickException(f"two outputs go to {name}")
        seen[place] = path


def _output(value: str, fmt: str) -> Output:
    name, equals, rest = value.partition("=")
    if equals and name in reporting.FORMATS:
        fmt, value = name, rest
    if not value:
        raise click.ClickException("--output names no file")
    return Output(fmt, None if value == STANDARD else Path(value))


def _is_standard_output(path: Path) -> bool:
    try:
        return sys.stdout is not None and os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False


def _check(path: Path | None) -> None:
    if path is None:
        if sys.stdout is None:
            raise click.ClickException("standard output is closed")
        return
    folder = path.parent
    try:
        if path.is_dir():
            raise click.ClickException(f"cannot write {path}: is a directory")
        if not folder.is_dir():
            raise click.ClickException(f"cannot write {path}: no such directory as {folder}")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise click.ClickException(f"cannot write {path}: permission denied")
    except (OSError, ValueError) as error:
        raise click.ClickException(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def write_report(result: Report, places: Sequence[Output], verbose: bool, quiet: bool) -> None:
    """Writes the results to each place, files first and each of them all or nothing, and the summary to standard error
    unless it is among the results on standard output. Raises ClickException when all is tried and one has failed,
    BrokenPipeError."""
    failed = []
    for output in places:
        if output.path is not None:
            try:
                reporting.write_file(str(output.path), result, output.fmt, verbose=verbose, quiet=quiet)
            except reporting.ReportError as error:
                failed.append(str(error))
    for output in places:
        if output.path is None:
            with _standard_output() as stream:
                reporting.write(result, output.fmt, stream, color=wants_color(stream), verbose=verbose, quiet=quiet)
    for output in places:
        number = reporting.left_out(result, output.fmt)
        if number:
            total = len(result.findings)
            say(f"the SARIF log lacks {number} of {total} findings, the least severe: no more are accepted in one run")
    if failed:
        raise click.ClickException("; ".join(failed))
    if not quiet and sys.stderr is not None and Output("text", None) not in places:
        with contextlib.suppress(OSError):
            reporting.write_summary(result, sys.stderr, color=wants_color(sys.stderr), verbose=verbose)


def print_report(result: Report, write: Callable[[Report, Sink], None]) -> None:
    """Prints the results on standard output as `write` writes them. Raises ClickException, BrokenPipeError."""
    with _standard_output() as stream:
        write(result, encodable(stream))


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
