"""A port described by a model file alone: fixtures/openzfs. Its hazards are found, and nothing else is."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from fixtures_harness import FIXTURES

from gfpcheck.authoring.trial import Trial, try_directory
from gfpcheck.driver.options import Options, RunError

PORT = FIXTURES / "openzfs"
MODEL = PORT / "openzfs.toml"


def trial(models: Iterable[Path], directory: Path = PORT) -> Trial:
    return try_directory(directory, Options(paths=(), models=tuple(models), jobs=1))


def test_the_hazards_are_found_and_nothing_else() -> None:
    found = trial([MODEL])
    assert found.complaints == ()
    expected = {mark.rule for mark in found.marks if mark.kind == "must"}
    assert {"GFP101", "GFP201", "GFP301", "GFP302"} <= expected


def test_there_is_no_python_in_it() -> None:
    assert {path.suffix for path in PORT.rglob("*") if path.is_file()} == {".c", ".h", ".toml"}


def test_nothing_is_known_without_the_model() -> None:
    with pytest.raises(RunError, match=r"the value of GFP_KERNEL, .* cannot be found"):
        trial([])


@pytest.mark.parametrize(
    ("line", "missed"),
    [
        (r"^mutex_enter = .*$", "zfs_znode_alloc"),
        (r"^spl_kmem_cache_alloc = .*$", "zfs_znode_alloc"),
        (r"^kmem_asprintf = .*$", "zfs_znode_name"),
        (r"^dmu_tx_assign = .*$", "arc_write"),
        (r"^rw_enter = .*$", "zfs_znode_pushpage"),
    ],
)
def test_each_line_of_the_model_counts(tmp_path: Path, line: str, missed: str) -> None:
    shutil.copytree(PORT, tmp_path / "port")
    text, number = re.subn(line, "", MODEL.read_text(), flags=re.MULTILINE)
    assert number == 1
    model = tmp_path / "port/openzfs.toml"
    model.write_text(text)
    complaints = "\n".join(trial([model], tmp_path / "port").complaints)
    source = "".join(path.read_text() for path in (PORT / "fixtures").glob("*.c"))
    body = source.split(f"{missed}(", 1)[1].split("\n}\n", 1)[0]
    marked = next(text.strip() for text in body.splitlines() if re.search(r"/\* GFP", text))
    assert f"is expected and not reported\n    {marked}" in complaints


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('plain = "GFP_KERNEL | __GFP_NOFAIL"', 'plain = "GFP_KERNEL"', "GFP301 is expected and not reported"),
        (' | __GFP_NOFAIL" },', '" },', "GFP301 is reported, but must not be: it may fail"),
        ('spl_fstrans_mark = { does = "open", kind = "noio" }', "", "GFP201 is reported, but must not be: the mark"),
    ],
)
def test_words_and_scopes_count(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    shutil.copytree(PORT, tmp_path / "port")
    model = tmp_path / "port/openzfs.toml"
    assert old in model.read_text()
    model.write_text(model.read_text().replace(old, new))
    assert complaint in "\n".join(trial([model], tmp_path / "port").complaints)
