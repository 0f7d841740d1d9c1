"""What every SARIF log of ours must satisfy: the published schema, and what GitHub asks beyond it."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

_SCHEMA = Path(__file__).parents[1] / "data" / "sarif-schema-2.1.0.json"
# RFC 3986: what may stand in a path, percent escapes included.
_PATH = r"(?:[A-Za-z0-9._~!$&'()*+,;=@/-]|%[0-9A-F]{2})*"
_RELATIVE_URI = re.compile(f"(?!/){_PATH}")
_FILE_URI = re.compile(f"file:///{_PATH}")


@functools.cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads(_SCHEMA.read_text()))


def checked(text: str) -> Any:
    """The run in a SARIF log of one run, after all checks."""
    assert text.isascii()
    log = json.loads(text)
    _validator().validate(log)
    assert list(log)[:3] == ["$schema", "version", "runs"]
    (run,) = log["runs"]
    assert all(value != "" for value in _strings(run, skip=("properties",)))
    _check_rules(run)
    assert len(run["results"]) <= 25_000
    for result in run["results"]:
        _check_result(result, run)
    return run


def _strings(value: Any, skip: tuple[str, ...]) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in skip:
                yield from _strings(item, skip)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, skip)


def _check_rules(run: Any) -> None:
    for rule in run["tool"]["driver"]["rules"]:
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert len(rule["name"]) <= 255
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        assert rule["properties"]["precision"] in ("very-high", "high", "medium", "low")
        assert rule["properties"]["problem.severity"] in ("error", "warning", "recommendation")
        assert len(rule["properties"]["tags"]) <= 10
        assert "security-severity" not in rule["properties"]


def _check_result(result: Any, run: Any) -> None:
    assert "level" in result
    rules = run["tool"]["driver"]["rules"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["fingerprints"]["gfpcheck/v1"]
    (primary,) = result["locations"]
    region = primary["physicalLocation"]["region"]
    assert region["startLine"] == region["endLine"]
    assert region["startColumn"] <= region["endColumn"]
    for location in _physical_locations(result):
        _check_uri(location["artifactLocation"])
    related = {location["id"] for location in result.get("relatedLocations", [])}
    assert len(related) == len(result.get("relatedLocations", []))
    assert {int(number) for number in re.findall(r"(?<!\\)\[[^\]\\]*\]\((\d+)\)", result["message"]["text"])} == related


def _physical_locations(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if "artifactLocation" in value:
            yield value
        for item in value.values():
            yield from _physical_locations(item)
    elif isinstance(value, list):
        for item in value:
            yield from _physical_locations(item)


def _check_uri(artifact: Any) -> None:
    if artifact.get("uriBaseId") == "SRCROOT":
        assert _RELATIVE_URI.fullmatch(artifact["uri"])
        assert not artifact["uri"].startswith(("./", "../"))
    else:
        assert _FILE_URI.fullmatch(artifact["uri"])
