"""Files of suppressions: findings that were looked at and may stay, each with a reason; outside of the source, in
TOML."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import msgspec

from gfpcheck.findings import Entry
from gfpcheck.report.files import ReportError, replacing
from gfpcheck.triage.keys import UnknownKeyError, check_keys
from gfpcheck.triage.policy import Accepted, TriageError

NAME = "gfpcheck-suppressions.toml"
_HEAD = "# Findings of gfpcheck that were looked at and may stay. `gfpcheck suppress` adds to it.\n"


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    fingerprint: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    rule: Annotated[str, msgspec.Meta(min_length=1)]
    reason: Annotated[str, msgspec.Meta(pattern=r"\S")]
    file: str = ""
    function: str = ""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    suppress: tuple[_Entry, ...] = ()


def load_accepted(path: Path) -> tuple[Accepted, ...]:
    """The entries of a file of suppressions. Raises TriageError, for an entry without a reason, too."""
    try:
        text = path.read_text(encoding="utf-8")
        data = tomllib.loads(text)
    except OSError as error:
        raise TriageError(f"suppressions {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise TriageError(f"suppressions {path}: {error}") from error
    try:
        check_keys(data, _File)
        rows = data.get("suppress", [])
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict):
                check_keys(row, _Entry)
        entries = msgspec.convert(data, _File).suppress
    except (UnknownKeyError, msgspec.ValidationError) as error:
        raise TriageError(f"suppressions {path}: {error}") from error
    lines = _lines(text)
    return tuple(
        Accepted(
            each.fingerprint,
            each.rule,
            " ".join(each.reason.split()),
            each.file,
            str(path),
            lines.get(each.fingerprint, 1),
        )
        for each in entries
    )


def add_accepted(path: Path, entries: Iterable[Entry], reason: str) -> int:
    """Adds an entry for each of these findings that has none, and says how many these are; makes the file if need be.
    What is in it stays as it is, comments too. Raises TriageError."""
    before = load_accepted(path) if path.exists() else ()
    there = {(each.fingerprint, each.file) for each in before}
    new = [each for each in dict.fromkeys(entries) if (each.fingerprint, each.file) not in there]
    if not new:
        return 0
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else _HEAD
        with replacing(str(path)) as stream:
            stream.write(text if text.endswith("\n") or not text else f"{text}\n")
            for each in new:
                stream.write(_row(each, reason))
    except (OSError, ReportError) as error:
        raise TriageError(str(error)) from error
    return len(new)


def _row(entry: Entry, reason: str) -> str:
    values = {**msgspec.structs.asdict(entry), "reason": " ".join(reason.split())}
    # A TOML string is a JSON string, but for the escape of DEL.
    rows = (
        f"{key} = {json.dumps(value, ensure_ascii=False)}\n".replace("\x7f", "\\u007f") for key, value in values.items()
    )
    return "\n[[suppress]]\n" + "".join(rows)


def _lines(text: str) -> dict[str, int]:
    """The line that each fingerprint stands in first."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        for word in re.findall(r"\b[0-9a-f]{32}\b", line):
            found.setdefault(word, number)
    return found
