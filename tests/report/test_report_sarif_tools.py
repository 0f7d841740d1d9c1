"""Our SARIF in the hands of a consumer that somebody else wrote: sarif-tools."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sarif import loader

from gfpcheck.report import write_file

from .report_samples import IN_ATOMIC, MISSING_NOFS, at, report, tree


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "report.sarif"
    write_file(str(path), report(tree(tmp_path / "src"), (IN_ATOMIC, MISSING_NOFS, at("mm/pool.c", 6, 9))), "sarif")
    return path


def _sarif(*arguments: object) -> str:
    command = [sys.executable, "-m", "sarif", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _by_severity(loaded: Any) -> dict[str, list[Any]]:
    report = loaded.get_report()
    return {severity: report.get_issues_for_severity(severity) for severity in loaded.get_severities()}


def test_its_loader(log: Path) -> None:
    loaded = loader.load_sarif_file(str(log))
    assert loaded.get_distinct_tool_names() == ["gfpcheck"]
    assert loaded.get_result_count() == 3
    assert {name: len(issues) for name, issues in _by_severity(loaded).items()} == {"error": 2, "warning": 1, "note": 0}
    assert [(record["Code"], record["Location"], record["Line"]) for record in loaded.get_records()] == [
        ("GFP101", "mm/pool.c", 14),
        ("GFP201", "mm/shrink.c", 19),
        ("GFP101", "mm/pool.c", 6),
    ]


def test_its_summary(log: Path) -> None:
    lines = _sarif("summary", log).splitlines()
    assert [line for line in lines if line.startswith(("error", "warning", "note"))] == [
        "error: 2",
        "warning: 1",
        "note: 0",
    ]


def test_its_csv(log: Path, tmp_path: Path) -> None:
    _sarif("csv", "-o", tmp_path / "out.csv", log)
    with (tmp_path / "out.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["Tool"], row["Severity"], row["Code"], row["Location"], row["Line"]) for row in rows] == [
        ("gfpcheck", "error", "GFP101", "mm/pool.c", "6"),
        ("gfpcheck", "error", "GFP101", "mm/pool.c", "14"),
        ("gfpcheck", "warning", "GFP201", "mm/shrink.c", "19"),
    ]
    assert rows[2]["Description"].startswith(MISSING_NOFS.message)


def test_its_listing_with_a_check(log: Path) -> None:
    assert "report.sarif" in _sarif("ls", log)
    command = [sys.executable, "-m", "sarif", "--check", "error", "summary", str(log)]
    assert b"at or above error severity" in subprocess.run(command, capture_output=True, check=False).stderr
