"""Fixtures for the kbuild tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .kbuild_tree import make_tree


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tiny unconfigured kernel tree."""
    return make_tree(tmp_path / "linux")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def kernels() -> Path:
    """The folder of real kernel trees; the test is skipped without one."""
    folder = os.environ.get("GFPCHECK_KERNELS")
    if not folder:
        pytest.skip("GFPCHECK_KERNELS is not set")
    return Path(folder)
