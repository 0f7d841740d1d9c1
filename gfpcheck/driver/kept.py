"""Reports that are kept: if nothing has changed, the last one holds.

Which files are followed is known only after those asked for have been read. So that is kept, too: by the same key as a
report of these files alone, and what the tree's index says.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from gfpcheck import __version__
from gfpcheck.driver.options import Options
from gfpcheck.driver.rules import package_places
from gfpcheck.driver.summaries import models_and_flags
from gfpcheck.driver.tool import code_digest
from gfpcheck.findings import Report
from gfpcheck.kbuild import Plan
from gfpcheck.models import GfpFlags, Models
from gfpcheck.store import Store, digest

Answer = TypeVar("Answer", bound=msgspec.Struct)

_KIND = "report"
_BEYOND = "followed"


class Beyond(msgspec.Struct, array_like=True):
    """The files that were followed, as `Unit.rel`, and a digest of which function was taken from where. What decided
    between the `places` that were thought of is not in the index: how they are built. `state` names that."""

    files: list[str]
    callees: str
    places: list[str]
    state: str


def find_beyond(store: Store, key: str) -> Beyond | None:
    """What was followed, by `beyond_key`."""
    data = store.get(_BEYOND, key)
    try:
        return None if data is None else msgspec.msgpack.decode(data, type=Beyond)
    except msgspec.DecodeError:  # of another version
        return None


def keep_beyond(store: Store, key: str, beyond: Beyond) -> None:
    """Keeps what was followed."""
    store.put(_BEYOND, key, msgspec.msgpack.encode(beyond))


def report_key(
    plan: Plan, knowledge: Models, gfp: GfpFlags, options: Options, units: list[str | None], store: Store
) -> str | None:
    """What names the report of this run; None if it cannot be kept. `units` names the IR of each unit.

    Everything else that a report depends on is here: the tool, the plan, the models, the rules, the options. What
    becomes of the findings afterwards (`gfpcheck.triage`) is not: it is made anew every time.
    """
    known = [unit for unit in units if unit is not None]
    if not store.keeps or len(known) < len(units):
        return None
    try:
        rules = [part for place in (*options.rule_dirs, *package_places()) for part in _files(place)]
    except OSError:
        return None
    asked = (options.select, options.ignore, options.rules_page, options.follow, options.scenarios)
    encode = msgspec.msgpack.Encoder(order="deterministic").encode
    what = (encode(plan), *models_and_flags(knowledge, gfp), *map(encode, asked))
    return digest(__version__, code_digest(), *what, *rules, *known)


def _files(place: Path) -> list[str | bytes]:
    """A rule module, or the files of a folder of rules and of those below: a rule may read what lies beside it."""
    found: list[str | bytes] = [str(place.absolute())]
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        if path.is_file() and "__pycache__" not in path.parts:
            found += [str(path), path.read_bytes()]
    return found


def find_report(store: Store, key: str) -> Report | None:
    """The report of that key, if it is kept."""
    return find_answer(store, _KIND, key, Report)


def find_answer(store: Store, kind: str, key: str, type_: type[Answer]) -> Answer | None:
    """The answer of that kind and key, if it is kept."""
    data = store.get(kind, key)
    try:
        return None if data is None else msgspec.msgpack.decode(data, type=type_)
    except msgspec.DecodeError:  # of another version
        return None


def keep_answer(store: Store, kind: str, key: str, answer: msgspec.Struct) -> None:
    """Keeps an answer that is made of plain data."""
    store.put(kind, key, msgspec.msgpack.encode(answer))


def keep_report(store: Store, key: str, report: Report) -> None:
    """Keeps a report, unless a rule has failed: it may do better the next time. One that would not come back as it is
    (properties may hold anything) is not kept either."""
    if any(loss.phase == "rule" for loss in report.losses):
        return
    try:
        data = msgspec.msgpack.encode(report)
    except (TypeError, ValueError, OverflowError):
        return
    if msgspec.msgpack.decode(data, type=Report) == report:
        store.put(_KIND, key, data)
