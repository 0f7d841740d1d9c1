"""SARIF: valid by the published schema, fit for GitHub, and the same in every run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import msgspec
import pytest
import sarif_om as om
from hypothesis import given, settings
from hypothesis import strategies as st

from gfpcheck.findings import Confidence, Finding, Level, Loss, Place, Report, Scenario, Step, Task
from gfpcheck.report import sarif
from gfpcheck.report.sarif_encode import encode

from .report_samples import IN_ATOMIC, LOSSES, MISSING_NOFS, RULES, at, golden, rendered, report, tree
from .sarif_checks import checked


def _run(what: Report) -> Any:
    return checked(rendered(what, "sarif"))


def _result(root: Path, finding: Finding) -> Any:
    (result,) = _run(report(root, (finding,)))["results"]
    return result


def test_golden(tmp_path: Path) -> None:
    text = rendered(report(tree(tmp_path)), "sarif")
    checked(text)
    golden("report.sarif", text.replace(tmp_path.as_uri(), "file:///src"))


def test_a_scenario_is_a_flow_with_a_thread_for_each_task(tmp_path: Path) -> None:
    steps = (Step(Place("mm/sample.c", 3, 2, "holder"), "takes it", "acquire"), Step(Place("", 0), "somewhere", "oom"))
    tasks = (Task("taskA", "the holder", steps, ("holder()",)), Task("taskC", "the killer", steps[1:], ("any task",)))
    scenario = Scenario("struct a.lock", tasks, ("other() waits",), 2, 1, "no task was found")
    flow = _result(tree(tmp_path), msgspec.structs.replace(IN_ATOMIC, scenario=scenario))["codeFlows"][-1]
    (thread,) = flow["threadFlows"]  # a task of which no place is known has no thread
    assert (thread["id"], thread["message"]["text"], len(thread["locations"])) == ("taskA", "taskA, the holder", 1)
    said = flow["message"]["text"]
    assert all(part in said for part in ("struct a.lock", "other() waits", "2 more places", "no task was found"))


def test_no_findings_is_an_empty_list_and_a_success(tmp_path: Path) -> None:
    run = _run(report(tmp_path, (), losses=(), exit_code=0))
    assert run["results"] == []
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is True
    assert invocation["exitCode"] == 0
    assert invocation["toolExecutionNotifications"] == []


@pytest.mark.parametrize(("code", "successful"), [(0, True), (1, True), (2, False), (130, False)])
def test_findings_are_no_failure_of_the_tool(tmp_path: Path, code: int, successful: bool) -> None:
    (invocation,) = _run(report(tmp_path, exit_code=code))["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (successful, code)
    assert invocation["commandLine"] == "gfpcheck mm/"


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("default", Level)
def test_the_level_is_always_said(tmp_path: Path, level: Level, default: Level) -> None:
    rules = (msgspec.structs.replace(RULES[0], level=default),)
    finding = msgspec.structs.replace(IN_ATOMIC, level=level)
    run = _run(report(tmp_path, (finding,), rules=rules))
    assert run["results"][0]["level"] == level
    assert run["tool"]["driver"]["rules"][0]["defaultConfiguration"]["level"] == default


def test_rules_carry_their_documentation(tmp_path: Path) -> None:
    first, second, third = _run(report(tmp_path))["tool"]["driver"]["rules"]
    assert first["help"]["markdown"] == RULES[0].help
    assert first["fullDescription"]["text"] == "An allocation that may sleep is made under a spinlock."
    assert second["properties"]["precision"] == "medium"
    assert third["defaultConfiguration"]["enabled"] is False
    assert third["properties"]["precision"] == "low"
    assert third["help"]["text"] == RULES[2].summary


def test_descriptions_stay_within_githubs_limits(tmp_path: Path) -> None:
    rule = msgspec.structs.replace(RULES[0], name="n" * 300, summary="s" * 2000, help="h" * 2000)
    (found,) = _run(report(tmp_path, (), rules=(rule,)))["tool"]["driver"]["rules"]
    assert len(found["help"]["markdown"]) == 2000


@pytest.mark.parametrize(
    ("version", "semantic"), [("1.2.3", True), ("1.2.3-rc.1+b5", True), ("1.2", False), ("0.1.0.dev0", False)]
)
def test_a_semantic_version_is_one(tmp_path: Path, version: str, semantic: bool) -> None:
    driver = _run(msgspec.structs.replace(report(tmp_path), version=version))["tool"]["driver"]
    assert driver["version"] == version
    assert driver.get("semanticVersion") == (version if semantic else None)


def test_the_category_is_the_architecture(tmp_path: Path) -> None:
    assert _run(report(tmp_path))["automationDetails"] == {"id": "gfpcheck/x86_64/"}
    assert _run(msgspec.structs.replace(report(tmp_path), arch=""))["automationDetails"] == {"id": "gfpcheck/"}


def test_columns_are_code_points_and_the_region_is_the_word(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes("\t/* \u00e9\u20ac\U0001f600 */ kmalloc(4);\n".encode())
    assert _run(report(tmp_path))["columnKind"] == "unicodeCodePoints"
    (location,) = _result(tmp_path, at("a.c", 1, 18))["locations"]
    region = {"startLine": 1, "startColumn": 12, "endLine": 1, "endColumn": 19}
    assert location["physicalLocation"]["region"] == region


@pytest.mark.parametrize(
    ("place", "region"),
    [
        (Place("a.c", 1, 0), (1, 1, 1, 7)),  # the whole line
        (Place("a.c", 9, 5), (9, 5, 9, 6)),  # a line that is not there any more
        (Place("b.c", 3, 4), (3, 4, 3, 5)),  # a file that is not there
        (Place("b.c", 0, 0), (1, 1, 1, 1)),
    ],
)
def test_regions_without_help_from_the_source(tmp_path: Path, place: Place, region: tuple[int, ...]) -> None:
    (tmp_path / "a.c").write_text("int x;\n")
    (location,) = _result(tmp_path, msgspec.structs.replace(IN_ATOMIC, place=place))["locations"]
    found = location["physicalLocation"]["region"]
    assert tuple(found[key] for key in ("startLine", "startColumn", "endLine", "endColumn")) == region


def test_the_line_hash_is_githubs(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("Lorem ipsum dolor sit amet.\n" * 10)
    assert _result(tmp_path, at("a.c", 2, 1))["partialFingerprints"] == {
        "primaryLocationLineHash": "a7f2ff13bc495cf2:2"
    }
    assert "partialFingerprints" not in _result(tmp_path, at("a.c", 99, 1))
    assert "partialFingerprints" not in _result(tmp_path, at("b.c", 1, 1))


def test_our_fingerprint_does_not_depend_on_lines(tmp_path: Path) -> None:
    moved = msgspec.structs.replace(IN_ATOMIC, place=Place("mm/pool.c", 99, 1, "pool_get"))
    assert _result(tmp_path, moved)["fingerprints"] == {"gfpcheck/v1": IN_ATOMIC.fingerprint}


def test_the_message_links_to_what_it_is_about(tmp_path: Path) -> None:
    result = _result(tmp_path, MISSING_NOFS)
    assert result["message"]["text"] == (
        MISSING_NOFS.message + ". See [lock taken](1), [lock taken on the other side](2)."
    )
    assert [
        (location["id"], location["physicalLocation"]["region"]["startLine"], location["message"]["text"])
        for location in result["relatedLocations"]
    ] == [(1, 18, "the mutex pool.map is taken here"), (2, 12, "pool_drop() waits for pool.map")]


def test_brackets_in_a_message_are_no_links(tmp_path: Path) -> None:
    message = "calls ops[i](3) under a[j] and [x](y)"
    assert _result(tmp_path, at("a.c", 1, 1, message=message))["message"]["text"] == (
        r"calls ops\[i](3) under a[j] and \[x](y)"
    )


def test_an_empty_message_is_not_written(tmp_path: Path) -> None:
    finding = msgspec.structs.replace(at("a.c", 1, 1, message=""), flow=(Step(Place("a.c", 1), "", "call"),))
    assert _result(tmp_path, finding)["message"]["text"] == "GFP101"


def test_both_sides_are_threads_of_one_flow(tmp_path: Path) -> None:
    (flow,) = _result(tmp_path, MISSING_NOFS)["codeFlows"]
    this, other = flow["threadFlows"]
    assert [step["importance"] for step in this["locations"]] == ["essential", "essential"]
    assert [step["kinds"] for step in this["locations"]] == [["acquire", "lock"], ["acquire", "memory"]]
    assert [step["importance"] for step in other["locations"]] == ["important", "important", "essential"]
    assert [step["nestingLevel"] for step in other["locations"]] == [0, 0, 1]
    assert other["locations"][2]["location"]["logicalLocations"] == [
        {"name": "pool_drop", "kind": "function", "fullyQualifiedName": "pool_drop"}
    ]


def test_a_finding_without_a_flow(tmp_path: Path) -> None:
    result = _result(tmp_path, msgspec.structs.replace(at("a.c", 1, 1, function=""), properties={}))
    assert "codeFlows" not in result
    assert "relatedLocations" not in result
    assert "logicalLocations" not in result["locations"][0]
    assert result["properties"] == {"confidence": "high"}


def test_an_unknown_kind_of_step_and_a_caller_above(tmp_path: Path) -> None:
    step = Step(Place("a.c", 2, 1), "something new", "novelty", depth=-2, essential=True)
    result = _result(tmp_path, msgspec.structs.replace(at("a.c", 1, 1), flow=(step,)))
    (location,) = result["codeFlows"][0]["threadFlows"][0]["locations"]
    assert "kinds" not in location
    assert location["nestingLevel"] == 0
    assert "[step](1)" in result["message"]["text"]


@pytest.mark.parametrize(
    ("file", "uri", "inside"),
    [
        ("fs/xfs/xfs_buf.c", "fs/xfs/xfs_buf.c", True),
        ("./fs/../mm//a.c", "mm/a.c", True),
        ("a b#c?d%e:f[g].c", "a%20b%23c%3Fd%25e%3Af%5Bg%5D.c", True),
        ("\u00e9.c", "%C3%A9.c", True),
        ("\udcff.c", "%FF.c", True),
        ("ROOT/mm/a.c", "mm/a.c", True),
        ("/usr/include/a b.h", "file:///usr/include/a%20b.h", False),
        ("ROOT-2/a.c", "file://ROOT-2/a.c", False),
    ],
)
def test_uris(tmp_path: Path, file: str, uri: str, inside: bool) -> None:
    result = _result(tmp_path, at(file.replace("ROOT", str(tmp_path)), 1, 1))
    expected = {"uri": uri.replace("ROOT", str(tmp_path))} | ({"uriBaseId": "SRCROOT"} if inside else {})
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == expected


@pytest.mark.parametrize(("root", "uri"), [("/", "file:///"), ("/a b/", "file:///a%20b/"), ("/x", "file:///x/")])
def test_the_root_is_a_folder(root: str, uri: str) -> None:
    what = msgspec.structs.replace(report(Path("/"), (at("no/such.c", 1, 1),)), root=root)
    run = _run(what)
    assert run["originalUriBaseIds"] == {"SRCROOT": {"uri": uri}}
    (result,) = run["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "no/such.c"


def test_losses_become_notifications(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (invocation,) = _run(report(tmp_path))["invocations"]
    assert [(n["level"], n["message"]["text"]) for n in invocation["toolExecutionNotifications"]] == [
        ("warning", f"{loss.what}: {loss.why}") for loss in LOSSES
    ]
    assert invocation["toolExecutionNotifications"][0]["properties"] == {"phase": "parse", "what": "mm/odd.c"}

    monkeypatch.setattr(sarif, "MAX_NOTIFICATIONS", 10)
    losses = tuple(Loss("lower", f"f{number}", "why") for number in range(25))
    (invocation,) = _run(report(tmp_path, losses=losses))["invocations"]
    *named, last = invocation["toolExecutionNotifications"]
    assert len(named) == 10
    assert last["message"]["text"] == "15 more losses are not listed here (25 in all)."


def test_no_more_results_than_github_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sarif.MAX_RESULTS == 25_000
    monkeypatch.setattr(sarif, "MAX_RESULTS", 3)
    graded = [
        (Level.NOTE, Confidence.HIGH),
        (Level.WARNING, Confidence.LOW),
        (Level.ERROR, Confidence.LOW),
        (Level.WARNING, Confidence.LOW),
        (Level.WARNING, Confidence.HIGH),
    ]
    findings = tuple(
        msgspec.structs.replace(at("a.c", line, 1), level=level, confidence=confidence)
        for line, (level, confidence) in enumerate(graded, 1)
    )
    run = _run(report(tmp_path, findings, losses=()))
    assert [r["locations"][0]["physicalLocation"]["region"]["startLine"] for r in run["results"]] == [2, 3, 5]
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["message"]["text"].startswith("2 of 5 results are left out")


def test_a_very_long_flow_is_cut_to_what_github_shows(tmp_path: Path) -> None:
    steps = tuple(Step(Place("a.c", line, 1), "calls", "call", essential=True) for line in range(2, 1500))
    result = _result(tmp_path, msgspec.structs.replace(at("a.c", 1, 1), flow=steps))
    assert len(result["codeFlows"][0]["threadFlows"][0]["locations"]) == 1000
    assert len(result["relatedLocations"]) == 100


def test_the_encoder_drops_only_what_is_not_set() -> None:
    assert encode(om.Location()) == {}
    assert encode(om.Location(id=0)) == {"id": 0}
    assert encode(om.Notification(message=om.Message(text="t"), level="warning")) == {
        "level": "warning",
        "message": {"text": "t"},
    }
    assert encode(om.ReportingConfiguration(level="warning", enabled=False)) == {"level": "warning", "enabled": False}
    assert encode(om.Invocation(execution_successful=False, exit_code=-1)) == {
        "executionSuccessful": False,
        "exitCode": -1,
    }
    assert encode(om.Region(properties={"rank": -1, "none": None})) == {"properties": {"rank": -1, "none": None}}


_TEXT = st.text(max_size=40) | st.binary(max_size=20).map(os.fsdecode)
_FILES = st.one_of(_TEXT, st.just("/"), st.just("../../x"))
_PLACES = st.builds(Place, _FILES, st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1), _TEXT)
_STEPS = st.builds(
    Step,
    _PLACES,
    _TEXT,
    st.sampled_from(["acquire", "enter", "call", "allocation", "loop", "reclaim", "new"]),
    st.integers(-3, 9),
    st.booleans(),
)
_FINDINGS = st.builds(
    Finding,
    rule=st.sampled_from([rule.id for rule in RULES]),
    level=st.sampled_from(Level),
    confidence=st.sampled_from(Confidence),
    place=_PLACES,
    message=_TEXT | st.text("[]()\\1 ", max_size=12),
    flow=st.lists(_STEPS, max_size=3).map(tuple),
    other=st.lists(_STEPS, max_size=3).map(tuple),
    subject=st.tuples(_TEXT),
)


@given(finding=_FINDINGS, loss=st.builds(Loss, _TEXT, _TEXT, _TEXT), setup=_TEXT)
@settings(deadline=None, max_examples=60)
def test_any_text_makes_valid_sarif(finding: Finding, loss: Loss, setup: str) -> None:
    what = msgspec.structs.replace(report(Path("/nonexistent"), (finding,), losses=(loss,)), setup=setup)
    run = _run(what)
    (result,) = run["results"]
    artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
    base = b"/nonexistent/" if "uriBaseId" in artifact else b""
    path = base + unquote_to_bytes(artifact["uri"].removeprefix("file://"))
    assert path == os.path.normpath(os.path.join(b"/nonexistent", os.fsencode(finding.place.file)))  # noqa: PTH118
