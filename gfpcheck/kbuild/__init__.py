"""From a path to parse commands: which files, which flags, which generated headers."""

from gfpcheck.kbuild.types import Plan, PlanError, Unit

__all__ = ["Plan", "PlanError", "Unit"]
