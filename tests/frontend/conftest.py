from __future__ import annotations

from pathlib import Path

import pytest
from frontend_source import Source


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return Source(tmp_path)
