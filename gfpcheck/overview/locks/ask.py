"""The survey of locks of a run: found, or kept from an earlier one."""

from __future__ import annotations

from gfpcheck.driver.options import Options, Progress
from gfpcheck.driver.source import Source
from gfpcheck.overview.asking import ask
from gfpcheck.overview.locks.types import Locks


def locks(options: Options, progress: Progress | None = None) -> Locks:
    """The locks of what `options` asks for. Raises RunError as `driver.run.run` does."""

    def find(source: Source) -> Locks:
        # Not needed when nothing has changed, and long to import.
        from gfpcheck.driver.analyse import find_out
        from gfpcheck.overview.locks.find import find_locks

        found = find_locks(source, find_out(source, options.processes, progress))
        source.summaries.save()
        return found

    return ask(options, "locks", Locks, find, progress)
