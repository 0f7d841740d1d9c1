"""The demand of the transactions of a run: found, or kept from an earlier one."""

from __future__ import annotations

from gfpcheck.driver.options import Options, Progress
from gfpcheck.driver.source import Source
from gfpcheck.overview.asking import ask
from gfpcheck.overview.demand.types import Demand


def demand(options: Options, progress: Progress | None = None) -> Demand:
    """What the transactions in what `options` asks for may demand. Raises RunError as `driver.run.run` does."""

    def find(source: Source) -> Demand:
        # Not needed when nothing has changed, and long to import.
        from gfpcheck.driver.analyse import find_out
        from gfpcheck.overview.demand.find import find_demand

        return find_demand(source, find_out(source, options.processes, progress))

    return ask(options, "demand", Demand, find, progress)
