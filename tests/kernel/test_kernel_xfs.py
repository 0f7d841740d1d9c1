"""`gfpcheck fs/xfs/` in pristine kernel trees, end to end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from report.sarif_checks import checked
from sarif import loader

from .conftest import XfsOf, XfsRun
from .kernel_run import Hit, hits
from .written import written_functions

pytestmark = pytest.mark.kernel

MIB = 1 << 20
KVMALLOC_HEADER = "fs/xfs/xfs_log_priv.h"


def of_rule(run: XfsRun, rule: str) -> list[Hit]:
    return [hit for hit in hits(run.log) if hit.rule == rule]


def test_it_finds_something_and_loses_nothing(xfs: XfsRun) -> None:
    assert xfs.run.code == 1, xfs.run.err
    assert xfs.run.out == ""
    assert "Not everything was looked at" not in xfs.run.err
    (invocation,) = xfs.log["runs"][0]["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (True, 1)
    assert invocation.get("toolExecutionNotifications", []) == []


def test_it_says_in_one_line_what_it_analyses(xfs: XfsRun) -> None:
    first = xfs.run.err.splitlines()[0]
    version = xfs.root.name.removeprefix("linux-source-")
    assert re.fullmatch(
        rf"gfpcheck: Linux {re.escape(version)}\.\d+, x86, unconfigured tree: generated headers supplied by gfpcheck",
        first,
    )


def test_every_file_and_every_function_is_analysed(xfs: XfsRun) -> None:
    counts = xfs.log["runs"][0]["properties"]["counts"]
    files = sorted((xfs.root / "fs/xfs").rglob("*.c"))
    written = sum(len(written_functions(path.read_text("utf-8", "replace"))) for path in files)
    assert written > 2000
    assert (counts["files"], counts["left-out files"]) == (len(files), 0)
    assert counts["functions"] >= written


def test_what_is_called_elsewhere_is_followed(xfs: XfsRun) -> None:
    counts = xfs.log["runs"][0]["properties"]["counts"]
    assert 50 < counts["followed files"] < 150
    assert counts["followed functions"] > 500
    assert counts["unknown callees"] + counts["ambiguous callees"] + counts["unbuilt callees"] < 20


def test_kmem_alloc_never_gives_up(xfs_of: XfsOf) -> None:
    found = [hit for hit in of_rule(xfs_of("6.1"), "GFP302") if hit.file == "fs/xfs/kmem.c"]
    assert [(hit.function, hit.confidence) for hit in found] == [("kmem_alloc", "high")]


def kvmalloc(run: XfsRun) -> list[Hit]:
    return [hit for hit in of_rule(run, "GFP302") if hit.function == "xlog_kvmalloc"]


def test_xlog_kvmalloc_is_reported_once_in_its_header(xfs: XfsRun) -> None:
    (hit,) = kvmalloc(xfs)
    assert (hit.file, hit.confidence) == (KVMALLOC_HEADER, "high")
    line = (xfs.root / hit.file).read_text().splitlines()[hit.line - 1]
    assert re.search(r"\bkv?malloc\(buf_size, flags\)", line)


def test_a_finding_in_a_header_tells_how_many_files_include_it(xfs: XfsRun) -> None:
    (hit,) = kvmalloc(xfs)
    line = re.compile(r'^#include "xfs_log_priv\.h"$', re.MULTILINE)
    named = [path for path in (xfs.root / "fs/xfs").rglob("*.[ch]") if line.search(path.read_text("utf-8", "replace"))]
    assert {path.suffix for path in named} == {".c"}  # no header passes it on
    assert hit.properties["included_by"] == len(named)


@pytest.mark.parametrize("version", ["6.12", "6.1"])
def test_xfs_uuid_mount_may_not_fail_under_a_mutex(xfs_of: XfsOf, version: str) -> None:
    """The case of 2015, still there: krealloc() with __GFP_NOFAIL and xfs_uuid_table_mutex held."""
    found = [hit for hit in of_rule(xfs_of(version), "GFP301") if hit.function == "xfs_uuid_mount"]
    (hit,) = found
    assert (hit.file, hit.confidence) == ("fs/xfs/xfs_mount.c", "high")
    assert hit.properties["gfp"] == "GFP_KERNEL | __GFP_NOFAIL"
    assert [lock["class"] for lock in hit.properties["locks"]] == ["xfs_uuid_table_mutex"]


def test_no_sleep_in_atomic_context_is_claimed_with_confidence(xfs: XfsRun) -> None:
    """The filesystem runs with lockdep and might_sleep() every day: such a finding would be wrong."""
    assert [hit for hit in of_rule(xfs, "GFP101") if hit.confidence in ("high", "medium")] == []


def test_the_log_is_valid_sarif(xfs: XfsRun) -> None:
    assert len(checked(xfs.sarif)["results"]) >= 2


def test_sarif_tools_reads_the_log(xfs: XfsRun, tmp_path: Path) -> None:
    path = tmp_path / "xfs.sarif"
    path.write_text(xfs.sarif)
    loaded = loader.load_sarif_file(str(path))
    assert loaded.get_distinct_tool_names() == ["gfpcheck"]
    ours = sorted((hit.rule, hit.file, hit.line) for hit in hits(xfs.log))
    assert sorted((row["Code"], row["Location"], row["Line"]) for row in loaded.get_records()) == ours


def test_places_are_lines_of_the_tree(xfs: XfsRun) -> None:
    lengths: dict[str, int] = {}
    for place in places(xfs.log["runs"][0]["results"]):
        artifact, region = place["artifactLocation"], place["region"]
        assert artifact["uriBaseId"] == "SRCROOT"
        name = artifact["uri"]
        if name not in lengths:
            lengths[name] = len((xfs.root / name).read_bytes().splitlines())
        assert 1 <= region["startLine"] <= lengths[name]
    assert len(lengths) > 1


def test_results_name_no_absolute_path(xfs: XfsRun) -> None:
    for result in xfs.log["runs"][0]["results"]:
        for text in strings(result):
            assert not re.search(r"(?:^|[\s(\"'=:])/\w", text), text
            assert str(xfs.root) not in text


def test_the_tree_is_left_as_it_was(xfs: XfsRun) -> None:
    assert len(xfs.before) > 1000
    assert xfs.after == xfs.before


def test_no_process_takes_more_than_a_gibibyte(xfs: XfsRun) -> None:
    assert 50 * MIB < xfs.run.peak < 1024 * MIB


def places(value: Any) -> Iterator[Mapping[str, Any]]:
    """The physical locations anywhere in a piece of a log."""
    if isinstance(value, dict):
        if "artifactLocation" in value:
            yield value
        for item in value.values():
            yield from places(item)
    elif isinstance(value, list):
        for item in value:
            yield from places(item)


def strings(value: Any) -> Iterator[str]:
    """All strings anywhere in a piece of a log."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from strings(item)
