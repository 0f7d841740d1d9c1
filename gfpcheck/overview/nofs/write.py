"""The survey of restricted flags as text, as CSV and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from gfpcheck.overview.mentions import Mention, account_lines, fates
from gfpcheck.overview.nofs.types import MEANING, SCHEMA_VERSION, TOKENS, WHYS, Reason, Restriction, Restrictions
from gfpcheck.overview.writing import csv_lines, json_lines, table
from gfpcheck.report.lines import printable
from gfpcheck.report.style import Style

_FEW = 3
_MANY = 1 << 30
_COLUMNS = (
    "verdict",
    "flag",
    "file",
    "line",
    "function",
    "call",
    "flags",
    "reasons",
    "begins_in",
    "begins_at",
    "always",
    "advice",
    "looked_at",
    "key",
)


class Totals(msgspec.Struct, frozen=True):
    """Numbers of calls. Each of `verdicts`, `flags` and `subsystems` adds up to `all`."""

    all: int
    verdicts: dict[str, int]
    flags: dict[str, int]
    subsystems: dict[str, int]


def count(calls: Sequence[Restriction]) -> Totals:
    """The totals of `calls`."""
    verdicts = Counter(call.verdict for call in calls)
    flags = Counter(call.flag for call in calls)
    folders = Counter(call.subsystem for call in calls)
    return Totals(
        len(calls),
        {why: verdicts[why] for why in WHYS},
        {token: flags[token] for token in TOKENS},  # type: ignore[index]
        dict(sorted(folders.items())),
    )


def text(found: Restrictions, mentions: Sequence[Mention], style: Style, verbose: bool) -> Iterator[str]:
    """The survey for people: the calls by what asks for their flags, then the totals."""
    for why in WHYS:
        calls = [call for call in found.calls if call.verdict == why]
        if calls:
            yield style.heading(f"== {why}: {MEANING[why]} ({len(calls)})")
            for call in calls:
                yield from _lines(call, style, verbose)
            yield ""
    totals = count(found.calls)
    yield style.heading(f"== totals: {totals.all} calls with {', '.join(TOKENS)}")
    yield from table("by what asks for it", totals.verdicts)
    yield from table("by flag", totals.flags)
    yield from table("by folder", totals.subsystems)
    yield ""
    yield from account_lines(mentions, TOKENS, style, verbose)
    if found.losses:
        yield style.heading(f"== not looked at ({len(found.losses)})")
        yield from (f"  {printable(loss)}" for loss in (found.losses if verbose else found.losses[:_FEW]))


def csv(found: Restrictions) -> Iterator[str]:
    """The calls as a table, with all reasons; where the best one begins."""
    return csv_lines(_COLUMNS, map(_row, found.calls))


def json(found: Restrictions, mentions: Sequence[Mention]) -> Iterator[str]:
    """All of it as one object."""
    members = {
        "schema_version": SCHEMA_VERSION,
        "tool": "gfpcheck",
        "version": found.version,
        "kernel": found.kernel,
        "arch": found.arch,
        "setup": found.setup,
        "totals": count(found.calls),
        "mentioned": fates(mentions),
    }
    return json_lines(members, {"calls": found.calls, "mentions": mentions, "losses": found.losses})


def _lines(call: Restriction, style: Style, verbose: bool) -> Iterator[str]:
    place = style.place(f"{printable(call.file)}:{call.line}")
    yield f"{place} {call.function}(): {printable(call.call)}() with {printable(call.flags)}: {call.flag}"
    most = _MANY if verbose else _FEW
    for reason in call.reasons[:most]:
        yield f"    {_reason(reason)}"
        if reason.proof:
            yield f"        reclaim waits for it through {printable(reason.proof)}"
    if len(call.reasons) > most:
        yield f"    and {len(call.reasons) - most} more"
    if call.verdict in ("none", "held") or verbose:
        yield f"    looked at {printable(call.looked_at)}"
    if call.advice:
        yield f"    instead: {printable(call.advice)}"


def _reason(reason: Reason) -> str:
    begins = f", since {reason.place} in {reason.function}()" if reason.place and reason.function else ""
    how = "" if reason.always else " (on some ways)"
    return f"{reason.why}: {printable(reason.what)}{printable(begins)}{how}"


def _row(call: Restriction) -> tuple[object, ...]:
    best = call.reasons[0] if call.reasons else None
    where = (best.function, best.place, best.always) if best is not None else ("", "", None)
    reasons = tuple(f"{reason.why}: {reason.what}" for reason in call.reasons)
    what = (call.verdict, call.flag, call.file, call.line, call.function, call.call, call.flags)
    return (*what, reasons, *where, call.advice, call.looked_at, call.key)
