"""What a rule is told about work that a function leaves to others, and waits for."""

from __future__ import annotations

from dataclasses import dataclass

from gfpcheck.findings import Place
from gfpcheck.rule_api.flags import Flags
from gfpcheck.rule_api.locks import Scope


@dataclass(frozen=True, slots=True)
class WorkerWait:
    """A call of `name` at `place` waits, in `scope`, for the function `worker`, which stands at `worker_place` and runs
    in another task: it allocates with `flags`, at the end of `way`, by `allocator`, and the task that waits may not do
    that."""

    name: str
    place: Place
    scope: Scope
    worker: str
    worker_place: Place
    allocator: str
    flags: Flags
    way: tuple[Place, ...]


def no_waits() -> tuple[WorkerWait, ...]:
    """The waits of a function that nothing is known of."""
    return ()
