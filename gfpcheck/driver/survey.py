"""What there is at a path, for `gfpcheck doctor` and `gfpcheck --version`."""

from __future__ import annotations

from gfpcheck import frontend, kbuild, models
from gfpcheck.driver.inputs import Inputs
from gfpcheck.driver.options import Options, RunError
from gfpcheck.driver.selfcheck import fold_flags
from gfpcheck.kbuild import PlanError
from gfpcheck.models import ModelError
from gfpcheck.store import Store


def survey(options: Options) -> tuple[list[tuple[str, str]], bool]:
    """What there is at the first of the paths, as (label, value) rows, and whether it can be analysed.

    Raises RunError for a path that is none.
    """
    assert options.cache_dir is not None
    try:
        rows, plan = kbuild.survey(
            options.paths[0],
            arch=options.arch,
            build_dir=options.build_dir,
            compile_commands=options.compile_commands,
            tree=options.tree,
            cache_dir=options.cache_dir,
        )
    except PlanError as error:
        raise RunError(str(error)) from error
    following = rows.pop()
    problem = ""
    try:
        rows.append(("libclang", frontend.libclang_version()))
        if plan is not None:
            knowledge = models.load(plan.version, options.models)
            known = fold_flags(plan, knowledge, Inputs(Store(None), plan.root)).values
            rows.append(("allocation flags", f"{len(known)} have values in this tree, GFP_KERNEL among them"))
    except (ModelError, frontend.FrontendError, RunError) as error:
        problem = str(error)
    if problem:
        rows.append(("problem", problem))
        following = ("next", kbuild.SOLVE)
    return [*rows, following], plan is not None and not problem


def frontend_version() -> str:
    """libclang's own version line. Raises RunError if it cannot be loaded."""
    try:
        return frontend.libclang_version()
    except frontend.FrontendError as error:
        raise RunError(str(error)) from error
