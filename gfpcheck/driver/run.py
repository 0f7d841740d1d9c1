"""One run, from paths to a report."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from gfpcheck import frontend, kbuild, models
from gfpcheck.driver.cache import open_store
from gfpcheck.driver.collector import no_collector
from gfpcheck.driver.follow import NOTHING, Followed, follow
from gfpcheck.driver.inputs import Inputs
from gfpcheck.driver.kept import Beyond, find_beyond, find_report, keep_beyond, keep_report, report_key
from gfpcheck.driver.lower import Reader
from gfpcheck.driver.options import Options, Progress, RunError
from gfpcheck.driver.rules import all_rules
from gfpcheck.driver.selection import check_words, select
from gfpcheck.driver.selfcheck import fold_flags
from gfpcheck.driver.source import Source
from gfpcheck.driver.summaries import Summaries
from gfpcheck.findings import Report
from gfpcheck.ir import Module
from gfpcheck.kbuild import CacheError, PlanError, Workspace
from gfpcheck.models import GfpFlags, ModelError, Models
from gfpcheck.rule_api import Rule
from gfpcheck.store import Store, digest
from gfpcheck.symbols import Index, open_index
from gfpcheck.triage import Request, triage
from gfpcheck.workers import scratch

Answer = TypeVar("Answer")


def run(options: Options, progress: Progress | None = None) -> Report:
    """Analyse what `options` asks for, or find what is kept of an earlier run, and report what its policy says.

    Raises RunError when it cannot be done: no such path, no C, flags that cannot be folded, a wrong model or rule.
    What fails in part is in the report's losses.
    """
    rules, request = _asked(options)
    return triage(_find(options, rules, progress), options.policy, request)


def known(options: Options) -> Report | None:
    """What `run` would report, if it is kept of an earlier run, and nothing has changed since. Raises RunError."""
    _, request = _asked(options)
    with no_collector(), _prepared(options, None) as prepared:
        key = prepared.key(options)
        found = None if key is None else find_report(prepared.store, key)
    return None if found is None else triage(_named(found, options), options.policy, request)


def _asked(options: Options) -> tuple[tuple[type[Rule], ...], Request]:
    """The rules that `options` ask for, and what is to become of their findings. Raises RunError."""
    available = all_rules(options.rule_dirs)
    rules = select(available, options.select, options.ignore)
    check_words(available, options.policy.words())
    names = {word for rule in available for word in (rule.id, rule.name)}
    return rules, Request(options.paths, rules, names, options.min_confidence)


def _named(report: Report, options: Options) -> Report:
    """`report`, with the command line that asks for it this time."""
    return msgspec.structs.replace(report, command_line=options.command_line)


def _find(options: Options, rules: tuple[type[Rule], ...], progress: Progress | None) -> Report:
    """All that the rules find."""

    def find(source: Source) -> Report:
        # Not needed when nothing has changed, and long to import.
        from gfpcheck.driver.analyse import analyse

        return analyse(source, rules, options, progress)

    return _named(answer(options, find_report, find, keep_report, progress), options)


def answer(
    options: Options,
    look: Callable[[Store, str], Answer | None],
    find: Callable[[Source], Answer],
    keep: Callable[[Store, str, Answer], None],
    progress: Progress | None = None,
) -> Answer:
    """What `look` has of an earlier run, if nothing has changed since; else what `find` says of the files that
    `options` asks for, which is given to `keep`. Both are told the key in the store.

    Raises RunError as `run` does, and whatever `find` raises.
    """
    with no_collector(), _prepared(options, progress) as prepared:
        key = prepared.key(options)
        found = None if key is None else look(prepared.store, key)
        if found is None:
            source = prepared.source(options)
            found = find(source)
            prepared.keep(options, source.followed)
            key = prepared.key(options)
            if key is not None:
                keep(prepared.store, key, found)
    return found


def read(options: Options, progress: Progress | None = None) -> Source:
    """Read what `options` asks for. Raises RunError as `run` does."""
    with no_collector(), _prepared(options, progress) as prepared:
        return prepared.source(options)


class _Prepared(NamedTuple):
    """Everything but the IR. `symbols` is the tree's index, if calls are to be followed."""

    workspace: Workspace
    knowledge: Models
    gfp: GfpFlags
    reader: Reader
    store: Store
    symbols: Index | None

    def source(self, options: Options) -> Source:
        """Reads the files, and those that calls lead to."""
        plan = self.workspace.plan
        modules = self.reader.modules(plan.units)
        _refuse_nothing(modules)
        followed = NOTHING
        if self.symbols is not None:
            followed = follow(
                modules, self.workspace, self.symbols, self.knowledge, options.follow, self.reader.modules
            )
        summaries = Summaries(self.store, plan, self.knowledge, self.gfp)
        return Source(plan, self.knowledge, self.gfp, modules, followed, summaries, self.symbols)

    def key(self, options: Options) -> str | None:
        """What names the report in the store; None if it is not known, or may not be kept."""
        first = self._first(options)
        if first is None or self.symbols is None:
            return first
        beyond = find_beyond(self.store, digest(first, self.symbols.digest))
        if beyond is None or beyond.state != self._state(beyond.places):
            return None
        units = [self.workspace.unit(file) for file in beyond.files]
        keys = [None if unit is None else self.reader.key(unit) for unit in units]
        known = [key for key in keys if key is not None]
        return digest(first, beyond.callees, *known) if len(known) == len(keys) else None

    def keep(self, options: Options, followed: Followed) -> None:
        """Keeps which files were followed."""
        first = self._first(options)
        if first is not None and self.symbols is not None:
            callees = digest(*(part for callee in followed.callees for part in callee))
            places = list(followed.places)
            beyond = Beyond([unit.rel for unit in followed.units], callees, places, self._state(places))
            keep_beyond(self.store, digest(first, self.symbols.digest), beyond)

    def _state(self, places: Iterable[str]) -> str:
        """Names what Makefiles and compile commands say of these files."""
        space = self.workspace
        return digest(*(f"{space.callee(place) is not None} {space.is_built(place)}" for place in places))

    def _first(self, options: Options) -> str | None:
        plan = self.workspace.plan
        units = [self.reader.key(unit) for unit in plan.units]
        return report_key(plan, self.knowledge, self.gfp, options, units, self.store)


@contextlib.contextmanager
def _prepared(options: Options, progress: Progress | None) -> Iterator[_Prepared]:
    """Finds out what is to be read. Raises RunError, from the block as well."""
    store = open_store(options.cache_dir)
    try:
        with _workspace(options) as (workspace, cache):
            plan = workspace.plan
            knowledge = models.load(plan.version, options.models)
            inputs = Inputs(store, plan.root)
            if options.announce is not None:
                options.announce(plan.setup)
            gfp = fold_flags(plan, knowledge, inputs)
            reader = Reader(plan, knowledge, options, cache, inputs, progress)
            index = _index(workspace, options, inputs, progress)
            yield _Prepared(workspace, knowledge, gfp, reader, store, index)
            inputs.files.save()
    except (PlanError, ModelError, frontend.FrontendError) as error:
        raise RunError(str(error)) from error
    store.trim()
    if store.problem and options.announce is not None:
        options.announce(f"the cache cannot be written ({store.problem}); the next run will start from nothing")


def _index(workspace: Workspace, options: Options, inputs: Inputs, progress: Progress | None) -> Index | None:
    """Where the functions of the kernel are; None if calls are not to be followed, or there is no kernel."""
    if options.follow == 0 or workspace.tree is None:
        return None

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress("indexing", done, total)

    jobs = options.processes
    return open_index(str(workspace.tree), workspace.left_out(), inputs.store, inputs.files.start, jobs, tell)


@contextlib.contextmanager
def _workspace(options: Options) -> Iterator[tuple[Workspace, Path]]:
    """The workspace, and the directory for what is kept, or for as long as the run takes if nothing is or can be."""
    with contextlib.ExitStack() as stack:
        cache = options.cache_dir or stack.enter_context(scratch())
        try:
            workspace = _open(options, cache)
        except CacheError as error:
            cache = stack.enter_context(scratch())
            try:
                workspace = _open(options, cache)
            except CacheError:  # nothing can be written anywhere
                raise error from None
            if options.announce is not None:
                options.announce(f"{str(error).rpartition('; ')[0]}; going on without it")
        yield workspace, cache


def _open(options: Options, cache: Path) -> Workspace:
    return kbuild.open_workspace(
        options.paths,
        arch=options.arch,
        build_dir=options.build_dir,
        compile_commands=options.compile_commands,
        tree=options.tree,
        command=options.command,
        cache_dir=cache,
    )


def _refuse_nothing(modules: list[Module]) -> None:
    """Raises RunError if there is no function to look at, and errors are why."""
    first = next((error for module in modules for error in module.errors), None)
    if first is None or any(module.functions or module.headers for module in modules):
        return
    which = "the file" if len(modules) == 1 else f"none of the {len(modules)} files"
    verb = "cannot" if len(modules) == 1 else "can"
    raise RunError(f"{which} {verb} be analysed: {first.file}:{first.line}: {first.message}")
