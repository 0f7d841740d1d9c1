"""The process that analyses: jobs on standard input, what was seen on standard output, until the former ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from gfpcheck.driver.options import NoFlagsError, Options, RunError
from gfpcheck.lsp.jobs import HEAD, Job, Seen, decode_job, length, message
from gfpcheck.lsp.look import look

_NICE = 10
"""The editor comes first."""

OptionsFor = Callable[[Path], Options]
"""The settings for a file, as they are now. Raises RunError."""


def work(options_for: OptionsFor) -> None:
    """Answers one job after the other. Raises BrokenPipeError if nobody listens any more."""
    from gfpcheck.driver import analyse  # noqa: F401 - long to import, and there is time before the first job

    with os.fdopen(os.dup(0), "rb") as jobs, os.fdopen(os.dup(1), "wb") as answers:
        # Nothing else shall read the one, or write to the other.
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        os.nice(_NICE)
        while (head := _read(jobs, HEAD)) and (data := _read(jobs, length(head))):
            answers.write(message(_answer(decode_job(data), options_for)))
            answers.flush()


def _read(stream: BinaryIO, size: int) -> bytes:
    """That many bytes; none if the other side has ended."""
    data = stream.read(size)
    return data if len(data) == size else b""


def _answer(job: Job, options_for: OptionsFor) -> Seen:
    try:
        options = options_for(Path(job.path))
        try:
            return look(job, options)
        except NoFlagsError as error:
            return Seen(problem=str(error), foreign=not options.models)
    except RunError as error:
        return Seen(problem=str(error))
    except OSError as error:
        return Seen(problem=f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except Exception as error:  # a bug of our own must not take the editor's diagnostics with it
        return Seen(problem=f"internal error, please report it: {type(error).__name__}: {error}")
