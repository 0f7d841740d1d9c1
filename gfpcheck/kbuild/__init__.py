"""From paths to parse commands."""

from gfpcheck.kbuild.plan import make_plan
from gfpcheck.kbuild.types import Plan, PlanError, Unit

__all__ = ["Plan", "PlanError", "Unit", "make_plan"]
