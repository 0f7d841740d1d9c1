"""Rules of somebody's own: `--rules DIR`, installed packages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from fixtures_harness import TREE

from .cli_run import ANNOUNCED, ROOT, Cli, built_folder
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


CALLS = """
    every_function = True

    def check(self, function):
        for call in function.calls:
            values = sorted((each.values for each in call.situations), key=str)
            held = sorted({lock.cls for each in call.situations for lock in each.locks})
            scopes = sorted({scope.kind for each in call.situations for scope in each.scopes})
            does = [f"{effect.does} {effect.kind}".strip() for effect in call.effects]
            yield function.finding(
                rule=self.id, level=self.level, call=call,
                locks=call.situations[0].locks if call.situations else (),
                message=f"{call.name} {call.function} {call.arguments} {values} {held} {scopes} {does}",
            )
"""
CALLING = """\
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/sched/mm.h>
struct calling {
	spinlock_t lock;
	void (*act)(int n);
};
extern void calling_extern(int n);
void calling(struct calling *c, int n)
{
	unsigned int nofs = memalloc_nofs_save();

	spin_lock(&c->lock);
	c->act(n ? 3 : 4);
	spin_unlock(&c->lock);
	memalloc_nofs_restore(nofs);
	calling_extern(n);
	if (n == 5)
		calling_extern(n);
	if (n && !n)
		calling_extern(0);
}
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


def test_a_rule_sees_calls_in_context(cli: Cli, own: Path, tree: Path) -> None:
    (own / "own.py").write_text(with_check(CALLS))
    folder = built_folder(tree, "calling", {"calling": CALLING})
    run = cli(folder, "--rules", own, "--select", "OWN001", "--format", "json", "--min-confidence", "low")
    report = json.loads(run.out)
    assert report["losses"] == []
    found = [finding for finding in report["findings"] if finding["file"] == "fs/calling/calling.c"]
    assert [(finding["line"], finding["message"]) for finding in found] == [
        (11, "memalloc_nofs_save memalloc_nofs_save () [()] [] [] ['open nofs']"),
        (13, "spin_lock spin_lock ('&c->lock',) [(None,)] [] ['nofs'] ['acquire spin']"),
        (14, "c->act  ('(…)',) [(3,), (4,)] ['struct calling.lock'] ['nofs'] []"),
        (15, "spin_unlock spin_unlock ('&c->lock',) [(None,)] ['struct calling.lock'] ['nofs'] ['release spin']"),
        (16, "memalloc_nofs_restore memalloc_nofs_restore ('nofs',) [(None,)] [] ['nofs'] ['close nofs']"),
        (17, "calling_extern calling_extern ('n',) [(0,), (None,)] [] [] []"),
        (19, "calling_extern calling_extern ('n',) [(5,)] [] [] []"),
        (21, "calling_extern calling_extern ('0',) [] [] [] []"),
    ]
    act = found[2]
    assert [(step["line"], step["kind"]) for step in act["flow"]] == [(13, "acquire"), (14, "call")]
    assert act["properties"]["depth"] == 0
    assert "gfp" not in act["properties"]


def test_a_finding_is_at_one_place(cli: Cli, own: Path) -> None:
    both = "allocation=allocation, call=function.calls[0], situation"
    for place in ("situation", both):
        (own / "own.py").write_text(with_check(EVERY.replace("allocation=allocation, situation", place)))
        run = cli(JOURNAL, "--rules", own, "--select", "OWN001", "-v")
        assert "OWN001: ValueError: a finding is at an allocation, at a call or at a place" in run.out


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
    assert run.err.endswith(" in gfpcheck\n")


def test_ids_of_gfpcheck_are_reserved(cli: Cli, own: Path) -> None:
    (own / "own.py").write_text(OWN_RULE.replace("OWN001", "GFP999"))
    run = cli(JOURNAL, "--rules", own)
    assert (run.code, run.out) == (2, "")
    assert run.err == f"gfpcheck: rule GFP999 own-rule in {own}/own.py: ids that begin with GFP are gfpcheck's own\n"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("    api = 2\n", "TypeError: rule Own is written for rule API 2, and this gfpcheck has 1."),
        ("    api = 0\n", "TypeError: rule Own is written for rule API 0, and this gfpcheck has 1."),
        ("    api = 1\n", ""),
    ],
)
def test_the_version_of_the_rule_api(cli: Cli, own: Path, line: str, why: str) -> None:
    (own / "own.py").write_text(OWN_RULE.replace('    id = "OWN001"\n', f'    id = "OWN001"\n{line}'))
    run = cli("rules", "--rules", own)
    assert run.code == (2 if why else 0)
    assert run.err.startswith(f"gfpcheck: rule module {own}/own.py: {why}" if why else "")


# --- installed packages ------------------------------------------------------------------


def install(site: Path, package: str, modules: Mapping[str, str], points: str) -> None:
    """Puts a package with these modules and entry points into a folder of packages."""
    folder = site / package
    folder.mkdir(parents=True)
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text)
    info = site / f"{package}-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(f"[gfpcheck.rules]\n{points}\n")


@pytest.fixture
def site(tmp_path: Path, cli: Cli) -> Path:
    """A folder of installed packages, which the command sees."""
    folder = tmp_path / "site"
    folder.mkdir()
    cli.environment["PYTHONPATH"] += f":{folder}"
    return folder


def test_rules_of_installed_packages(cli: Cli, site: Path) -> None:
    second = OWN_RULE.replace("OWN001", "OWN002").replace("own-rule", "other-rule")
    install(site, "one", {"__init__": "", "own": with_check(EVERY), "_help": "1 / 0"}, "all = one")
    install(site, "two", {"__init__": "1 / 0 if False else None", "own": second}, "this = two.own")
    listed = json.loads(cli("rules", "--format", "json").out)["rules"]
    assert [(rule["id"], rule["origin"]) for rule in listed[-2:]] == [
        ("OWN001", "package one 1.2 (one.own)"),
        ("OWN002", "package two 1.2 (two.own)"),
    ]
    run = cli(JOURNAL, "--select", "own-rule", "--format", "json")
    assert {finding["rule"] for finding in json.loads(run.out)["findings"]} == {"OWN001"}


def test_what_is_kept_of_an_installed_rule_does_not_outlive_it(cli: Cli, site: Path) -> None:
    install(site, "one", {"__init__": "", "own": with_check(EVERY), "words": "SAYS = 'allocates'\n"}, "all = one.own")
    module = site / "one/own.py"
    module.write_text(
        module.read_text()
        .replace("() allocates", "() {SAYS}")
        .replace("from gfp", "from one.words import SAYS\nfrom gfp")
    )
    words = (JOURNAL, "--select", "own-rule", "--format", "gcc", "-q")
    assert "() allocates [OWN001]" in cli(*words).out
    (site / "one/words.py").write_text("SAYS = 'takes memory'\n")
    assert "() takes memory [OWN001]" in cli(*words).out


def test_an_installed_rule_and_one_in_a_directory_clash(cli: Cli, site: Path, own: Path) -> None:
    install(site, "one", {"__init__": OWN_RULE}, "all = one")
    (own / "own.py").write_text(OWN_RULE)
    run = cli(JOURNAL, "--rules", own)
    assert (run.code, run.out) == (2, "")
    places = f"rule OWN001 own-rule in {own}/own.py clashes with OWN001 own-rule in package one 1.2 (one)"
    assert run.err == f"gfpcheck: {places}\n"


@pytest.mark.parametrize(
    ("text", "point", "why"),
    [
        ("raise SystemExit(3)", "one", "one: SystemExit: 3"),
        ("", "one.none", "one.none: ModuleNotFoundError: No module named 'one.none'"),
        ("", "one", "one: there is no rule in it"),
    ],
)
def test_a_package_whose_rules_cannot_be_had(cli: Cli, site: Path, text: str, point: str, why: str) -> None:
    install(site, "one", {"__init__": text}, f"all = {point}")
    run = cli(JOURNAL)
    assert (run.code, run.out) == (2, "")
    assert run.err == f"gfpcheck: package one 1.2, rules from {why}\n"


def test_the_rules_of_the_checkout_are_no_others(cli: Cli) -> None:
    listed = cli("rules", "--rules", ROOT / "rules")
    assert (listed.code, listed.out) == (0, cli("rules").out)


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
