"""Baselines: findings that were there before, read from a report of ours and written as a list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from gfpcheck.findings import Entry
from gfpcheck.report.files import ReportError, replacing
from gfpcheck.report.jsonlines import write_list, write_members
from gfpcheck.triage.policy import TriageError

SCHEMA_VERSION = 1
FINGERPRINT = "gfpcheck/v1"


def load_baseline(path: Path) -> tuple[Entry, ...]:
    """The findings in a baseline, in a JSON report or in a SARIF log of gfpcheck, sorted. Raises TriageError."""
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise TriageError(f"baseline {path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise TriageError(f"baseline {path}: it is neither JSON nor SARIF: {error}") from error
    try:
        if isinstance(data, dict) and "runs" in data:
            found = list(_of_sarif(data))
        elif isinstance(data, dict) and data.get("tool") == "gfpcheck":
            _check_version(path, data["schema_version"])
            found = list(_of_json(data["findings"]))
        else:
            raise TriageError(f"baseline {path}: it is neither a baseline nor a report of gfpcheck (JSON or SARIF)")
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise TriageError(
            f"baseline {path}: it is not as gfpcheck writes it ({type(error).__name__}: {error})"
        ) from error
    return tuple(sorted(set(found)))


def write_baseline(path: Path, entries: Sequence[Entry]) -> None:
    """Writes a baseline, all or nothing: an entry a line, without lines and messages, so that it changes only when
    findings come or go. Raises TriageError."""
    rows = (
        {"rule": each.rule, "file": each.file, "function": each.function, "fingerprint": each.fingerprint}
        for each in sorted(entries)
    )
    try:
        with replacing(str(path)) as stream:
            stream.write("{\n")
            write_members({"schema_version": SCHEMA_VERSION, "tool": "gfpcheck", "kind": "baseline"}, stream)
            write_list("findings", rows, stream)
            stream.write("\n}\n")
    except ReportError as error:
        raise TriageError(str(error)) from error


def _check_version(path: Path, version: object) -> None:
    if version != SCHEMA_VERSION:
        raise TriageError(f"baseline {path}: its schema_version is {version}, and this gfpcheck reads {SCHEMA_VERSION}")


def _of_json(findings: Iterable[Mapping[str, Any]]) -> Iterator[Entry]:
    for each in findings:
        if not each.get("suppressions"):
            yield _entry(each["rule"], each)
            for other in each.get("properties", {}).get("members", ()):
                yield _entry(each["rule"], other)


def _of_sarif(log: Mapping[str, Any]) -> Iterator[Entry]:
    for run in log["runs"]:
        for result in run.get("results") or ():
            if result.get("suppressions") or result.get("baselineState") == "absent":
                continue
            location = result["locations"][0]
            functions = location.get("logicalLocations") or [{}]
            yield _checked(
                unquote(location["physicalLocation"]["artifactLocation"]["uri"], errors="surrogateescape"),
                result["ruleId"],
                functions[0].get("name", ""),
                result["fingerprints"][FINGERPRINT],
            )
            for other in result.get("properties", {}).get("members", ()):
                yield _entry(result["ruleId"], other)


def _entry(rule: str, data: Mapping[str, Any]) -> Entry:
    return _checked(data["file"], rule, data["function"], data["fingerprint"])


def _checked(*words: object) -> Entry:
    if not all(isinstance(word, str) for word in words):
        raise TypeError("a word that is no text")
    return Entry(*map(str, words))
