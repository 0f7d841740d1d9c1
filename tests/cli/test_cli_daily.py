"""What one uses day by day: baselines, suppressions, settings by path, several outputs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .cli_run import ROOT
from .conftest import Here

GROW = """\
void table_grow(struct table *t, size_t size)
{
	mutex_lock(&t->lock);
	t->rows = kzalloc(size, GFP_KERNEL | __GFP_NOFAIL);
	mutex_unlock(&t->lock);
}
"""
OTHER = GROW.replace("table_grow", "table_grow_names").replace("t->rows", "t->names")
START = """\
#include <linux/gfp.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct table {
	struct mutex lock;
	void *rows;
	void *names;
};

"""
LINE = re.compile(r"(?m)^\S+:\d+: \w+:(GFP\d+): ")


@pytest.fixture
def folder(tree: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the miniature kernel that is built, with a hazard."""
    place = tree / "fs/daily"
    place.mkdir()
    (place / "Makefile").write_text("obj-y += a.o b.o\n")
    (place / "a.c").write_text(START + GROW)
    (place / "b.c").write_text("int b_unused;\n")
    with (tree / "fs/Makefile").open("a") as makefile:
        makefile.write("obj-y += daily/\n")
    monkeypatch.chdir(tree)
    return place


def found(here: Here, *args: str | Path) -> list[str]:
    run = here("fs/daily", "--format", "terse", "-q", *args)
    assert run.code in (0, 1), run.err
    return LINE.findall(run.out)


def test_a_baseline_hides_what_was_there(here: Here, folder: Path) -> None:
    run = here("fs/daily", "--write-baseline", "known.json", "--format", "terse")
    assert (run.code, run.out) == (0, "")
    assert "1 finding is in the baseline known.json" in run.err
    assert "1 known finding" in run.err
    assert found(here, "--baseline", "known.json") == []
    (folder / "a.c").write_text(START + OTHER + GROW)
    assert found(here, "--baseline", "known.json") == ["GFP301"]
    assert found(here, "--baseline", "known.json", "--show-known") == ["GFP301", "GFP301"]
    (folder / "a.c").write_text(START + OTHER)
    run = here("fs/daily", "--baseline", "known.json", "-v", "--format", "terse")
    assert "1 stale baseline entry" in run.err
    assert "fs/daily/a.c: GFP301 in table_grow()" in run.err
    assert here("fs/daily", "--baseline", "known.json", "--write-baseline", "known.json", "-q").code == 0
    assert [each["function"] for each in json.loads(Path("known.json").read_text())["findings"]] == ["table_grow_names"]


@pytest.mark.parametrize(
    "text",
    [
        "\n\n/* More. */\nint more;\n\n" + GROW,
        GROW.replace("t->", "tbl->").replace("*t,", "*tbl,"),
        "void helper(void)\n{\n}\n\n" + GROW.replace("mutex_lock", "\n\thelper();\n\tmutex_lock"),
        GROW.replace("\tt->rows", "\tif (size > 8)\n\t\tt->rows"),
    ],
    ids=["lines above", "renamed parameter", "code above", "under a condition"],
)
@pytest.mark.parametrize("fmt", ["json", "sarif", "baseline"])
def test_a_baseline_survives_edits(here: Here, folder: Path, text: str, fmt: str) -> None:
    if fmt == "baseline":
        here("fs/daily", "--write-baseline", "known", "-q")
    else:
        assert here("fs/daily", "--format", fmt, "-o", "known", "-q").code == 1
    (folder / "a.c").write_text(START + text)
    run = here("fs/daily", "--baseline", "known", "--format", "terse")
    assert (run.code, run.out) == (0, "")
    assert "1 known finding" in run.err


def test_a_baseline_survives_renamed_locals(here: Here, folder: Path) -> None:
    """A lock that only a local names has no class."""
    local = """\
void table_local(void *p, size_t size)
{
	struct mutex *m = p;

	mutex_lock(m);
	kzalloc(size, GFP_KERNEL | __GFP_NOFAIL);
	mutex_unlock(m);
}
"""
    (folder / "a.c").write_text(START + local)
    here("fs/daily", "--write-baseline", "known", "-q")
    assert len(json.loads(Path("known").read_text())["findings"]) == 1
    (folder / "a.c").write_text(START + local.replace("*m", "*lock").replace("(m)", "(lock)").replace("*p", "*q"))
    (folder / "a.c").write_text((folder / "a.c").read_text().replace("= p", "= q"))
    assert found(here, "--baseline", "known") == []


def test_a_baseline_survives_moved_functions(here: Here, folder: Path) -> None:
    (folder / "a.c").write_text(START + GROW + OTHER)
    here("fs/daily", "--write-baseline", "known", "-q")
    (folder / "a.c").write_text(START + OTHER + GROW)
    assert found(here, "--baseline", "known") == []
    (folder / "a.c").write_text(START + OTHER)
    (folder / "b.c").write_text(START + GROW)
    assert found(here, "--baseline", "known") == []


def test_a_baseline_says_nothing_of_what_was_not_looked_at(here: Here, folder: Path) -> None:
    (folder / "b.c").write_text(START + OTHER)
    here("fs/daily", "--write-baseline", "known", "-q")
    run = here("fs/daily/a.c", "--baseline", "known", "--write-baseline", "known", "--format", "terse")
    assert "stale" not in run.err
    assert len(json.loads(Path("known").read_text())["findings"]) == 2


def test_states_in_sarif(here: Here, folder: Path) -> None:
    here("fs/daily", "--write-baseline", "known", "-q")
    (folder / "a.c").write_text(START + OTHER)

    def states(*more: str) -> list[str]:
        run = here("fs/daily", "--format", "sarif", "-q", *more)
        return [result.get("baselineState", "") for result in json.loads(run.out)["runs"][0]["results"]]

    assert states() == [""]
    assert states("--baseline", "known") == ["new"]
    assert states("--baseline", "known", "--show-known") == ["new", "absent"]
    (folder / "a.c").write_text(START + OTHER + GROW)
    assert states("--baseline", "known", "--show-known") == ["new", "unchanged"]


def test_suppressed_in_the_source(here: Here, folder: Path) -> None:
    (folder / "a.c").write_text(START + "/* gfpcheck: ignore[GFP301] at boot */\n" + GROW)
    run = here("fs/daily", "--format", "sarif")
    assert (run.code, json.loads(run.out)["runs"][0]["results"]) == (0, [])
    assert "1 suppressed finding" in run.err
    run = here("fs/daily", "--format", "sarif", "--show-suppressed")
    [result] = json.loads(run.out)["runs"][0]["results"]
    [suppression] = result["suppressions"]
    assert run.code == 0
    assert (suppression["kind"], suppression["status"], suppression["justification"]) == (
        "inSource",
        "accepted",
        "at boot",
    )
    assert "suppressed: at boot (fs/daily/a.c:11)" in here("fs/daily", "--show-suppressed").out
    assert found(here, "--ignore", "GFP9") == []
    (folder / "a.c").write_text(START + "/* gfpcheck: ignore[GFP302] */\n" + GROW)
    assert found(here) == ["GFP901", "GFP902", "GFP301"]
    run = here(
        "fs/daily/a.c", "--format", "terse", "-q"
    )  # a file by itself: nobody knows what its neighbours would show
    assert LINE.findall(run.out) == ["GFP901", "GFP301"]


def test_suppressed_outside(here: Here, folder: Path) -> None:
    line = START.count("\n") + 4
    run = here("suppress", f"fs/daily/a.c:{line}", "fs/daily", "--reason", "small")
    assert run.code == 0, run.err
    assert "1 entry added to gfpcheck-suppressions.toml" in run.err
    assert found(here, "--suppressions", "gfpcheck-suppressions.toml") == []
    Path("gfpcheck.toml").write_text('suppressions = ["gfpcheck-suppressions.toml"]\n')
    run = here("fs/daily", "--format", "json", "--show-suppressed", "-q")
    [finding] = json.loads(run.out)["findings"]
    assert (run.code, finding["suppressions"][0]["kind"], finding["suppressions"][0]["reason"]) == (
        0,
        "external",
        "small",
    )
    (folder / "a.c").write_text(START + OTHER)
    run = here("fs/daily", "--format", "terse", "-q")
    assert LINE.findall(run.out) == ["GFP301", "GFP902"]
    assert re.search(r"(?m)^gfpcheck-suppressions\.toml:\d+: CHECK:GFP902", run.out)
    fingerprint = json.loads(here("fs/daily", "--format", "json").out)["findings"][0]["fingerprint"]
    assert here("suppress", fingerprint[:10], "fs/daily", "--reason", "small").code == 0
    assert found(here) == ["GFP902"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("f" * 32, "fs/daily", "--reason", "x"), "there is no such finding"),
        (("fs/daily/a.c:1", "fs/daily", "--reason", "x"), "there is no such finding"),
        (("what", "fs/daily", "--reason", "x"), "neither a fingerprint"),
        (("f" * 32, "--reason", "x"), "name the PATH"),
        (("fs/daily/a.c:14", "--reason", " "), "says nothing"),
        (("fs/daily/a.c:14",), "--reason"),
    ],
)
def test_what_cannot_be_suppressed(here: Here, folder: Path, args: tuple[str, ...], said: str) -> None:
    run = here("suppress", *args)
    assert run.code == 2
    assert said in run.err
    assert not Path("gfpcheck-suppressions.toml").exists()


def test_levels_and_settings_by_path(here: Here, folder: Path) -> None:
    (folder / "b.c").write_text(START + OTHER)
    settings = Path("gfpcheck.toml")
    settings.write_text('[levels]\nGFP3 = "note"\nnofail-under-lock = "error"\n')
    assert "fs/daily/a.c:14: ERROR:GFP301" in here("fs/daily", "--format", "terse").out
    settings.write_text('[[per-path]]\npaths = ["fs/daily/b.*"]\nignore = ["nofail-under-lock"]\n')
    assert found(here) == ["GFP301"]
    settings.write_text('[[per-path]]\npaths = ["fs/daily"]\nlevels = { GFP301 = "note" }\n')
    run = here("fs/daily", "--format", "terse")
    assert (run.code, LINE.findall(run.out)) == (0, ["GFP301", "GFP301"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[levels]\nGFP301 = "bad"\n', "levels"),
        ('[levels]\nGFP999 = "note"\n', "no rule is called 'GFP999'"),
        ("[[per-path]]\n", "paths"),
        (
            '[[per-path]]\npaths = ["fs"]\nignored = ["GFP3"]\n',
            "unknown key 'ignored' in per-path; did you mean 'ignore'?",
        ),
        ('[[per-paths]]\npaths = ["fs"]\n', "did you mean 'per-path'?"),
        ("per-path = 1\n", "per-path"),
        ('per-path = ["fs"]\n', "unknown key"),
        ('baseline = "none.json"\n', "none.json"),
        ('suppressions = ["none.toml"]\n', "none.toml"),
    ],
)
def test_wrong_settings(here: Here, folder: Path, text: str, said: str) -> None:
    Path("gfpcheck.toml").write_text(text)
    run = here("fs/daily")
    assert (run.code, run.out) == (2, "")
    assert said in run.err


def test_several_outputs(here: Here, folder: Path) -> None:
    run = here("fs/daily", "--output", "sarif=o.sarif", "--output", "github=-", "-o", "o.txt", "--format", "gcc")
    assert (run.code, run.out.startswith("::warning file=fs/daily/a.c")) == (1, True)
    assert len(json.loads(Path("o.sarif").read_text())["runs"][0]["results"]) == 1
    assert Path("o.txt").read_text().startswith("fs/daily/a.c:14:")
    assert "1 finding" in run.err


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("-o", "x", "-o", "sarif=./x"), "two outputs go to"),
        (("-o", "-", "-o", "sarif=-"), "two outputs go to standard output"),
        (("-o", "x", "--write-baseline", "x"), "two outputs go to"),
        (("-o", "sarif="), "names no file"),
        (("-o", "json=none/x"), "no such directory"),
        (("-o", "json=fs"), "is a directory"),
    ],
)
def test_outputs_that_cannot_be(here: Here, folder: Path, args: tuple[str, ...], said: str) -> None:
    run = here("fs/daily", *args)
    assert (run.code, run.out) == (2, "")
    assert said in run.err
    assert not Path("x").exists()


def test_one_output_that_fails_is_no_other_that_is_lost(here: Here, folder: Path) -> None:
    run = here("fs/daily", "-o", "terse=/dev/full", "-o", "terse=o.txt")
    assert run.code == 2
    assert "cannot write /dev/full" in run.err
    assert LINE.findall(Path("o.txt").read_text()) == ["GFP301"]


def test_mail(here: Here, folder: Path) -> None:
    text = here("fs/daily", "--format", "mail", "-q").out
    assert text.startswith("fs/daily/a.c:14 table_grow() warn: kzalloc() with ")
    assert "--> 14         t->rows = kzalloc(size, GFP_KERNEL | __GFP_NOFAIL);" in text
    assert "\nThe call tree is:\n\ntable_grow() <- mutex t->lock" in text


def test_manual_page(here: Here, tmp_path: Path) -> None:
    page = here("man").out
    for word in (r"\-\-write\-baseline", "SUPPRESS", "gfpcheck.toml", r"\-\-show\-suppressed"):
        assert word in page
    if shutil.which("groff"):
        made = subprocess.run(
            ["groff", "-man", "-Tascii", "-ww"], input=page.encode(), capture_output=True, check=True, timeout=60
        )
        assert made.stderr == b""


def test_what_a_sarif_log_leaves_out_is_said(here: Here, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = len(json.loads(here(folder, "-q", "--format", "json").out)["findings"])
    monkeypatch.setattr("gfpcheck.report.sarif.MAX_RESULTS", number)
    assert here(folder, "-q", "--format", "sarif").err == ""
    monkeypatch.setattr("gfpcheck.report.sarif.MAX_RESULTS", number - 1)
    said = here(folder, "-q", "--format", "sarif").err
    assert said.startswith(f"gfpcheck: the SARIF log lacks 1 of {number} findings, the least severe: ")


def test_hooks_for_pre_commit() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    assert "entry: gfpcheck check --quiet" in text
