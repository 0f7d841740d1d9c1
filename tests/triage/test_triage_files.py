"""Baselines and files of suppressions: read, written, and refused when they are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gfpcheck.findings import Entry
from gfpcheck.triage import TriageError, add_accepted, load_accepted, load_baseline, write_baseline

ONE = Entry("fs/a.c", "GFP301", "f", "0" * 32)
TWO = Entry("fs/b.c", "GFP201", "g", "1" * 32)
GOOD = f'[[suppress]]\nfingerprint = "{"0" * 32}"\nrule = "GFP301"\nreason = "at boot"\n'


def test_a_baseline_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    write_baseline(path, [TWO, ONE])
    assert load_baseline(path) == (ONE, TWO)
    before = path.read_bytes()
    write_baseline(path, [ONE, TWO])
    assert path.read_bytes() == before
    write_baseline(path, [])
    assert load_baseline(path) == ()


def test_sarif_of_ours(tmp_path: Path) -> None:
    def result(entry: Entry, **more: object) -> dict[str, object]:
        return {
            "ruleId": entry.rule,
            "fingerprints": {"gfpcheck/v1": entry.fingerprint},
            "locations": [
                {
                    "physicalLocation": {"artifactLocation": {"uri": entry.file.replace("a.c", "%61.c")}},
                    "logicalLocations": [{"name": entry.function}],
                }
            ],
            **more,
        }

    path = tmp_path / "b.sarif"
    accepted = {"suppressions": [{"kind": "inSource"}]}
    results = [result(ONE), result(TWO, **accepted), result(TWO, baselineState="absent")]
    path.write_text(json.dumps({"runs": [{"results": results}, {}]}))
    assert load_baseline(path) == (ONE,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "\x00",
        "[" * 100_000,
        '{"tool":"gfpcheck"}',
        '{"tool":"gfpcheck","schema_version":1}',
        '{"tool":"gfpcheck","schema_version":99,"findings":[]}',
        '{"tool":"gfpcheck","schema_version":1,"findings":[{}]}',
        '{"tool":"gfpcheck","schema_version":1,"findings":[{"rule":1,"file":"a","function":"","fingerprint":"x"}]}',
        '{"tool":"gfpcheck","schema_version":1,"findings":[1]}',
        '{"runs":1}',
        '{"runs":[{"results":[{}]}]}',
        '{"runs":[{"results":[{"ruleId":"X","fingerprints":{},"locations":[]}]}]}',
    ],
)
def test_wrong_baselines(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(TriageError, match=r"baseline .*b\.json: "):
        load_baseline(path)


def test_no_baseline(tmp_path: Path) -> None:
    with pytest.raises(TriageError, match="No such file"):
        load_baseline(tmp_path / "none")
    with pytest.raises(TriageError, match="cannot write"):
        write_baseline(tmp_path / "none/b.json", [])


def test_suppressions_are_added_and_stay(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    assert add_accepted(path, [ONE], 'he said "\u00fc\x7f"\nand \\') == 1
    text = f"{path.read_text()}# a remark"
    path.write_text(text)
    assert add_accepted(path, [ONE, TWO, TWO], "more") == 1
    assert path.read_text().startswith(text)
    first, second = load_accepted(path)
    assert (first.fingerprint, first.file, first.reason) == (ONE.fingerprint, "fs/a.c", 'he said "\u00fc\x7f" and \\')
    assert (second.rule, second.reason) == ("GFP201", "more")
    assert path.read_text().splitlines()[second.line - 1].endswith(f'"{TWO.fingerprint}"')
    assert add_accepted(path, [ONE], "again") == 0


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('reason = "at boot"', "", "reason"),
        ('"at boot"', '"  "', "reason"),
        ('rule = "GFP301"', "", "rule"),
        ("reason =", "raeson =", "unknown key 'raeson'; did you mean 'reason'?"),
        ("[[suppress]]", "[[supress]]", "unknown key 'supress'; did you mean 'suppress'?"),
        ("0000", "000", "fingerprint"),
        ("[[suppress]]", "[suppress]", "array"),
        ("[[suppress]]", "[[suppress", "Expected"),
    ],
)
def test_wrong_suppressions(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "s.toml"
    path.write_text(GOOD)
    assert load_accepted(path)[0].reason == "at boot"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(TriageError, match=r"suppressions .*s\.toml: ") as raised:
        load_accepted(path)
    assert said in str(raised.value)


def test_no_suppressions(tmp_path: Path) -> None:
    with pytest.raises(TriageError, match="No such file"):
        load_accepted(tmp_path / "none")
