"""A survey of a run: found, or kept from an earlier one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from gfpcheck.driver.kept import find_answer, keep_answer
from gfpcheck.driver.options import Options, Progress
from gfpcheck.driver.run import answer
from gfpcheck.driver.source import Source
from gfpcheck.overview.surveyed import Survey
from gfpcheck.store import Store

Found = TypeVar("Found", bound=Survey)


def ask(
    options: Options, kind: str, type_: type[Found], find: Callable[[Source], Found], progress: Progress | None
) -> Found:
    """What is kept of this `kind` of survey of what `options` asks for, else what `find` says, which is kept then.

    Raises RunError as `driver.run.run` does.
    """

    def look(store: Store, key: str) -> Found | None:
        return find_answer(store, kind, key, type_)

    def keep(store: Store, key: str, found: Found) -> None:
        keep_answer(store, kind, key, found)

    return answer(options, look, find, keep, progress)
