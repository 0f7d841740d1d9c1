"""Where the processes that tests start keep what Python has compiled: not beside the sources, and once for all."""

from __future__ import annotations

from pathlib import Path

BYTECODE = {"PYTHONPYCACHEPREFIX": str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "bytecode")}
"""Part of the environment of such a process."""
