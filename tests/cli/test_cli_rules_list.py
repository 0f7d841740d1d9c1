"""`gfpcheck rules` and `gfpcheck explain`: which rules there are, and what they say of themselves."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures_harness import TREE

from gfpcheck.driver.rules import all_rules

from .cli_run import Cli
from .conftest import Here
from .test_cli_config import OWN_RULE

RULES = all_rules()
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with one rule."""
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "own.py").write_text(OWN_RULE)
    return folder


def test_the_list(here: Here) -> None:
    run = here("rules")
    head, *lines = run.out.splitlines()
    assert (run.code, run.err) == (0, "")
    assert head.split() == ["ID", "NAME", "FAMILY", "LEVEL", "DEFAULT", "WHAT"]
    expected = [[r.id, r.name, r.family, str(r.level), "on" if r.default else "off", *r.summary.split()] for r in RULES]
    assert [line.split() for line in lines] == expected
    assert len({line.index(rule.summary) for line, rule in zip(lines, RULES, strict=True)}) == 1


def test_colour_changes_nothing_but_colour(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["rules"], ["explain", "GFP302"]):
        plain = here(*words).out
        monkeypatch.setenv("FORCE_COLOR", "1")
        coloured = here(*words).out
        monkeypatch.delenv("FORCE_COLOR")
        assert coloured != plain
        assert [line.split() for line in ESCAPE.sub("", coloured).splitlines()] == [
            line.replace("`", "").split() for line in plain.splitlines()
        ]


def test_the_list_as_json(here: Here, own: Path) -> None:
    run = here("rules", "--rules", own, "--format", "json")
    listed = json.loads(run.out)
    assert listed["schema_version"] == 1
    assert [rule["id"] for rule in listed["rules"]] == [*(rule.id for rule in RULES), "OWN001"]
    assert listed["rules"][0] == {
        "id": RULES[0].id,
        "name": RULES[0].name,
        "family": RULES[0].family,
        "level": RULES[0].level.value,
        "default": True,
        "summary": RULES[0].summary,
        "origin": "gfpcheck",
        "documentation": RULES[0].documentation(),
    }
    assert listed["rules"][-1]["origin"] == str(own / "own.py")


def test_rules_of_the_settings_are_listed(here: Here, own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(own)
    (own / "gfpcheck.toml").write_text('rules = ["."]\n')
    assert here("rules").out.splitlines()[-1].startswith("OWN001  own-rule ")
    assert here("explain", "own-rule").out.startswith(f"OWN001 own-rule\nown, note, on by default, from {own}/own.py\n")


@pytest.mark.parametrize("word", ["GFP301", "gfp301", "nofail-under-lock", "NOFAIL-under-lock"])
def test_explain(here: Here, word: str) -> None:
    run = here("explain", word)
    rule = next(rule for rule in RULES if rule.id == "GFP301")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("GFP301 nofail-under-lock\nnofail, warning, on by default\n\nAn allocation that may not ")
    words = re.sub(r"(?m)^(#+ |```\w*$)", "", rule.documentation()).split()
    assert run.out.split("\n\n", 1)[1].split() == words


def test_explain_several_once_each(here: Here) -> None:
    run = here("explain", "GFP302", "GFP101", "open-coded-nofail-loop")
    assert re.findall(r"(?m)^GFP\d+", run.out) == ["GFP302", "GFP101"]


def test_explain_keeps_code_and_fits_prose_to_the_terminal(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    out = here("explain", "GFP302").out
    assert "\n    while (!(ptr = kmalloc(size, GFP_KERNEL))) {\n            if (fatal_signal_pending(current))\n" in out
    prose = [line for line in out.splitlines() if not line.startswith("    ")]
    assert max(len(line) for line in prose) <= 60
    monkeypatch.setenv("COLUMNS", "400")
    assert max(len(line) for line in here("explain", "GFP302").out.splitlines()) <= 96


def test_explain_shows_nothing_that_a_terminal_obeys(here: Here, own: Path) -> None:
    module = own / "own.py"
    hostile = "It is none.\\x1b[2J\n* `\\x07 one`\n* two \\u202e\n\n| a\\x1b |\n\n```\ncode\\x1b\n```"
    module.write_text(OWN_RULE.replace("It is none.", hostile))
    out = here("explain", "own-rule", "--rules", own).out
    assert "\n  It is none.\N{SYMBOL FOR ESCAPE}[2J\n  * `\N{SYMBOL FOR BELL} one`\n  * two" in out
    assert all(line.isprintable() for line in out.splitlines())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["explain", "missing-nof"], "no rule is called 'missing-nof'; did you mean missing-nofs?"),
        (["explain", "GFP3"], "no rule is called 'GFP3'; "),
        (["explain", ""], "no rule is called ''; there are GFP101, "),
        (["rules", "--rules", "none"], "rule directory none: No such file or directory"),
        (["rules", "lst"], "No such command 'lst'."),
    ],
)
def test_what_there_is_not(here: Here, words: list[str], why: str) -> None:
    run = here(*words)
    assert (run.code, run.out) == (2, "")
    assert f"gfpcheck: {why}" in run.err


def test_neither_needs_the_front_end_or_the_analysis(cli: Cli) -> None:
    program = (
        "import sys\n"
        "from gfpcheck.cli.main import run\n"
        "assert run(['rules']) == run(['explain', 'GFP101']) == 0\n"
        "heavy = ('clang', 'networkx', 'sarif_om', 'gfpcheck.frontend', 'gfpcheck.analysis', 'gfpcheck.kbuild')\n"
        "assert not [name for name in sys.modules if name.startswith(heavy)]\n"
    )
    done = subprocess.run([sys.executable, "-c", program], env=cli.environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_the_page(here: Here, own: Path, tmp_path: Path) -> None:
    run = here("rules", "page", "--rules", own)
    assert (run.code, run.err) == (0, "")
    assert run.out.count("\n## ") == len(RULES) + 1
    assert '\n<a id="own001"></a>\n\n## OWN001 own-rule\n\nA rule of somebody\'s own.\n\n### What it finds\n' in run.out
    file = tmp_path / "page.md"
    assert here("rules", "page", "--rules", own, "-o", file) == (0, "", "")
    assert file.read_text() == run.out
    assert here("rules", "page", "-o", tmp_path / "none/page.md").code == 2


def test_sarif_links_to_the_page(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def links(*words: str) -> set[str]:
        log = json.loads(here(TREE / "fs/minifs/journal.c", "--format", "sarif", *words).out)
        return {rule.get("helpUri", "") for rule in log["runs"][0]["tool"]["driver"]["rules"]}

    monkeypatch.chdir(tmp_path)
    assert links() == {""}
    assert links("--select", "GFP301", "--rules-page", "https://a.example/rules") == {"https://a.example/rules#gfp301"}
    (tmp_path / "gfpcheck.toml").write_text('rules-page = "https://b.example/rules"\nselect = ["GFP302"]\n')
    assert links() == {"https://b.example/rules#gfp302"}


@pytest.mark.parametrize("address", ["rules.md", "ftp://a/b", "https://a/b#c", "https://a b"])
def test_addresses_that_are_none(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.chdir(tmp_path)
    sample = TREE / "fs/minifs/journal.c"
    run = here(sample, "--rules-page", address)
    assert (run.code, run.err) == (2, f"gfpcheck: --rules-page {address}: not the address of a page\n")
    (tmp_path / "gfpcheck.toml").write_text(f'rules-page = "{address}"\n')
    assert "gfpcheck.toml: Expected `str` matching regex" in here(sample).err
