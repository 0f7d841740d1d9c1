"""The JSON report keeps its promise: the schema that is shipped with it."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from gfpcheck.findings import Confidence, Level, Loss, Place, Scenario, Step, Task

from .report_samples import IN_ATOMIC, at, golden, rendered, report, tree

_SCHEMA = json.loads(resources.files("gfpcheck.report").joinpath("report.schema.json").read_text())


def _loaded(text: str) -> Any:
    assert text.isascii()
    value = json.loads(text)
    jsonschema.Draft202012Validator(_SCHEMA).validate(value)
    return value


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(_SCHEMA)


def test_golden(tmp_path: Path) -> None:
    text = rendered(report(tree(tmp_path)), "json")
    _loaded(text)
    golden("report.json", text.replace(str(tmp_path), "/src"))


def test_everything_of_a_finding_is_there(tmp_path: Path) -> None:
    (finding,) = _loaded(rendered(report(tmp_path, (IN_ATOMIC,)), "json"))["findings"]
    assert finding["fingerprint"] == IN_ATOMIC.fingerprint
    assert finding["properties"] == IN_ATOMIC.properties
    assert [(step["line"], step["text"], step["depth"]) for step in finding["flow"]] == [
        (step.place.line, step.text, step.depth) for step in IN_ATOMIC.flow
    ]


def test_a_finding_is_one_line(tmp_path: Path) -> None:
    lines = rendered(report(tmp_path), "json").splitlines()
    assert [json.loads(line.rstrip(","))["rule"] for line in lines if line.startswith('{"rule"')] == [
        "GFP101",
        "GFP201",
    ]


def test_no_findings_is_an_empty_list(tmp_path: Path) -> None:
    value = _loaded(rendered(report(tmp_path, (), losses=(), exit_code=0), "json"))
    assert value["findings"] == []
    assert value["summary"] == {
        "findings": 0,
        "by_level": {"error": 0, "warning": 0, "note": 0},
        "by_rule": {},
        "losses": 0,
    }


class _Lock(msgspec.Struct):
    kind: str


def test_properties_of_any_shape(tmp_path: Path) -> None:
    finding = msgspec.structs.replace(
        IN_ATOMIC,
        properties={"confidence": Confidence.LOW, "locks": (_Lock("mutex"),), "set": {1}, "size": float("nan")},
    )
    (found,) = _loaded(rendered(report(tmp_path, (finding,)), "json"))["findings"]
    assert found["properties"] == {"confidence": "low", "locks": [{"kind": "mutex"}], "set": [1], "size": None}


def test_a_file_name_that_is_not_utf8(tmp_path: Path) -> None:
    finding = msgspec.structs.replace(
        at("bad\udcff\u20ac.c", 1, 1), properties={"level": Level.NOTE, "lock": _Lock("x")}
    )
    text = rendered(report(tmp_path, (finding,)), "json")
    (found,) = _loaded(text)["findings"]
    assert found["file"] == "bad\ufffd\u20ac.c"
    assert found["properties"] == {"level": "note", "lock": {"kind": "x"}}


@given(st.text(), st.text(), st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
@settings(deadline=None)
def test_any_text_comes_back_as_it_was(file: str, message: str, line: int, col: int) -> None:
    finding = at(file, line, col, message=message)
    losses = (Loss(message, file, message),)
    value = _loaded(rendered(report(Path("/nonexistent"), (finding,), losses=losses), "json"))
    (found,) = value["findings"]
    assert (found["file"], found["message"]) == (file, message)
    assert value["losses"] == [{"phase": message, "what": file, "why": message}]


def test_a_scenario_keeps_the_promise(tmp_path: Path) -> None:
    steps = (Step(Place("a.c", 3, 2, "holder"), "takes it", "acquire"),)
    scenario = Scenario("struct a.lock", (Task("taskA", "the holder", steps, ("holder()",)),), ("other()",), 2, 1)
    finding = msgspec.structs.replace(IN_ATOMIC, scenario=scenario)
    value = _loaded(rendered(report(tmp_path, (finding,)), "json"))
    assert value["findings"][0]["scenario"]["tasks"][0]["name"] == "taskA"
