"""Findings that were accepted or known before, in each format."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from gfpcheck.findings import Entry, Suppression

from .report_samples import IN_ATOMIC, MISSING_NOFS, golden, rendered, report, tree
from .sarif_checks import checked

ACCEPTED = msgspec.structs.replace(IN_ATOMIC, suppressions=(Suppression("inSource", "at boot", "mm/pool.c:13"),))
OLD = msgspec.structs.replace(MISSING_NOFS, baseline="unchanged")
NEW = msgspec.structs.replace(MISSING_NOFS, baseline="new")
GONE = Entry("mm/old.c", "GFP101", "pool_old", "f" * 32)


@pytest.mark.parametrize("fmt", ["terse", "mail"])
def test_golden(tmp_path: Path, fmt: str) -> None:
    golden(f"{fmt}.txt", rendered(report(tree(tmp_path)), fmt))


def test_a_mail_quotes_the_hunk(tmp_path: Path) -> None:
    place = IN_ATOMIC.place
    hunk = {"line": place.line - 1, "count": 2, "removed": ["\told(a);", "\tolder\x07();"]}
    finding = msgspec.structs.replace(IN_ATOMIC, properties={**IN_ATOMIC.properties, "hunk": hunk})
    text = rendered(report(tree(tmp_path), (finding,)), "mail")
    source = (tmp_path / place.file).read_text().splitlines()
    quoted = [line for line in text.splitlines() if line.startswith(">")]
    assert quoted[:2] == [f"> --- a/{place.file}", f"> +++ b/{place.file}"]
    assert [line[2:] for line in quoted if line[2:3] == "-"][1:] == ["-\told(a);", "-\tolder\u2407();"]
    assert [line[3:] for line in quoted if line[2:3] == "+"][1:] == source[place.line - 2 : place.line]
    assert [line[3:] for line in quoted if line[2:3] == " "] == [
        line for line in (*source[place.line - 5 : place.line - 2], *source[place.line : place.line + 3]) if line
    ]


def test_a_mail_leaves_out_what_is_far_from_the_finding(tmp_path: Path) -> None:
    place = IN_ATOMIC.place
    hunk = {"line": 1, "count": 500, "removed": [f"line {number}" for number in range(90)]}
    finding = msgspec.structs.replace(
        IN_ATOMIC, place=msgspec.structs.replace(place, line=200), properties={**IN_ATOMIC.properties, "hunk": hunk}
    )
    (tmp_path / place.file).parent.mkdir(parents=True)
    (tmp_path / place.file).write_text("".join(f"\tx = {number};\n" for number in range(1, 600)))
    text = rendered(report(tmp_path, (finding,)), "mail")
    quoted = [line for line in text.splitlines() if line.startswith(">")]
    assert quoted[2] == quoted[-1] == "> [ ... ]"
    assert "> +\tx = 200;" in quoted
    assert len(quoted) < 40


@pytest.mark.parametrize("fmt", ["gcc", "github", "terse", "mail"])
def test_lines_say_what_counts_for_nothing(tmp_path: Path, fmt: str) -> None:
    text = rendered(report(tree(tmp_path), (ACCEPTED, OLD)), fmt)
    assert " (suppressed: at boot)" in text
    assert " (in the baseline)" in text
    assert "(in the baseline)" not in rendered(report(tree(tmp_path / "new"), (NEW,)), fmt)


def test_sarif_suppressions(tmp_path: Path) -> None:
    [result] = checked(rendered(report(tree(tmp_path), (ACCEPTED,)), "sarif"))["results"]
    assert result["suppressions"] == [
        {
            "kind": "inSource",
            "status": "accepted",
            "justification": "at boot",
            "properties": {"where": "mm/pool.c:13"},
        }
    ]
    assert "baselineState" not in result


def test_sarif_states(tmp_path: Path) -> None:
    what = report(tree(tmp_path), (OLD, NEW))
    results = checked(rendered(what, "sarif"))["results"]
    assert [result["baselineState"] for result in results] == ["unchanged", "new"]


def test_sarif_absent_is_there_when_all_is_asked_for(tmp_path: Path) -> None:
    what = msgspec.structs.replace(report(tree(tmp_path), ()), absent=(GONE,))
    assert json.loads(rendered(what, "sarif"))["runs"][0]["results"] == []
    log = json.loads(rendered(msgspec.structs.replace(what, show_known=True), "sarif"))
    [result] = log["runs"][0]["results"]
    assert (result["baselineState"], result["level"], result["kind"]) == ("absent", "none", "pass")
    assert result["fingerprints"] == {"gfpcheck/v1": GONE.fingerprint}


def test_json_names_what_is_stale(tmp_path: Path) -> None:
    what = msgspec.structs.replace(report(tree(tmp_path), (ACCEPTED, OLD)), absent=(GONE,))
    data = json.loads(rendered(what, "json"))
    assert data["stale"] == [{"rule": "GFP101", "file": "mm/old.c", "function": "pool_old", "fingerprint": "f" * 32}]
    assert [each["baseline"] for each in data["findings"]] == ["", "unchanged"]


def test_the_summary_names_what_is_stale(tmp_path: Path) -> None:
    what = msgspec.structs.replace(report(tree(tmp_path), ()), absent=(GONE,))
    assert "mm/old.c: GFP101 in pool_old()" in rendered(what, "text", verbose=True)
    assert "mm/old.c" not in rendered(what, "text")


@pytest.mark.parametrize("fmt", ["terse", "mail"])
def test_hostile_text(tmp_path: Path, fmt: str) -> None:
    place = msgspec.structs.replace(IN_ATOMIC.place, file="mm/\x1b[31m.c", function="f\n")
    finding = msgspec.structs.replace(IN_ATOMIC, place=place, message="a\nb\x1b]0;x\x07")
    text = rendered(report(tree(tmp_path), (finding,)), fmt)
    assert text.replace("\n", "").isprintable()
    assert "a b" in text
