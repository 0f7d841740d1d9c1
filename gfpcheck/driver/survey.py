"""What there is at a path, for `gfpcheck doctor` and `gfpcheck --version`."""

from __future__ import annotations

from collections.abc import Sequence

from gfpcheck import frontend, kbuild, models
from gfpcheck.driver.inputs import Inputs
from gfpcheck.driver.options import Options, RunError
from gfpcheck.driver.selfcheck import fold_flags
from gfpcheck.kbuild import Plan, PlanError
from gfpcheck.models import ModelError
from gfpcheck.store import Store

_TRIED = 3
"""Files that are searched for headers that are not there."""


def survey(options: Options, words: Sequence[str] = ()) -> tuple[list[tuple[str, str]], bool]:
    """What there is at the first of the paths, as (label, value) rows, and whether it can be analysed. `words` are the
    options of the command line.

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
            words=words,
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
            row, problem = _headers(plan)
            rows += row
    except (ModelError, frontend.FrontendError, RunError) as error:
        problem = str(error)
    if problem and plan is not None and plan.unmade:
        problem += f"; {plan.unmade}"
    if problem:
        rows.append(("problem", problem))
        following = ("next", kbuild.SOLVE)
    return [*rows, following], plan is not None and not problem


def _headers(plan: Plan) -> tuple[list[tuple[str, str]], str]:
    """A row for headers that are not there, if any are, and the problem, if no file of those tried has all."""
    last = len(plan.units) - 1
    tried = [plan.units[place] for place in dict.fromkeys(last * n // (_TRIED - 1) for n in range(_TRIED))]
    missing = {unit.rel: frontend.missing_headers(unit.path, unit.args, unit.cwd) for unit in tried}
    lacking = {file: headers for file, headers in missing.items() if headers}
    if not lacking:
        return [], ""
    names = "; ".join(f"{', '.join(headers[:_TRIED])} for {file}" for file, headers in lacking.items())
    row = ("headers not found", f"{names} ({_tried(len(missing))})")
    return [row], "headers are not found" if len(lacking) == len(missing) else ""


def _tried(number: int) -> str:
    return "1 file tried" if number == 1 else f"{number} files tried"


def frontend_version() -> str:
    """libclang's own version line. Raises RunError if it cannot be loaded."""
    try:
        return frontend.libclang_version()
    except frontend.FrontendError as error:
        raise RunError(str(error)) from error
