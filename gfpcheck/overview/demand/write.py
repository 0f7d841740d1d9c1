"""The demand of transactions as text, as CSV and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TypedDict

from gfpcheck.overview.demand.amount import Amount
from gfpcheck.overview.demand.types import FATES, SCHEMA_VERSION, Allocation, Demand, Start, Transaction, Unbounded
from gfpcheck.overview.writing import csv_lines, json_lines
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

_FEW = 6
_MANY = 1 << 30
_COLUMNS = (
    "type",
    "file",
    "line",
    "function",
    "call",
    "allocator",
    "object",
    "size_is",
    "size",
    "size_text",
    "unbounded_because",
    "order",
    "cache",
    "fate",
    "maybe",
    "rounds",
    "unbounded_loops",
    "outside",
    "via",
)
_APPROXIMATIONS = (
    "least, in bytes: what every transaction takes that meets no error.",
    "bounded, in pages: what the way takes that takes most. Loops with a bound go round as often as they may; those",
    "  without are left out, and stand below with what each of their rounds adds.",
    "kept: the part of it that is not given back.",
    "What is held at one time lies between these two.",
    "Each call counts once for every way down to it, as if nothing that is looked for in a cache were there; not what",
    "the constants passed exclude, nor what a flag asks for that is not set in the transaction. A function that calls",
    "itself does so once; what follows an error does not count. Objects fill their pages. What has no known size, or",
    "is called by a pointer that is not known, is counted apart.",
)


class Totals(TypedDict):
    """Numbers of allocations, each counted once for each type of transactions that reaches it."""

    transactions: int
    starts: int
    allocations: int
    fates: dict[str, int]
    sizes: dict[str, int]


def totals(found: Demand) -> Totals:
    """The totals of the survey; `fates` and `sizes` add up to `allocations`."""
    every = [allocation for each in found.transactions for allocation in each.allocations]
    fates, sizes = Counter(a.fate for a in every), Counter(a.size.how for a in every)
    return {
        "transactions": len(found.transactions),
        "starts": sum(len(each.starts) for each in found.transactions),
        "allocations": len(every),
        "fates": {fate: fates[fate] for fate in FATES},
        "sizes": dict(sorted(sizes.items())),
    }


def text(found: Demand, style: Style, verbose: bool) -> Iterator[str]:
    """The survey for people: a table of all types, then each of them."""
    if not found.transactions:
        yield "no function in these files starts a transaction that is known"
    else:
        yield style.heading(f"== {len(found.transactions)} types of transactions; pages of {found.page} bytes")
        yield f"{'least':>7} {'bounded':>8} {'kept':>7} {'loops':>6} {'starts':>7}  type"
        for each in found.transactions:
            pages = [amount.in_pages(found.page) for amount in (each.bounded, each.kept)]
            numbers = (each.least.weight(found.page)[0], *pages, len(each.loops), len(each.starts))
            yield "{:>7} {:>8} {:>7} {:>6} {:>7}".format(*numbers) + f"  {printable(each.type)}"
        yield ""
        yield from _APPROXIMATIONS
        yield ""
        for each in found.transactions:
            yield from _transaction(each, found, style, verbose)
            yield ""
    if found.losses:
        yield style.heading(f"== not looked at ({len(found.losses)})")
        yield from (f"  {printable(loss)}" for loss in (found.losses if verbose else found.losses[:_FEW]))


def csv(found: Demand) -> Iterator[str]:
    """The allocations as a table, a line for each and for each type of transactions that reaches it."""
    return csv_lines(_COLUMNS, (_row(each, a) for each in found.transactions for a in each.allocations))


def json(found: Demand) -> Iterator[str]:
    """All of it as one object."""
    members: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "tool": "gfpcheck",
        "version": found.version,
        "kernel": found.kernel,
        "arch": found.arch,
        "setup": found.setup,
        "page": found.page,
        "totals": totals(found),
    }
    return json_lines(members, {"transactions": found.transactions, "losses": found.losses})


def _transaction(each: Transaction, found: Demand, style: Style, verbose: bool) -> Iterator[str]:
    most = _MANY if verbose else _FEW
    yield style.heading(f"== {printable(each.type)}")
    yield f"least   {_amount(each.least, found)}"
    yield f"bounded {_amount(each.bounded, found)}"
    yield f"kept    {_amount(each.kept, found)}"
    yield from _listed("started in", [_start(start) for start in each.starts], most, "place")
    outside = [allocation for allocation in each.allocations if allocation.outside]
    rest = len(each.allocations) - len(outside)
    yield f"  {len(each.allocations)} calls allocate, {rest} of them in loops without a bound alone" + (
        ":" if verbose else "; the others:"
    )
    if verbose:
        for allocation in each.allocations:
            yield from _allocation(allocation, style)
    else:
        yield from _kinds(outside, _MANY)
    loops = _heaviest(each.loops, found)
    for title, inside in (("not bounded, and what each round takes", False), ("in rounds of these", True)):
        yield from _listed(title, [_loop(loop, found) for loop in loops if loop.inside == inside], most, "loop")
    if not each.loops:
        yield "  every loop is bounded"
    unsized = Counter(_unsized(a) for a in each.allocations if a.size.size is None and a.size.order is None)
    yield from _listed("size not known", [f"{n} x {what}" for what, n in unsized.most_common()], most, "kind")
    yield from _listed("not followed", list(map(printable, each.pointers)), most, "pointer")
    yield from _listed("recursive, one round counted", list(map(printable, each.recursive)), most, "function")
    if each.chain:
        yield f"  longest chain, {len(each.chain) - 1} calls:"
        yield f"    {' -> '.join(printable(step.rpartition(' ')[2]) for step in each.chain)}"


def _listed(title: str, lines: Sequence[str], most: int, what: str) -> Iterator[str]:
    if lines:
        plural = what if len(lines) == 1 else f"{what}s"
        yield f"  {title}: {len(lines)} {plural}"
        yield from (f"    {line}" for line in lines[:most])
        if len(lines) > most:
            yield f"    and {len(lines) - most} more"


def _start(start: Start) -> str:
    place = f"{printable(start.file)}:{start.line}"
    return f"{place} {start.function}(): {printable(start.call)}(), from {start.least} to {start.bounded} pages"


def _heaviest(loops: Sequence[Unbounded], found: Demand) -> list[Unbounded]:
    return sorted(loops, key=lambda loop: (-loop.takes.weight(found.page)[0], loop))


def _loop(loop: Unbounded, found: Demand) -> str:
    takes = _amount(loop.takes, found)
    return f"{printable(loop.file)}:{loop.line} {loop.function}(): while {printable(loop.condition)}: {takes}"


def _kinds(allocations: Sequence[Allocation], most: int) -> Iterator[str]:
    """The allocations by what they allocate."""
    kinds = Counter((_what(a), _size(a), a.fate) for a in allocations)
    for (what, size, fate), number in kinds.most_common(most):
        yield f"  {number:4} x {printable(what)}, {size}, {fate}"
    if len(kinds) > most:
        yield f"         and {len(kinds) - most} kinds more"


def _what(allocation: Allocation) -> str:
    return allocation.object or (
        f"object of {allocation.cache}" if allocation.cache else f"by {allocation.allocator}()"
    )


def _size(allocation: Allocation) -> str:
    size = allocation.size
    if size.size is None and size.order is None:
        return "size not known"
    most = "at most " if size.how == "bound" else ""
    if allocation.size.size is None or (size.order or 0) > 0:
        return f"{most}order {size.order}"
    return f"{most}{size.size} bytes"


def _unsized(allocation: Allocation) -> str:
    why = allocation.size.why or "decided below"
    said = f" ({printable(allocation.size.text)})" if allocation.size.text else ""
    return f"{printable(_what(allocation))}{said}: {printable(why)}"


def _allocation(each: Allocation, style: Style) -> Iterator[str]:
    place = style.place(f"{printable(each.file)}:{each.line}")
    through = f", which calls {each.allocator}()" if each.call != each.allocator else ""
    yield f"  {place} {each.function}(): {printable(each.call)}(){through}"
    cache = f", from cache {printable(each.cache)}" if each.cache else ""
    why = f": {printable(each.size.why)}" if each.size.why else ""
    maybe = ", if it is not there" if each.maybe else ""
    yield f"    {printable(each.object or 'memory')}, {_size(each)}{why}{cache}{maybe}; {each.fate}: {FATES[each.fate]}"
    if each.loops or each.rounds > 1:
        rounds = f"{each.rounds} times by loops that are bounded" if each.rounds > 1 else ""
        loops = f"in {len(each.loops)} loops that are not bounded" if each.loops else ""
        yield f"    {', '.join(part for part in (rounds, loops) if part)}"


def _amount(amount: Amount, found: Demand) -> str:
    unsized = f" and {amount.unsized} of unknown size" if amount.unsized else ""
    objects = amount.objects - amount.unsized
    if not amount.pages and amount.bytes < found.page:
        said = f"{amount.bytes} bytes"
    else:
        said = f"{amount.in_pages(found.page)} pages"
    return f"{said} ({objects} object{'' if objects == 1 else 's'}{unsized})"


def _row(each: Transaction, a: Allocation) -> tuple[object, ...]:
    loops = tuple(f"{each.loops[n].file}:{each.loops[n].line} {each.loops[n].condition}" for n in a.loops)
    size = (a.size.how, a.size.size, a.size.text, a.size.why, a.size.order)
    who = (each.type, a.file, a.line, a.function, a.call, a.allocator, a.object)
    return (*who, *size, a.cache, a.fate, a.maybe, a.rounds, loops, a.outside, a.via)
