"""Rules of somebody's own: `--rules DIR`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixtures_harness import TREE

from .cli_run import ANNOUNCED, Cli
from .test_cli_config import OWN_RULE

JOURNAL = TREE / "fs/minifs/journal.c"
EVERY = """
    def check(self, function):
        for allocation in function.allocations:
            yield function.finding(
                rule=self.id, level=self.level, allocation=allocation, situation=allocation.situations[0],
                locks=(), message=f"{allocation.name}() allocates",
            )
"""
CHECK = """
    def check(self, function):
        return iter(())
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder for rules."""
    folder = tmp_path / "own"
    folder.mkdir()
    return folder


def with_check(body: str) -> str:
    return OWN_RULE.replace(CHECK, body)


def test_an_own_rule_finds(cli: Cli, own: Path) -> None:
    (own / "own.py").write_text(with_check(EVERY))
    run = cli(JOURNAL, "--rules", own, "--select", "own-rule", "--format", "json")
    assert run.code == 0  # a note is below --fail-on
    findings = json.loads(run.out)["findings"]
    assert {finding["rule"] for finding in findings} == {"OWN001"}
    assert cli(JOURNAL, "--rules", own, "--select", "OWN001", "--fail-on", "note", "-q").code == 1
    everything = cli(JOURNAL, "--rules", own, "--format", "json")
    assert {finding["rule"] for finding in json.loads(everything.out)["findings"]} == {"OWN001", "GFP301"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("raise RuntimeError('not today')\n", "RuntimeError: not today"),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:\n", "SyntaxError: invalid syntax"),
        ("raise SystemExit(7)\n", "SystemExit: 7"),
        (OWN_RULE.replace('"OWN001"', '"own"'), "TypeError: rule Own: 'own' is not an id like GFP101"),
        (OWN_RULE.replace('name = "own-rule"', ""), "TypeError: rule Own lacks 'name'"),
        (OWN_RULE.replace("## Bad", ""), "TypeError: rule Own: its documentation lacks the heading '## Bad'"),
    ],
)
def test_a_module_that_cannot_be_loaded(cli: Cli, own: Path, text: str, why: str) -> None:
    (own / "bad.py").write_text(text)
    run = cli(JOURNAL, "--rules", own)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"gfpcheck: rule module {own}/bad.py: {why}")
    assert run.err.count("\n") == 1


@pytest.mark.parametrize(
    ("change", "clash"),
    [(("OWN001", "GFP101"), "GFP101 own-rule"), (("own-rule", "missing-nofs"), "OWN001 missing-nofs")],
)
def test_rules_that_clash(cli: Cli, own: Path, change: tuple[str, str], clash: str) -> None:
    (own / "own.py").write_text(OWN_RULE.replace(*change))
    run = cli(JOURNAL, "--rules", own)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"gfpcheck: rule {clash} in {own}/own.py clashes with GFP")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("    def check(self, function):\n        raise KeyError('x')\n", "KeyError: 'x'"),
        ("    def check(self, function):\n        raise SystemExit(0)\n", "SystemExit: 0"),
        ("    def check(self, function):\n        yield 'text'\n", "TypeError: it yields str, not Finding"),
        ("    def check(self, function):\n        return self.check(function)\n", "RecursionError: "),
    ],
)
def test_a_rule_that_fails_is_counted_and_named(cli: Cli, own: Path, body: str, why: str) -> None:
    (own / "own.py").write_text(with_check(body))
    run = cli(JOURNAL, "--rules", own, "-v")
    assert (run.code, run.err) == (1, ANNOUNCED)
    assert "[GFP301 nofail-under-lock]" in run.out
    assert ", 1 in rules:\n" in run.out
    assert f"  OWN001: {why}" in run.out
    assert cli(JOURNAL, "--rules", own, "--strict", "-q").code == 2


def test_folders_without_rules(cli: Cli, own: Path) -> None:
    (own / "_helper.py").write_text("")
    (own / "notes.txt").write_text("")
    run = cli(JOURNAL, "--rules", own)
    assert (run.code, run.err) == (2, f"gfpcheck: rule directory {own}: there is no rule in it\n")
    run = cli(JOURNAL, "--rules", "none")
    assert (run.code, run.err) == (2, "gfpcheck: rule directory none: No such file or directory\n")


def test_two_modules_of_one_name_keep_their_documentation(cli: Cli, tmp_path: Path) -> None:
    for number in "12":
        folder = tmp_path / number / "own"
        folder.mkdir(parents=True)
        text = OWN_RULE.replace("OWN001", f"OWN00{number}").replace("own-rule", f"own-rule-{number}")
        (folder / "own.py").write_text(text.replace("It is none.", f"Reason {number}."))
    run = cli(JOURNAL, "--rules", "1/own", "--rules", "2/own", "--format", "sarif")
    described = {rule["id"]: rule["help"]["text"] for rule in json.loads(run.out)["runs"][0]["tool"]["driver"]["rules"]}
    assert "Reason 1." in described["OWN001"]
    assert "Reason 2." in described["OWN002"]
