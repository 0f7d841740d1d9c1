"""What the survey of transactions says. Plain data: it is kept, and written as JSON."""

from __future__ import annotations

import msgspec

from gfpcheck.overview.demand.amount import Amount
from gfpcheck.overview.demand.fates import Fate
from gfpcheck.overview.inventory.types import Size
from gfpcheck.overview.surveyed import Survey

SCHEMA_VERSION = 1
"""Of the JSON; it grows when a key changes its meaning or goes away."""

FATES: dict[Fate, str] = {
    "kept": "put where others find it: it outlives the transaction, as far as is known",
    "freed": "given back before the transaction has ended",
    "open": "given back by some callers, kept by others",
}


class Start(msgspec.Struct, frozen=True, order=True):
    """A place where a transaction is started: `function` calls `call` there. `least` and `bounded` as in
    `Transaction`, for this place alone, in pages."""

    file: str
    line: int
    function: str
    call: str
    least: int
    bounded: int


class Allocation(msgspec.Struct, frozen=True):
    """An allocation that a transaction may make. The place is that of the call in `function`, which calls `call`;
    `allocator` is what allocates. `maybe`: only if what is looked for is not there. `rounds` is how often it may be
    made on the shortest way to it, `via` ("file:line function"), by loops that are bounded; `loops` are the unbounded
    loops that it is in, on any way: numbers of `Transaction.loops`. `outside`: on some way it is in none of them."""

    file: str
    line: int
    column: int
    function: str
    call: str
    allocator: str
    object: str
    size: Size
    cache: str
    fate: Fate
    maybe: bool
    rounds: int
    loops: tuple[int, ...]
    outside: bool
    via: tuple[str, ...]


class Unbounded(msgspec.Struct, frozen=True, order=True):
    """A loop for which no bound was found: it goes on by `condition`. `takes` is the most that one round takes, without
    the rounds of other such loops in it. `inside`: it is come to in rounds of others alone."""

    file: str
    line: int
    function: str
    condition: str
    takes: Amount
    inside: bool


class Transaction(msgspec.Struct, frozen=True):
    """A type of transactions. `least` is what one takes that meets no error, at the start that takes least. `bounded`
    is the most that a way without an error takes, at the start that takes most: loops go round as often as they may,
    but those of `loops`, which have no bound, no more often than they must. `kept` is the same for what is not given
    back alone, `once` the same with a round of each of `loops`.

    `pointers` are calls through pointers of which nobody knows what they mean, `recursive` functions that call
    themselves, of which one round is counted. `chain` is the longest way down to an allocation."""

    type: str
    starts: tuple[Start, ...]
    least: Amount
    bounded: Amount
    kept: Amount
    once: Amount
    allocations: tuple[Allocation, ...]
    loops: tuple[Unbounded, ...]
    pointers: tuple[str, ...]
    recursive: tuple[str, ...]
    chain: tuple[str, ...]


class Demand(Survey, frozen=True, kw_only=True):
    """All transactions started in the files asked for, by type. `page` is the size of a page in bytes."""

    page: int
    transactions: tuple[Transaction, ...]
