"""One run, from paths to a report."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from gfpcheck import frontend, kbuild, models
from gfpcheck.driver.cache import open_store
from gfpcheck.driver.collector import no_collector
from gfpcheck.driver.inputs import Inputs
from gfpcheck.driver.kept import find_report, keep_report, report_key
from gfpcheck.driver.lower import Reader
from gfpcheck.driver.options import Options, Progress, RunError
from gfpcheck.driver.rules import all_rules
from gfpcheck.driver.selection import select
from gfpcheck.driver.selfcheck import fold_flags
from gfpcheck.findings import Report
from gfpcheck.ir import Module
from gfpcheck.kbuild import CacheError, Plan, PlanError
from gfpcheck.models import GfpFlags, ModelError, Models
from gfpcheck.store import Store


class Source(NamedTuple):
    """What there is to analyse: the files, what is known of their kernel, their IR."""

    plan: Plan
    knowledge: Models
    gfp: GfpFlags
    modules: list[Module]


def run(options: Options, progress: Progress | None = None) -> Report:
    """Analyse what `options` asks for, or find what is kept of an earlier run.

    Raises RunError when it cannot be done: no such path, no C, flags that cannot be folded, a wrong model or rule.
    What fails in part is in the report's losses.
    """
    rules = select(all_rules(options.rule_dirs), options.select, options.ignore)
    with no_collector(), _prepared(options, progress) as (plan, knowledge, gfp, reader, store):
        key = report_key(plan, knowledge, gfp, options, [reader.key(unit) for unit in plan.units], store)
        report = None if key is None else find_report(store, key)
        if report is None:
            # Not needed when nothing has changed, and long to import.
            from gfpcheck.driver.analyse import analyse

            report = analyse(plan, knowledge, gfp, _modules(reader, plan), rules, options, progress)
            key = report_key(plan, knowledge, gfp, options, [reader.key(unit) for unit in plan.units], store)
            if key is not None:
                keep_report(store, key, report)
    return msgspec.structs.replace(report, command_line=options.command_line)


def read(options: Options, progress: Progress | None = None) -> Source:
    """Read what `options` asks for. Raises RunError as `run` does."""
    with no_collector(), _prepared(options, progress) as (plan, knowledge, gfp, reader, _):
        return Source(plan, knowledge, gfp, _modules(reader, plan))


class _Prepared(NamedTuple):
    """Everything but the IR."""

    plan: Plan
    knowledge: Models
    gfp: GfpFlags
    reader: Reader
    store: Store


@contextlib.contextmanager
def _prepared(options: Options, progress: Progress | None) -> Iterator[_Prepared]:
    """Finds out what is to be read. Raises RunError, from the block as well."""
    store = open_store(options.cache_dir)
    try:
        with _plan(options) as (plan, cache):
            knowledge = models.load(plan.version, options.models)
            inputs = Inputs(store, plan.root)
            if options.announce is not None:
                options.announce(plan.setup)
            gfp = fold_flags(plan, knowledge, inputs)
            yield _Prepared(plan, knowledge, gfp, Reader(plan, knowledge, options, cache, inputs, progress), store)
            inputs.files.save()
    except (PlanError, ModelError, frontend.FrontendError) as error:
        raise RunError(str(error)) from error
    store.trim()
    if store.problem and options.announce is not None:
        options.announce(f"the cache cannot be written ({store.problem}); the next run will start from nothing")


@contextlib.contextmanager
def _plan(options: Options) -> Iterator[tuple[Plan, Path]]:
    """The plan, and the directory for what is kept, or for as long as the run takes if nothing is or can be."""
    with contextlib.ExitStack() as stack:

        def scratch() -> Path:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gfpcheck-")))

        cache = options.cache_dir or scratch()
        try:
            plan = _make_plan(options, cache)
        except CacheError as error:
            cache = scratch()
            try:
                plan = _make_plan(options, cache)
            except CacheError:  # nothing can be written anywhere
                raise error from None
            if options.announce is not None:
                options.announce(f"{str(error).rpartition('; ')[0]}; going on without it")
        yield plan, cache


def _make_plan(options: Options, cache: Path) -> Plan:
    return kbuild.make_plan(
        options.paths,
        arch=options.arch,
        build_dir=options.build_dir,
        compile_commands=options.compile_commands,
        tree=options.tree,
        cache_dir=cache,
    )


def _modules(reader: Reader, plan: Plan) -> list[Module]:
    modules = reader.modules(plan.units)
    _refuse_nothing(modules)
    return modules


def _refuse_nothing(modules: list[Module]) -> None:
    """Raises RunError if there is no function to look at, and errors are why."""
    first = next((error for module in modules for error in module.errors), None)
    if first is None or any(module.functions or module.headers for module in modules):
        return
    which = "the file" if len(modules) == 1 else f"none of the {len(modules)} files"
    verb = "cannot" if len(modules) == 1 else "can"
    raise RunError(f"{which} {verb} be analysed: {first.file}:{first.line}: {first.message}")
