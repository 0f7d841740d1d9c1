"""One run, from paths to a report."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec

from gfpcheck import __version__, frontend, kbuild, models
from gfpcheck.driver.options import Options, Progress, RunError
from gfpcheck.driver.rules import all_rules, apply, select
from gfpcheck.driver.selfcheck import fold_flags
from gfpcheck.findings import Finding, Loss, Report
from gfpcheck.ir import Module
from gfpcheck.kbuild import Plan, PlanError
from gfpcheck.models import GfpFlags, ModelError, Models
from gfpcheck.rule_api import Rule


def run(options: Options, progress: Progress | None = None) -> Report:
    """Analyse what `options` asks for.

    Raises RunError when it cannot be done: no such path, no C, flags that cannot be folded, a wrong model or rule.
    What fails in part is in the report's losses.
    """
    rules = select(all_rules(options.rule_dirs), options.select, options.ignore)
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
            modules = _lower(plan, knowledge, options, cache, progress)
            _refuse_nothing(modules)
        except (PlanError, ModelError, frontend.FrontendError) as error:
            raise RunError(str(error)) from error
    return _analyse(plan, knowledge, gfp, modules, rules, options, progress)


@contextlib.contextmanager
def _cache_directory(options: Options) -> Iterator[Path]:
    if options.cache_dir is not None:
        yield options.cache_dir
    else:
        with tempfile.TemporaryDirectory(prefix="gfpcheck-") as directory:
            yield Path(directory)


def _spellings(names: frozenset[str]) -> frozenset[str]:
    """Model names with the functions behind the macros of allocation profiling."""
    return names | {f"{name}_noprof" for name in names}


def _lower(plan: Plan, knowledge: Models, options: Options, cache: Path, progress: Progress | None) -> list[Module]:
    jobs = options.jobs or len(os.sched_getaffinity(0))

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress("reading", done, total)

    return list(
        frontend.lower_units(
            plan.units,
            plan.root,
            stop=_spellings(knowledge.names),
            noreturn=knowledge.noreturn,
            jobs=jobs,
            pch_dir=cache / "pch",
            progress=tell,
        )
    )


def _refuse_nothing(modules: list[Module]) -> None:
    """Raises RunError if there is no function to look at, and errors are why."""
    first = next((error for module in modules for error in module.errors), None)
    if first is None or any(module.functions or module.headers for module in modules):
        return
    which = "the file" if len(modules) == 1 else f"none of the {len(modules)} files"
    verb = "cannot" if len(modules) == 1 else "can"
    raise RunError(f"{which} {verb} be analysed: {first.file}:{first.line}: {first.message}")


def _analyse(
    plan: Plan,
    knowledge: Models,
    gfp: GfpFlags,
    modules: list[Module],
    rules: tuple[type[Rule], ...],
    options: Options,
    progress: Progress | None,
) -> Report:
    # Imported here: networkx takes 0.2 s to import, and `gfpcheck --help` needs none of it.
    from gfpcheck.analysis.callgraph import CallGraph
    from gfpcheck.analysis.effects import Effects
    from gfpcheck.analysis.engine import Engine
    from gfpcheck.analysis.entry import entry_scopes
    from gfpcheck.analysis.loops import LoopFinder
    from gfpcheck.analysis.program import Program
    from gfpcheck.analysis.reclaim import Reclaim
    from gfpcheck.driver.views import Views

    losses = [Loss("plan", path, why) for path, why in plan.skipped if path in plan.lost]
    for module in modules:
        losses += [Loss("parse", f"{e.file}:{e.line}", e.message) for e in module.errors]
        losses += [Loss("lower", f"{module.file}: {name}", "the function could not be lowered") for name in module.lost]
    program = Program(modules)
    graph = CallGraph(program)
    effects = Effects(program, knowledge, gfp)
    engine = Engine(program, knowledge, effects)
    components = graph.bottom_up()
    for number, component in enumerate(components):
        if progress is not None and number % 64 == 0:
            progress("analysing", number, len(components))
        for key in component:
            engine.summary(key)
    reclaim = Reclaim(program, engine, knowledge)
    loops = LoopFinder(program, engine)
    entry = entry_scopes(program, engine, knowledge)
    views = Views(program, gfp, loops, reclaim.locks, entry, plan.version)
    findings: list[Finding] = []
    crashed: Counter[tuple[str, str]] = Counter()
    sites = 0
    for key in sorted(engine.facts):
        facts = engine.facts[key]
        sites += len(facts.sites)
        if facts.given_up:
            losses.append(Loss("analysis", key, "the function was too much work and was given up on"))
        if not facts.sites:
            continue
        function = views.function(key, facts)
        for rule in rules:
            try:
                findings += apply(rule, function)
            except (Exception, SystemExit) as error:  # a rule is somebody else's code: name it, count it, go on
                crashed[rule.id, f"{type(error).__name__}: {error}"] += 1
    losses += [Loss("rule", rule, f"{why} ({n} functions)") for (rule, why), n in sorted(crashed.items())]
    shown = [f for f in findings if f.confidence.rank >= options.min_confidence.rank]
    counts = {
        "files": len(modules),
        "left-out files": len(plan.skipped) - len(plan.lost),
        "functions": len(program.functions),
        "allocation sites": sites,
        "unresolved indirect calls": graph.unresolved,
        "external calls": graph.external,
        "reclaim roots": reclaim.roots,
        "hidden findings": len(findings) - len(shown),
    }
    return Report(
        version=__version__,
        root=plan.root,
        setup=plan.setup,
        arch=plan.arch,
        kernel=".".join(map(str, plan.version)),
        findings=tuple(_distinct(shown)),
        rules=tuple(rule.info() for rule in rules),
        losses=tuple(sorted(losses)),
        counts=counts,
        command_line=options.command_line,
    )


def _distinct(findings: list[Finding]) -> list[Finding]:
    """One finding for each hazard, sorted: of those of one rule that meet at one allocation under locks of the
    same classes the one with the shortest flow, which names the other places."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: (-f.confidence.rank, len(f.flow), f.sort_key)):
        locks = tuple(sorted({lock["class"] for lock in finding.properties.get("locks", ())}))
        meeting = finding.flow[-1].place if locks else finding.place
        groups.setdefault((finding.rule, meeting, locks), []).append(finding)
    seen: Counter[str] = Counter()
    result = []
    for nearest, *others in sorted(groups.values(), key=lambda group: group[0].sort_key):
        seen[nearest.fingerprint] += 1
        number = seen[nearest.fingerprint]
        if number > 1:
            nearest = msgspec.structs.replace(nearest, subject=(*nearest.subject, str(number)))
        result.append(_with_others(nearest, others))
    return result


def _with_others(finding: Finding, others: list[Finding]) -> Finding:
    """`finding`, naming the other places where the same hazard begins."""
    places = sorted({other.place for other in others} - {finding.place})
    if not places:
        return finding
    also = [{"file": place.file, "line": place.line, "function": place.function} for place in places]
    more = f"; the same from {len(places)} other {'place' if len(places) == 1 else 'places'}"
    return msgspec.structs.replace(
        finding, message=finding.message + more, properties={**finding.properties, "also": also}
    )
