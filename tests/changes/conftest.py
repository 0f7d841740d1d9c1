"""Fixtures of the tests of changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from .repository import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository with one revision that holds src/a.c."""
    return Repository(tmp_path / "repository")
