"""One run, from paths to a report."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from gfpcheck import frontend, kbuild, models
from gfpcheck.driver.analyse import analyse
from gfpcheck.driver.lower import lower
from gfpcheck.driver.options import Options, Progress, RunError
from gfpcheck.driver.rules import all_rules
from gfpcheck.driver.selection import select
from gfpcheck.driver.selfcheck import fold_flags
from gfpcheck.findings import Report
from gfpcheck.ir import Module
from gfpcheck.kbuild import Plan, PlanError
from gfpcheck.models import GfpFlags, ModelError, Models


class Source(NamedTuple):
    """What there is to analyse: the files, what is known of their kernel, their IR."""

    plan: Plan
    knowledge: Models
    gfp: GfpFlags
    modules: list[Module]


def run(options: Options, progress: Progress | None = None) -> Report:
    """Analyse what `options` asks for.

    Raises RunError when it cannot be done: no such path, no C, flags that cannot be folded, a wrong model or rule.
    What fails in part is in the report's losses.
    """
    rules = select(all_rules(options.rule_dirs), options.select, options.ignore)
    return analyse(*read(options, progress), rules, options, progress)


def read(options: Options, progress: Progress | None = None) -> Source:
    """Read what `options` asks for. Raises RunError as `run` does."""
    with _cache_directory(options) as cache:
        try:
            plan = kbuild.make_plan(
                options.paths,
                arch=options.arch,
                build_dir=options.build_dir,
                compile_commands=options.compile_commands,
                tree=options.tree,
                cache_dir=cache,
            )
            knowledge = models.load(plan.version, options.models)
            if options.announce is not None:
                options.announce(plan.setup)
            gfp = fold_flags(plan, knowledge)
            modules = lower(plan, knowledge, options, cache, progress)
            _refuse_nothing(modules)
        except (PlanError, ModelError, frontend.FrontendError) as error:
            raise RunError(str(error)) from error
    return Source(plan, knowledge, gfp, modules)


@contextlib.contextmanager
def _cache_directory(options: Options) -> Iterator[Path]:
    if options.cache_dir is not None:
        yield options.cache_dir
    else:
        with tempfile.TemporaryDirectory(prefix="gfpcheck-") as directory:
            yield Path(directory)


def _refuse_nothing(modules: list[Module]) -> None:
    """Raises RunError if there is no function to look at, and errors are why."""
    first = next((error for module in modules for error in module.errors), None)
    if first is None or any(module.functions or module.headers for module in modules):
        return
    which = "the file" if len(modules) == 1 else f"none of the {len(modules)} files"
    verb = "cannot" if len(modules) == 1 else "can"
    raise RunError(f"{which} {verb} be analysed: {first.file}:{first.line}: {first.message}")
