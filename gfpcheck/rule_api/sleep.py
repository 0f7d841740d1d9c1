"""What a rule is told of how a function sleeps."""

from __future__ import annotations

from dataclasses import dataclass

from gfpcheck.findings import Place
from gfpcheck.rule_api.locks import Lock


@dataclass(frozen=True, slots=True)
class Sleep:
    """A function sleeps: `always`, before it comes back, or on some path. `way` leads from a call in it down to that of
    `what`, which waits."""

    always: bool
    what: str
    way: tuple[Place, ...]

    def __str__(self) -> str:
        """For messages: "sleeps in mutex_lock()", "may sleep in schedule()"."""
        return f"{'sleeps' if self.always else 'may sleep'} in {self.what}()"


def no_sleep() -> Sleep | None:
    """How a function sleeps that nothing is known of."""
    return None


def no_sleep_under(lock: Lock) -> Sleep | None:
    """The same, with a lock held."""
    return None
