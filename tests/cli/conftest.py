"""Fixtures of the command's tests."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fixtures_harness import TREE

from gfpcheck.cli.main import run

from .cli_run import Cli, Result


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that the runs share, as a user's runs do."""
    return tmp_path_factory.mktemp("cache")


Here = Callable[..., Result]


@pytest.fixture
def here(cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """The command in this process: for what does not need one of its own."""
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


@pytest.fixture
def cli(tmp_path: Path, cache: Path) -> Cli:
    return Cli(tmp_path, cache)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the miniature kernel tree."""
    root = tmp_path / "linux"
    shutil.copytree(TREE, root)
    return root
