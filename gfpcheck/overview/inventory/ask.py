"""The inventory of a run: found, or kept from an earlier one."""

from __future__ import annotations

from gfpcheck.driver.kept import find_answer, keep_answer
from gfpcheck.driver.options import Options, Progress
from gfpcheck.driver.run import answer
from gfpcheck.driver.source import Source
from gfpcheck.overview.inventory.types import Inventory
from gfpcheck.store import Store

_KIND = "inventory"


def inventory(options: Options, progress: Progress | None = None) -> Inventory:
    """The inventory of what `options` asks for. Raises RunError as `driver.run.run` does."""

    def find(source: Source) -> Inventory:
        # Not needed when nothing has changed, and long to import.
        from gfpcheck.driver.analyse import find_out
        from gfpcheck.overview.inventory.find import take_inventory

        return take_inventory(source, find_out(source, options.processes, progress))

    def look(store: Store, key: str) -> Inventory | None:
        return find_answer(store, _KIND, key, Inventory)

    return answer(options, look, find, _keep, progress)


def _keep(store: Store, key: str, found: Inventory) -> None:
    keep_answer(store, _KIND, key, found)
