"""Surveys as CSV, and the pieces of text and JSON that they share."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gfpcheck.report.jsonlines import dumps
from gfpcheck.report.lines import one_line, printable

FORMATS = ("text", "csv", "json")


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table as CSV, RFC 4180 but for the ends of lines: a heading, then a line a row. Values are printable; several
    in one cell stand with "; " between them, "yes" and "no" for what is true or not, nothing for what is unknown."""
    yield ",".join(columns)
    for row in rows:
        sink = io.StringIO()
        csv.writer(sink, lineterminator="").writerow([_cell(value) for value in row])
        yield sink.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = one_line("; ".join(map(str, value)) if isinstance(value, tuple) else str(value))
    # A spreadsheet must not take a text of the source for a formula.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") and isinstance(value, str) else text


def json_lines(members: Mapping[str, object], lists: Mapping[str, Sequence[object]]) -> Iterator[str]:
    """One JSON object: a line for each of `members`, then each of `lists` with an item a line."""
    for number, (key, value) in enumerate(members.items()):
        yield f"{'{' if not number else ''}{dumps(key)}:{dumps(value)},"
    for number, (key, items) in enumerate(lists.items()):
        end = "]}" if number == len(lists) - 1 else "],"
        yield f"{dumps(key)}:[" + ("" if items else end)
        for index, item in enumerate(items):
            yield dumps(item) + ("," if index < len(items) - 1 else end)


def some(values: Iterable[str], most: int) -> str:
    """The first `most` of the values, and how many more there are."""
    every = [printable(value) for value in values]
    more = len(every) - most
    return ", ".join(every[:most]) + (f" and {more} more" if more > 0 else "")


def table(title: str, counts: Mapping[str, int], most: int = 0) -> Iterator[str]:
    """Numbers with their names, the first `most` of them if that is not 0."""
    yield f"{title}:"
    items = [(name, number) for name, number in counts.items() if number]
    for name, number in items[:most] if most else items:
        yield f"{number:7}  {printable(name)}"
    if most and len(items) > most:
        yield f"         and {len(items) - most} more"
