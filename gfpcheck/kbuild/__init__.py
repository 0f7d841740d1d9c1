"""From paths to parse commands."""

from gfpcheck.kbuild.arch import known_arches
from gfpcheck.kbuild.plan import Workspace, make_plan, open_workspace
from gfpcheck.kbuild.survey import SOLVE, survey
from gfpcheck.kbuild.types import Plan, PlanError, Unit

__all__ = ["SOLVE", "Plan", "PlanError", "Unit", "Workspace", "known_arches", "make_plan", "open_workspace", "survey"]
