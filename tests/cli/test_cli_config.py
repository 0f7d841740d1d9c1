"""gfpcheck.toml: where it is found, what it sets, what is wrong with it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fixtures_harness import TREE

from .cli_run import PLAIN, Cli
from .conftest import Here
from .test_cli_check import rules

SAMPLE = TREE / "fs/minifs"


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """The example of plain C."""
    return Path(shutil.copytree(PLAIN, tmp_path / "plain"))


OWN_RULE = '''"""A rule of somebody's own.

## What it finds
Every function with an allocation.
## Why it is a bug
It is none.
## Bad
Anything.
## Good
Nothing.
## How it is decided
It is not.
"""
from gfpcheck.rule_api import Level, Rule


class Own(Rule):
    id = "OWN001"
    name = "own-rule"
    family = "own"
    level = Level.NOTE
    summary = "A rule of somebody's own."

    def check(self, function):
        return iter(())
'''


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_settings_of_the_current_directory(here: Here, folder: Path) -> None:
    (folder / "gfpcheck.toml").write_text(
        'select = ["GFP2", "nofail-under-lock"]\nignore = ["GFP201"]\nfail-on = "error"\n'
    )
    run = here(SAMPLE, "--format", "gcc", "-v")
    assert (run.code, rules(run.out)) == (0, {"GFP301"})
    assert f"gfpcheck: settings from {folder}/gfpcheck.toml\n" in run.err


def test_the_command_line_wins(here: Here, folder: Path) -> None:
    (folder / "gfpcheck.toml").write_text('select = ["GFP2"]\nfail-on = "never"\nmin-confidence = "high"\njobs = 2\n')
    run = here(SAMPLE, "--format", "gcc", "-q", "--select", "GFP1", "--fail-on", "error", "--min-confidence", "low")
    assert (run.code, rules(run.out)) == (1, {"GFP101"})


def test_settings_above_the_path_come_first(here: Here, folder: Path, tree: Path) -> None:
    (folder / "gfpcheck.toml").write_text('select = ["GFP101"]\n')
    (tree / "gfpcheck.toml").write_text('select = ["GFP302"]\n')
    assert rules(here(tree / "fs/minifs", "--format", "gcc", "-q").out) == {"GFP302"}
    assert rules(here(SAMPLE, "--format", "gcc", "-q").out) == {"GFP101"}
    (tree / "fs/gfpcheck.toml").write_text('select = ["GFP301"]\n')
    assert rules(here(tree / "fs/minifs/journal.c", "--format", "gcc", "-q").out) == {"GFP301"}


def test_a_named_file_is_the_only_one(here: Here, folder: Path, tree: Path) -> None:
    (tree / "gfpcheck.toml").write_text('select = ["GFP302"]\n')
    (folder / "other.toml").write_text("")
    named = here(tree / "fs/minifs", "--config", "other.toml", "--format", "gcc", "-q")
    assert rules(named.out) >= {"GFP101", "GFP201", "GFP301", "GFP302"}


def test_paths_are_relative_to_the_file(here: Here, folder: Path) -> None:
    (folder / "own").mkdir()
    (folder / "own/own.py").write_text(OWN_RULE)
    (folder / "more.toml").write_text('[allocators]\nmy_alloc = { flags = "GFP_KERNEL" }\n')
    (folder / "sub").mkdir()
    (folder / "gfpcheck.toml").write_text('rules = ["own"]\nmodels = ["more.toml"]\n')
    run = here(SAMPLE, "--config", "gfpcheck.toml", "--format", "json")
    assert "OWN001" in [rule["id"] for rule in json.loads(run.out)["rules"]]
    (folder / "more.toml").unlink()
    assert "more.toml: cannot read the model file" in here(SAMPLE).err


MODELS = """\
min-confidence = "low"

[models]
files = ["more.toml"]
not_allocators = []

[models.allocators]
my_alloc = { flags = "GFP_KERNEL" }
"""


def test_models_in_the_settings_themselves(cli: Cli, plain: Path) -> None:
    (plain / "model.toml").rename(plain / "more.toml")
    (plain / "gfpcheck.toml").write_text(MODELS)
    (plain / "own.c").write_text(
        '#include "memory.h"\nstruct own {\n\tstruct spin lock;\n};\nvoid *my_alloc(void);\n'
        "void own(struct own *o)\n{\n\tspin_enter(&o->lock);\n\tmy_alloc();\n\tspin_leave(&o->lock);\n}\n"
    )
    run = cli(plain, "--format", "json")
    found = {(finding["file"], finding["line"]) for finding in json.loads(run.out)["findings"]}
    assert ("own.c", 9) in found
    assert "queue.c" in {file for file, _ in found}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[models]\nfiles = 3\n", ": Expected `array`, got `int` - at `$.models`"),
        ("[models.lock]\nx = 1\n", ":1: lock: unknown table"),
        ('[models.locks]\nf = { does = "acquire" }\n', ":2: f: Object missing required field `kind`"),
    ],
)
def test_wrong_models_in_the_settings(cli: Cli, tmp_path: Path, text: str, why: str) -> None:
    config = tmp_path / "gfpcheck.toml"
    config.write_text(text)
    run = cli(SAMPLE)
    assert (run.code, run.out) == (2, "")
    assert run.err == f"gfpcheck: {config}{why}\n"


def test_rules_of_a_foreign_tree_are_not_run(here: Here, folder: Path, tree: Path, cli: Cli) -> None:
    (tree / "evil").mkdir()
    (tree / "evil/evil.py").write_text(f"open({str(folder / 'harm')!r}, 'w')\n")
    config = tree / "gfpcheck.toml"
    config.write_text('rules = ["evil"]\n')
    run = here(tree / "fs/minifs")
    assert (run.code, run.out) == (2, "")
    assert run.err == f"gfpcheck: {config} names rules, which are programs; to run them, say --config {config}\n"
    assert not (folder / "harm").exists()
    # Whoever stands in the tree, or names the file, has chosen it.
    assert cli("fs/minifs", cwd=tree).code == 2
    assert (folder / "harm").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("fail_on = 'error'", "unknown key 'fail_on'; did you mean 'fail-on'?"),
        ("zzz = 1", "unknown key 'zzz'; there are select, ignore, fail-on, min-confidence, rules, rules-page, models"),
        ("select = 'GFP1'", "Expected `array`, got `str` - at `$.select`"),
        ("fail-on = 'fatal'", "Invalid enum value 'fatal' - at `$.fail-on`"),
        ("min-confidence = 'some'", "Invalid enum value 'some' - at `$.min-confidence`"),
        ("jobs = -1", "Expected `int` >= 0 - at `$.jobs`"),
        ("arch = 3", "Expected `str | null`, got `int` - at `$.arch`"),
        ("select = [", "Invalid value (at end of document)"),
        ("x = " + "[" * 5000, ""),
        ("\udcff", "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
)
def test_what_is_wrong(cli: Cli, tmp_path: Path, text: str, why: str) -> None:
    config = tmp_path / "gfpcheck.toml"
    config.write_bytes(text.encode("utf-8", "surrogateescape"))
    run = cli(SAMPLE)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"gfpcheck: {config}: {why}")
    assert run.err.count("\n") == 1


def test_a_file_that_cannot_be_read(cli: Cli, tmp_path: Path) -> None:
    run = cli(SAMPLE, "--config", "none.toml")
    assert (run.code, run.out, run.err) == (2, "", "gfpcheck: none.toml: No such file or directory\n")
    (tmp_path / "folder").mkdir()
    assert cli(SAMPLE, "--config", "folder").err == "gfpcheck: folder: Is a directory\n"


def test_a_rule_that_does_not_exist(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "gfpcheck.toml").write_text('select = ["missing-nof"]\n')
    run = cli(SAMPLE)
    assert (run.code, run.err) == (2, "gfpcheck: no rule is called 'missing-nof'; did you mean missing-nofs?\n")
