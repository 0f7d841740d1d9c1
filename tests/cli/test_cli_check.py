"""`gfpcheck PATH...` on the miniature kernel tree: options, exit codes, where everything is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures_harness import TREE

from .cli_run import ANNOUNCED, Cli
from .conftest import Here

SAMPLE = TREE / "fs/minifs"
JOURNAL = SAMPLE / "journal.c"
"""A file with warnings and no error."""


def rules(out: str) -> set[str]:
    """The rules in the output of --format gcc."""
    return {line.rsplit("[", 1)[1].rstrip("]") for line in out.splitlines() if line.endswith("]")}


def test_findings_are_exit_code_1_and_alone_on_standard_output(cli: Cli) -> None:
    run = cli(SAMPLE)
    assert run.code == 1
    assert run.out.startswith("fs/minifs/alloc.c:119:10: error: ")
    assert "[GFP101 sleeping-alloc-in-atomic]\n" in run.out
    assert "   119 | " in run.out
    assert run.err == ANNOUNCED


def test_check_may_be_said(here: Here) -> None:
    assert here("check", JOURNAL) == here(JOURNAL)


def test_several_paths_relative_to_where_one_stands(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(TREE / "fs")
    run = here("minifs/journal.c", "../drivers/minidrv", "--format=gcc", "-q")
    files = {line.split(":")[0] for line in run.out.splitlines()}
    assert "fs/minifs/journal.c" in files
    assert any(file.startswith("drivers/minidrv/") for file in files)


def test_nothing_found_is_exit_code_0(here: Here) -> None:
    run = here(SAMPLE / "lock.c", "--select", "GFP302")
    assert (run.code, run.err) == (0, ANNOUNCED)
    assert run.out.startswith("No findings in 1 file, ")


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("note", 1), ("never", 0)])
def test_fail_on(here: Here, level: str, code: int) -> None:
    run = here(JOURNAL, "--fail-on", level, "-q", "--format", "gcc")
    assert (run.code, rules(run.out)) == (code, {"GFP301"})


def test_exit_zero_reports_all_the_same(here: Here) -> None:
    run = here(SAMPLE, "--exit-zero", "--format", "json")
    assert run.code == 0
    assert json.loads(run.out)["findings"]


@pytest.mark.parametrize(
    ("options", "left"),
    [
        (["--select", "GFP101"], {"GFP101"}),
        (["--select", "GFP1,missing-nofs"], {"GFP101", "GFP201"}),
        (["--select", "gfp1", "--select", "gfp3"], {"GFP101", "GFP301", "GFP302"}),
        (["--select", "all", "--ignore", "GFP2,GFP3,GFP6"], {"GFP101"}),
        (["--ignore", "sleeping-alloc-in-atomic,GFP6"], {"GFP201", "GFP301", "GFP302"}),
    ],
)
def test_selection(here: Here, options: list[str], left: set[str]) -> None:
    assert rules(here(SAMPLE, "-q", "--format", "gcc", *options).out) == left


def test_min_confidence(here: Here) -> None:
    everything = json.loads(here(SAMPLE, "--format", "json").out)["findings"]
    certain = json.loads(here(SAMPLE, "--format", "json", "--min-confidence", "high").out)["findings"]
    assert certain == [finding for finding in everything if finding["confidence"] == "high"]
    assert len(certain) < len(everything)


@pytest.mark.parametrize("fmt", ["sarif", "json", "github", "gcc"])
def test_other_formats_leave_the_summary_to_standard_error(here: Here, fmt: str) -> None:
    run = here(JOURNAL, "--format", fmt)
    assert run.code == 1
    assert "GFP301" in run.out
    assert "Looked at" not in run.out
    assert run.err.startswith(ANNOUNCED)
    assert "Looked at 1 file, " in run.err
    quiet = here(JOURNAL, "--format", fmt, "-q")
    assert quiet.err == ""


@pytest.mark.parametrize("fmt", ["text", "sarif", "json", "github", "gcc"])
def test_a_file_gets_what_standard_output_would(here: Here, fmt: str, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("old")
    direct = here(JOURNAL, "--format", fmt)
    run = here(JOURNAL, "--format", fmt, "-o", there)
    assert (run.code, run.out) == (1, "")
    assert "Looked at 1 file, " in run.err
    # The command line is recorded, and is different indeed.
    assert there.read_text() == direct.out.replace(f"--format {fmt}", f"--format {fmt} -o {there}")
    assert here(JOURNAL, "--format", fmt, "-q", "-o", there).err == ""


def test_the_command_line_is_recorded(here: Here) -> None:
    run = here(JOURNAL, "--format", "sarif", "--ignore", "GFP2", "-q")
    [invocation] = json.loads(run.out)["runs"][0]["invocations"]
    assert invocation["commandLine"] == f"gfpcheck {JOURNAL} --format sarif --ignore GFP2 -q"
    assert invocation["exitCode"] == 1


def test_quiet_is_findings_alone(here: Here) -> None:
    run = here(JOURNAL, "-q")
    assert run.err == ""
    assert run.out.startswith("fs/minifs/journal.c:")
    assert "Looked at" not in run.out


def test_verbose_shows_more(here: Here) -> None:
    assert "fingerprint" in here(JOURNAL, "-v").out
    assert "fingerprint" not in here(JOURNAL).out


def test_statistics(here: Here) -> None:
    run = here(SAMPLE / "lock.c", "--statistics", "--exit-zero")
    head, _, table = run.err.partition("Statistics:\n")
    assert head == ANNOUNCED
    words = {line.split(maxsplit=1)[1]: float(line.split()[0].replace(",", "")) for line in table.splitlines()}
    assert 0 <= words["seconds"] < 120
    assert 10 < words["MiB in the largest process"] < 1024
    assert words["files"] == 1
    assert words["functions"] > 1


def test_no_cache_leaves_nothing(cli: Cli, tmp_path: Path) -> None:
    cache = tmp_path / "own"
    run = cli(JOURNAL, "--no-cache", env={"GFPCHECK_CACHE": str(cache)})
    assert run.code == 1
    assert not cache.exists()
    kept = cli(JOURNAL, env={"GFPCHECK_CACHE": str(cache)})
    assert kept == run
    assert cache.is_dir()


def test_nothing_is_written_into_the_tree(here: Here, tree: Path) -> None:
    before = sorted(tree.rglob("*"))
    assert here(tree / "fs/minifs").code == 1
    assert sorted(tree.rglob("*")) == before


def test_another_architecture(here: Here, tree: Path) -> None:
    run = here(tree / "fs/minifs", "--arch", "vax")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("gfpcheck: unknown architecture 'vax'; ")


def test_a_compile_commands_json(here: Here, tree: Path) -> None:
    arguments = ["gcc", "-nostdinc", "-DX", f"-I{TREE}/include", "-c", "x.c"]
    (tree / "x.c").write_text("typedef int gfp_t;\n")
    entry = {"directory": str(tree), "file": "x.c", "arguments": arguments}
    named = tree.parent / "db.json"
    named.write_text(json.dumps([entry]))
    run = here(tree / "x.c", "--compile-commands", named, "--exit-zero")
    assert f"compile_commands.json: flags from {named}" in run.err
    run = here(tree / "fs", "--compile-commands", named)
    assert run.code == 2
    assert run.err == f"gfpcheck: {named} has no C file of {tree}/fs\n"


@pytest.mark.parametrize("fmt", ["text", "sarif", "json", "github", "gcc"])
def test_the_number_of_jobs_changes_nothing(here: Here, fmt: str) -> None:
    paths = [TREE / "fs", TREE / "drivers"]
    one, two = (here(*paths, "--format", fmt, "-v", "-j", jobs) for jobs in "12")
    assert one.code == two.code == 1
    # The command line is recorded, and is different indeed.
    assert one.out.replace("-j 1", "-j 2") == two.out
    assert one.err == two.err


def test_the_number_of_jobs_changes_nothing_over_the_whole_tree(here: Here) -> None:
    one, three = (here(TREE, "-v", "-j", jobs) for jobs in "13")
    assert one == three
    assert "GFP302" in one.out
