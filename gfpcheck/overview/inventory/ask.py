"""The inventory of a run: found, or kept from an earlier one."""

from __future__ import annotations

from gfpcheck.driver.options import Options, Progress
from gfpcheck.driver.source import Source
from gfpcheck.overview.asking import ask
from gfpcheck.overview.inventory.types import Inventory


def inventory(options: Options, progress: Progress | None = None) -> Inventory:
    """The inventory of what `options` asks for. Raises RunError as `driver.run.run` does."""

    def find(source: Source) -> Inventory:
        # Not needed when nothing has changed, and long to import.
        from gfpcheck.driver.analyse import find_out
        from gfpcheck.overview.inventory.find import take_inventory

        return take_inventory(source, find_out(source, options.processes, progress))

    return ask(options, "inventory", Inventory, find, progress)
