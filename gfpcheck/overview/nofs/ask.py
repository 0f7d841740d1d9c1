"""The survey of restricted flags of a run: found, or kept from an earlier one."""

from __future__ import annotations

from gfpcheck.driver.options import Options, Progress
from gfpcheck.driver.source import Source
from gfpcheck.overview.asking import ask
from gfpcheck.overview.nofs.types import Restrictions


def restrictions(options: Options, progress: Progress | None = None) -> Restrictions:
    """The restricted flags in what `options` asks for. Raises RunError as `driver.run.run` does."""

    def find(source: Source) -> Restrictions:
        # Not needed when nothing has changed, and long to import.
        from gfpcheck.driver.analyse import find_out
        from gfpcheck.overview.nofs.find import find_restrictions

        return find_restrictions(source, find_out(source, options.processes, progress))

    return ask(options, "nofs", Restrictions, find, progress)
