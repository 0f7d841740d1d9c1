"""An inventory as text, as CSV and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gfpcheck.overview.inventory.compare import Difference
from gfpcheck.overview.inventory.totals import Totals, count
from gfpcheck.overview.inventory.types import KINDS, MEANING, SCHEMA_VERSION, TOKEN, Inventory, Requirement
from gfpcheck.overview.mentions import Mention, account_lines, fates
from gfpcheck.overview.writing import csv_lines, json_lines, some, table
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

_FEW = 4
_MANY = 1 << 30
_COLUMNS = (
    "change",
    "kind",
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
    "flags",
    "effective",
    "locks",
    "scopes",
    "contexts",
    "transactions",
    "handled",
    "unless",
    "via",
    "key",
)


def text(
    found: Inventory, mentions: Sequence[Mention], difference: Difference | None, style: Style, verbose: bool
) -> Iterator[str]:
    """The inventory for people: with a `difference`, what is not as it was, else all of it; then the totals."""
    if difference is None:
        for kind in KINDS:
            of_kind = [each for each in found.requirements if each.kind == kind]
            if of_kind:
                yield style.heading(f"== {kind}: {MEANING[kind]} ({len(of_kind)})")
                for each in of_kind:
                    yield from _lines(each, style, verbose)
                yield ""
    else:
        yield from _changes(difference, style, verbose)
    yield from _totals(count(found.requirements), style, verbose)
    yield from account_lines(mentions, [TOKEN], style, verbose)
    if found.losses:
        yield style.heading(f"== not looked at ({len(found.losses)})")
        yield from (f"  {printable(loss)}" for loss in (found.losses if verbose else found.losses[:_FEW]))


def csv(found: Inventory, difference: Difference | None) -> Iterator[str]:
    """The requirements as a table; with a `difference` also those that are gone."""
    old = {change.new.key: f"changed ({', '.join(change.what)})" for change in difference.changed} if difference else {}
    if difference:
        old |= {each.key: "added" for each in difference.added}
    rows = [_row(each, old.get(each.key, "")) for each in found.requirements]
    rows += [_row(each, "removed") for each in (difference.removed if difference else ())]
    return csv_lines(_COLUMNS, rows)


def json(found: Inventory, mentions: Sequence[Mention], difference: Difference | None) -> Iterator[str]:
    """All of it as one object, which `--diff` reads again."""
    members: dict[str, object] = {
        "schema_version": SCHEMA_VERSION,
        "tool": "gfpcheck",
        "version": found.version,
        "kernel": found.kernel,
        "arch": found.arch,
        "setup": found.setup,
        "totals": count(found.requirements),
        "mentioned": fates(mentions),
    }
    lists: dict[str, Sequence[object]] = {
        "requirements": found.requirements,
        "mentions": mentions,
        "losses": found.losses,
    }
    if difference is not None:
        members["compared_with"] = difference.before
        lists |= {"added": [each.key for each in difference.added], "removed": difference.removed}
        lists["changed"] = [{"key": each.new.key, "what": each.what} for each in difference.changed]
    return json_lines(members, lists)


def _lines(each: Requirement, style: Style, verbose: bool) -> Iterator[str]:
    most = _MANY if verbose else _FEW
    through = f", which reaches {each.allocator}()" if each.via else ""
    place = style.place(f"{printable(each.file)}:{each.line}")
    yield f"{place} {each.function}(): {printable(each.call)}(){through}"
    yield f"    asks for {_size(each)}"
    effective = "" if each.effective == each.flags else f"; in effect: {each.effective}"
    yield f"    with {printable(each.flags)}{effective}"
    sure = [f"{held.cls} ({held.kind})" for held in each.locks if not held.maybe]
    perhaps = [f"{held.cls} ({held.kind})" for held in each.locks if held.maybe]
    if sure:
        yield f"    holds {some(sure, most)}"
    if perhaps:
        yield f"    may hold {some(perhaps, most)}"
    contexts = [context for context in each.contexts if context != "called"]
    inside = [*each.scopes, *(f"called from {context}" for context in contexts)]
    if inside:
        yield f"    in {some(inside, most)}"
    if each.transactions:
        yield f"    transactions: {some(each.transactions, most)}"
    if each.unless:
        yield f"    unless {some(each.unless, most)}"
    if verbose and each.via:
        yield f"    through {' -> '.join(map(printable, each.via))}"
    if each.handled:
        yield "    the function has an error path, by which the failure could be handled"


def _size(each: Requirement) -> str:
    size = each.size
    what = printable(each.object or "memory")
    source = f", from cache {printable(each.cache)}" if each.cache else ""
    if size.how == "below":
        return f"{what}; how much is decided below{source}"
    if size.how == "unbounded":
        said = f" ({printable(size.text)})" if size.text else ""
        return f"{what}, unbounded{said}: depends on {printable(size.why)}{source}"
    most = "at most " if size.how == "bound" else ""
    said = f" ({printable(size.text)})" if size.how == "bound" else ""
    amount = f"{size.size} bytes" if size.size is not None else "pages"
    return f"{what}, {most}{amount}{said}, order {size.order}{source}"


def _changes(difference: Difference, style: Style, verbose: bool) -> Iterator[str]:
    for title, found in (("added", difference.added), ("removed", difference.removed)):
        yield style.heading(f"== {title} since Linux {difference.before} ({len(found)})")
        for kind in KINDS:
            for each in found:
                if each.kind == kind:
                    yield f"{kind:8} " + next(_lines(each, style, verbose))
                    if verbose:
                        yield from list(_lines(each, style, verbose))[1:]
        yield ""
    yield style.heading(f"== in both: {difference.same} the same, {len(difference.changed)} not")
    for change in difference.changed if verbose else ():
        place = style.place(f"{printable(change.new.file)}:{change.new.line}")
        yield f"{place} {change.new.function}(): {change.new.call}(): {', '.join(change.what)}"
    yield ""
    kinds = {}
    for kind in KINDS:
        came = sum(each.kind == kind for each in difference.added)
        went = sum(each.kind == kind for each in difference.removed)
        kinds[kind] = f"{kind:8} {came:5} added {went:5} removed"
    yield from kinds.values()
    yield ""


def _totals(totals: Totals, style: Style, verbose: bool) -> Iterator[str]:
    yield style.heading(f"== totals: {totals.all} allocations that may not fail")
    yield from table("by kind", totals.kinds)
    yield from table("by folder", totals.subsystems)
    yield from table("by size", totals.sizes)
    yield from table("by lock that may be held (one may count under several)", totals.locks, 0 if verbose else 10)
    yield f"{totals.handled} of {totals.all} are in functions that have an error path already"
    yield ""


def _row(each: Requirement, change: str) -> tuple[object, ...]:
    locks = tuple(f"{'maybe ' if held.maybe else ''}{held.cls} ({held.kind}, {held.by})" for held in each.locks)
    size = each.size
    amount = (size.how, size.size, size.text, size.why, size.order)
    who = (change, each.kind, each.file, each.line, each.function, each.call, each.allocator, each.object)
    around = (locks, each.scopes, each.contexts, each.transactions, each.handled, each.unless, each.via, each.key)
    return (*who, *amount, each.cache, each.flags, each.effective, *around)
