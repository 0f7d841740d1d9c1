"""What an inventory says. Plain data: it is kept, written as JSON, and read again to be compared."""

from __future__ import annotations

from typing import Literal

import msgspec

from gfpcheck.overview.surveyed import Survey

SCHEMA_VERSION = 1
"""Of the JSON; it grows when a key changes its meaning or goes away."""

TOKEN = "__GFP_NOFAIL"
Kind = Literal["explicit", "helper", "loop", "small"]
KINDS: tuple[Kind, ...] = ("explicit", "helper", "loop", "small")
MEANING = {
    "explicit": "__GFP_NOFAIL is written there",
    "helper": "a function that is called adds it, or never gives up",
    "loop": "an open-coded loop tries until it succeeds",
    "small": "nobody looks whether it has failed: taken to be too small to fail",
}

How = Literal["constant", "sizeof", "cache", "bound", "unbounded", "below"]
"""How a size is known: a constant, the size of a type, that of a cache's objects, the most that was found; or not:
`unbounded`, or decided `below` the call, in the helper."""

SIZE_CLASSES = ("up to 256 bytes", "up to a page", "two pages", "up to 8 pages", "more", "unbounded", "decided below")


class Size(msgspec.Struct, frozen=True):
    """How much is asked for. `size` in bytes is exact, or the most for "bound"; None if it is not known. `text` is what
    the source says ("sizeof(struct x)"), `why` what keeps it from having a bound. `order` is that of the pages that it
    takes at least, as a power of two."""

    how: How
    size: int | None = None
    text: str = ""
    why: str = ""
    order: int | None = None


class Held(msgspec.Struct, frozen=True, order=True):
    """A lock that is held there: `cls` as lockdep would name it. `by`: "here", or "callers". `maybe`: on some ways."""

    cls: str
    kind: str
    by: Literal["here", "callers"]
    maybe: bool


class Requirement(msgspec.Struct, frozen=True):
    """One allocation that may not fail. The place is that of the call in `function`, which calls `call`; `allocator`
    is what allocates at the end of `via`, the places "file:line function" on the way down.

    `key` names it in every version of the code that has it: no line goes into it. `contexts` are those that the ways to
    the function begin in. `transactions` may be open there. `handled`: the function has an error path already, so that
    the failure could be handled. `unless` are the conditions under which a loop ends all the same.
    """

    key: str
    kind: Kind
    file: str
    line: int
    column: int
    function: str
    call: str
    allocator: str
    via: tuple[str, ...]
    object: str
    size: Size
    cache: str
    flags: str
    effective: str
    locks: tuple[Held, ...]
    scopes: tuple[str, ...]
    contexts: tuple[str, ...]
    transactions: tuple[str, ...]
    handled: bool
    unless: tuple[str, ...] = ()

    @property
    def subsystem(self) -> str:
        """The folder of the file."""
        return self.file.rpartition("/")[0] or "."

    @property
    def size_class(self) -> str:
        """One of `SIZE_CLASSES`."""
        if self.size.how == "below":
            return "decided below"
        size, order = self.size.size, self.size.order
        if size is None and order is None:
            return "unbounded"
        if size is not None and size <= 256:
            return SIZE_CLASSES[0]
        return {0: SIZE_CLASSES[1], 1: SIZE_CLASSES[2], 2: SIZE_CLASSES[3], 3: SIZE_CLASSES[3]}.get(order or 0, "more")


class Kept(msgspec.Struct, frozen=True):
    """What is read back of an inventory that was written as JSON."""

    schema_version: int
    kernel: str
    requirements: tuple[Requirement, ...]


class Inventory(Survey, frozen=True, kw_only=True):
    """All requirements of the files asked for, in the order of files and lines."""

    requirements: tuple[Requirement, ...]
