"""The miniature kernel with more folders below `fs`, and the command to look at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from fixtures_harness import TREE

from gfpcheck.cli.main import run

HERE = Path(__file__).parent
FOLDERS = ("minires", "mininofs", "minilocks", "minitrans")


class Result(NamedTuple):
    """What a run left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the tree, which a test may change."""
    root = tmp_path / "linux"
    shutil.copytree(TREE, root)
    for name in FOLDERS:
        shutil.copytree(HERE / name, root / "fs" / name)
    with (root / "fs/Makefile").open("a") as stream:
        stream.writelines(f"obj-y += {name}/\n" for name in FOLDERS)
    return root


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def command(cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The command in this process."""
    monkeypatch.setenv("GFPCHECK_CACHE", str(cache))
    for name in ("NO_COLOR", "FORCE_COLOR", "_GFPCHECK_COMPLETE"):
        monkeypatch.delenv(name, raising=False)

    def call(*args: str | Path) -> Result:
        capsys.readouterr()
        code = run([str(arg) for arg in args])
        out, err = capsys.readouterr()
        assert "internal error" not in err
        return Result(int(code), out, err)

    return call


def golden(name: str) -> str:
    """What the output should be."""
    return (HERE / "golden" / name).read_text()
