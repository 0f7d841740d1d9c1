"""From a tree to a table: the miniature kernel of the fixtures, mutated and analysed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from gfpcheck.findings import Confidence

from . import table
from .claims import Claim, Edit
from .ctext import Source
from .measure import NOT_COMPILED, REPORTED_BEFORE, Measurement, Verdict
from .overlay import Overlay
from .sample import draw

TREE = Path(__file__).resolve().parents[2] / "fixtures/linux"


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (draw(TREE.parent / "mutation", seed, 8) for seed in ("a", "a", "b"))
    assert first == again
    assert first != other
    assert len(first.claims) == len({(claim.file, claim.edits) for claim in first.claims})


def measured(claims: list[Claim], work: Path, tree: Path = TREE) -> list[Verdict]:
    return list(Measurement(tree, work).verdicts(claims, lambda done, total, where: None))


def test_mutants_of_the_fixtures_are_detected(tmp_path: Path) -> None:
    drawn = [claim for claim in draw(TREE, "1", 60).claims if claim.folder == "drivers/minidrv"]
    found = {(v.claim.hazard, v.claim.function): (v.rule, v.detected) for v in measured(drawn, tmp_path)}
    assert found[("lock", "minidrv_ring_push")] == ("GFP101", True)
    assert found[("hoisted", "minidrv_ring_resize")] == ("GFP101", True)


def test_a_mutant_that_changes_nothing_is_missed(tmp_path: Path) -> None:
    claim = next(claim for claim in draw(TREE, "1", 60).claims if claim.function == "minidrv_ring_push")
    (verdict,) = measured([claim._replace(edits=())], tmp_path)
    assert (verdict.confidence, verdict.detected, verdict.shows_nothing) == (None, False, "")


def test_a_site_that_is_reported_already_does_not_count(tmp_path: Path) -> None:
    """The fixture's own mistake, taken for a site: whatever is done there, it was reported before."""
    claim = next(claim for claim in draw(TREE, "1", 60).claims if claim.function == "minidrv_ring_push")
    source = TREE / "drivers/minidrv/ioctl.c"
    line = next(number for number, text in enumerate(source.read_text().splitlines(), 1) if "/* GFP101 */" in text)
    wrong = claim._replace(file="drivers/minidrv/ioctl.c", lines=(line, line), edits=())
    (verdict,) = measured([wrong], tmp_path)
    assert verdict.shows_nothing == REPORTED_BEFORE


def test_a_site_that_is_not_compiled_does_not_count(tmp_path: Path) -> None:
    claim = next(claim for claim in draw(TREE, "1", 60).claims if claim.function == "minidrv_ring_push")
    source = Source.read(TREE, claim.file)
    line = source.text.rindex("\n", 0, claim.edits[0].start) + 1
    after = source.text.index("\n", line) + 1
    edits = (*claim.edits, Edit(line, line, "#ifdef NOWHERE\n"), Edit(after, after, "#endif\n"))
    (verdict,) = measured([claim._replace(lines=(claim.lines[0] + 1, claim.lines[1] + 1), edits=edits)], tmp_path)
    assert verdict.shows_nothing == NOT_COMPILED


def test_a_file_that_is_not_built_does_not_count(tmp_path: Path) -> None:
    claim = next(claim for claim in draw(TREE, "1", 60).claims if claim.function == "minidrv_ring_push")
    tree = tmp_path / "linux"
    shutil.copytree(TREE, tree)
    shutil.copy(tree / claim.file, tree / "drivers/minidrv/other.c")
    (verdict,) = measured([claim._replace(file="drivers/minidrv/other.c")], tmp_path, tree)
    assert verdict.shows_nothing == NOT_COMPILED


def test_the_overlay_shows_the_change_and_takes_it_back(tmp_path: Path) -> None:
    overlay = Overlay(TREE, tmp_path / "tree")
    file = "drivers/minidrv/ring.c"
    with overlay.changed(file, "changed"):
        assert (tmp_path / "tree" / file).read_text() == "changed"
        assert (tmp_path / "tree/drivers/minidrv/main.c").samefile(TREE / "drivers/minidrv/main.c")
    assert (tmp_path / "tree" / file).samefile(TREE / file)
    assert (tmp_path / "tree/include").samefile(TREE / "include")


def verdicts() -> list[Verdict]:
    claim = next(claim for claim in draw(TREE, "1", 60).claims if claim.function == "minidrv_ring_push")
    return [
        Verdict(claim, "GFP101", Confidence.HIGH),
        Verdict(claim, "GFP101", Confidence.MEDIUM),
        Verdict(claim._replace(depth=2), "GFP101", Confidence.LOW),
        Verdict(claim._replace(depth=1), "", None, "a reason"),
        Verdict(claim, "", None, "", REPORTED_BEFORE),
    ]


def test_the_table_counts_low_confidence_apart() -> None:
    text = table.text(verdicts(), Counter({"doubt": 3}), "Title")
    rows = [line.split() for line in text.splitlines()]
    assert ["lock,", "0", "2", "2", "100%", "0", "0"] in rows
    assert ["lock,", "1", "to", "3", "2", "0", "0%", "1", "1"] in rows
    assert ["all", "4", "2", "50%", "1", "1"] in rows
    assert "1 not counted: the unchanged site is reported already" in text
    assert "3  doubt" in text
    assert text.index("Missed: 1") < text.index("(a reason)") < text.index("low confidence only: 1")


def test_the_json_holds_every_mutant() -> None:
    data = json.loads(table.as_json(verdicts(), Counter({"doubt": 3}), "seed", "tree"))
    assert (data["tree"], data["seed"], data["unsure"]) == ("tree", "seed", {"doubt": 3})
    assert [(row["detected"], row["confidence"]) for row in data["mutants"]] == [
        (True, "high"),
        (True, "medium"),
        (False, "low"),
        (False, None),
        (False, None),
    ]


@pytest.mark.parametrize(("tree", "code"), [(TREE, 0), (TREE / "rules", 2)])
def test_the_command(tree: Path, code: int, tmp_path: Path) -> None:
    folder = Path(__file__).resolve().parents[1]
    path = os.pathsep.join((str(folder), str(folder.parent)))
    done = subprocess.run(
        [sys.executable, "-m", "mutation", tree, "--sample", "1", "--json", tmp_path / "out.json"],
        env={**os.environ, "PYTHONPATH": path},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if code == 0:
        assert "1 mutant of linux, seed 1" in done.stdout
        assert len(json.loads((tmp_path / "out.json").read_text())["mutants"]) == 1
