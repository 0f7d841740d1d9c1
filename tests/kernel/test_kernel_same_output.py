"""The output of a run depends on the sources alone: not on the number of jobs, not on what the cache holds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from .kernel_run import Gfpcheck, hits

pytestmark = pytest.mark.kernel

FORMATS = ("text", "json", "sarif")
WITH_FINDINGS = ("xfs_attr_item.c", "xfs_log_cil.c", "xfs_mount.c", "xfs_qm.c")
Outputs = Mapping[tuple[int, str], str]


@pytest.fixture(scope="module")
def files(trees: Mapping[str, Path]) -> list[Path]:
    """Some 25 files of fs/xfs."""
    folder = trees["6.12"] / "fs/xfs"
    return sorted({*sorted(folder.rglob("*.c"))[::8], *(folder / name for name in WITH_FINDINGS)})


@pytest.fixture(scope="module")
def outputs(files: list[Path], gfpcheck: Gfpcheck, tmp_path_factory: pytest.TempPathFactory) -> Outputs:
    """What each number of jobs writes in each format. Each has a cache of its own, empty at first, and another format
    first: so a cold run is compared with a warm one."""
    found = {}
    for jobs, formats in ((1, FORMATS), (2, tuple(reversed(FORMATS)))):
        cache = tmp_path_factory.mktemp("own")
        for fmt in formats:
            run = gfpcheck(f"-j{jobs}", "-v", "--min-confidence", "low", "--format", fmt, *files, cache=cache)
            assert run.code == 1, run.err
            found[jobs, fmt] = run.out
    return found


@pytest.mark.parametrize("fmt", FORMATS)
def test_same_with_one_and_two_jobs(outputs: Outputs, fmt: str) -> None:
    # JSON and SARIF quote the command line, which is not the same.
    one, two = (outputs[jobs, fmt].replace(f"gfpcheck -j{jobs} ", "gfpcheck ") for jobs in (1, 2))
    assert "GFP301" in one
    assert one == two


def test_formats_tell_the_same(outputs: Outputs, trees: Mapping[str, Path]) -> None:
    data = json.loads(outputs[1, "json"])
    in_json = sorted((each["rule"], each["file"], each["line"]) for each in data["findings"])
    in_sarif = sorted((hit.rule, hit.file, hit.line) for hit in hits(json.loads(outputs[1, "sarif"])))
    primary = re.compile(r"^(\S+?):(\d+):\d+: (?:error|warning): .* \[(GFP\d+) [a-z-]+\]$", re.MULTILINE)
    in_text = sorted((rule, file, int(line)) for file, line, rule in primary.findall(outputs[1, "text"]))
    assert in_json == in_sarif == in_text
    assert data["losses"] == []
    assert str(trees["6.12"]) not in outputs[1, "text"]


def test_the_json_is_as_its_schema_says(outputs: Outputs) -> None:
    schema = json.loads(resources.files("gfpcheck.report").joinpath("report.schema.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads(outputs[2, "json"]))


def test_same_after_a_run_over_more_files(
    files: list[Path], outputs: Outputs, gfpcheck: Gfpcheck, trees: Mapping[str, Path], tmp_path: Path
) -> None:
    few = (trees["6.12"] / "fs/xfs/xfs_acl.c", trees["6.12"] / "fs/xfs/xfs_attr_item.c")
    cache = tmp_path / "cache"
    alone = gfpcheck("--format", "json", *few, cache=tmp_path / "other")
    gfpcheck("-q", *files, cache=cache)
    again = gfpcheck("--format", "json", *few, cache=cache)
    assert (again.code, again.out) == (alone.code, alone.out)
