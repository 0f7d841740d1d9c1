"""What the analysis has found out about functions, in the store: a change costs what it changes."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from gfpcheck.analysis.kept import Kept
from gfpcheck.driver.tool import code_digest
from gfpcheck.kbuild import Plan
from gfpcheck.models import GfpFlags, Models
from gfpcheck.store import Store, digest

_KIND = "summaries"
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Summaries:
    """What is kept of the folders that `plan` is about; nothing if the store keeps nothing. `tool` names everything
    that summaries depend on but for the program."""

    def __init__(self, store: Store, plan: Plan, knowledge: Models, gfp: GfpFlags) -> None:
        self._store = store
        self.tool = digest(code_digest("analysis", "ir", "models"), *models_and_flags(knowledge, gfp))
        folders = sorted({unit.rel.rpartition("/")[0] for unit in plan.units})
        self._question = digest(self.tool, plan.arch, *folders)
        self.kept = Kept(store.get(_KIND, self._question)) if store.keeps else None

    def save(self) -> None:
        """Keeps what there is now."""
        table = None if self.kept is None else self.kept.table()
        if table is not None:
            self._store.put(_KIND, self._question, table)


def models_and_flags(knowledge: Models, gfp: GfpFlags) -> Iterable[bytes]:
    """The models and the flags, as what a name is made of."""
    tables = [getattr(knowledge, name) for name in knowledge.__struct_fields__]
    entries = [sorted(table.items()) if isinstance(table, dict) else table for table in tables]
    return map(_encode, (entries, gfp.values, gfp.constants))
