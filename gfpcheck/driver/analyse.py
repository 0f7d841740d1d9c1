"""From modules to a report: the analysis, then the rules."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from gfpcheck import __version__
from gfpcheck.analysis.bottom_up import summarise
from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.contexts import Contexts
from gfpcheck.analysis.edges import Edges
from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.entry import EntryScopes, entry_scopes
from gfpcheck.analysis.loops import LoopFinder
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.reclaim import Reclaim
from gfpcheck.driver.check import check, failures
from gfpcheck.driver.options import Options, Progress
from gfpcheck.driver.source import Source
from gfpcheck.driver.views import Views
from gfpcheck.findings import Finding, Loss, Report, numbered
from gfpcheck.ir import Diagnostic
from gfpcheck.rule_api import Rule


class Knowledge(NamedTuple):
    """Everything that the analysis has found out about a program."""

    program: Program
    graph: CallGraph
    engine: Engine
    reclaim: Reclaim
    loops: LoopFinder
    edges: Edges
    views: Views
    entry: EntryScopes
    contexts: Contexts


def find_out(source: Source, jobs: int, progress: Progress | None) -> Knowledge:
    """The analysis of what was read, up to what rules are shown, by at most `jobs` processes."""
    plan, knowledge, gfp, modules, followed, summaries, _ = source
    beyond = followed.functions
    program = Program(modules, followed.modules, knowledge.queued, dict(plan.parts))
    graph = CallGraph(program, beyond)
    effects = Effects(program, knowledge, gfp)
    engine = Engine(program, knowledge, effects, graph.rounds, summaries.kept, summaries.tool)
    summarise(engine, graph, jobs, None if progress is None else partial(progress, "analysing"))
    reclaim = Reclaim(program, engine, knowledge, graph, beyond, jobs)
    loops = LoopFinder(program, engine)
    edges = Edges(engine)
    entry = entry_scopes(program.functions, edges)
    contexts = Contexts(engine, edges)
    summaries.save()
    views = Views(program, engine, gfp, loops, reclaim, entry, contexts, graph, plan.version, plan.root)
    return Knowledge(program, graph, engine, reclaim, loops, edges, views, entry, contexts)


def analyse(source: Source, rules: tuple[type[Rule], ...], options: Options, progress: Progress | None) -> Report:
    """All that `rules` find in the files asked for, of whatever confidence, from wherever a hazard begins."""
    plan, _, _, modules, followed, *_ = source
    losses = [Loss("plan", path, why) for path, why in plan.skipped if path in plan.lost]
    for module in modules:
        losses += [Loss("parse", f"{e.file}:{e.line}", e.message) for e in module.errors]
        losses += [Loss("lower", f"{module.file}: {name}", "the function could not be lowered") for name in module.lost]
    losses += [_broken(module.errors) for module in followed.modules if module.errors]
    known = find_out(source, options.processes, progress)
    program, graph, engine, reclaim, *_ = known
    beyond = followed.functions
    losses += [
        Loss("follow", key, "the function was too much work and was given up on")
        for key in sorted(engine.facts.keys() & beyond)
        if engine.facts[key].given_up
    ]
    keys = sorted(engine.facts.keys() - beyond)
    losses += [
        Loss("analysis", key, "the function was too much work and was given up on")
        for key in keys
        if engine.facts[key].given_up
    ]
    checked = check(rules, known.views, engine, keys, options.processes)
    losses += [Loss("rule", each.rule, f"{each.why} ({n} functions)") for each, n in failures(checked.crashes)]
    found = numbered(checked.findings)
    if options.scenarios:
        found = _with_scenarios(found, known, source, rules)
    counts = {
        "files": len(modules),
        "left-out files": len(plan.skipped) - len(plan.lost),
        "functions": len(program.functions) - len(beyond),
        "allocation sites": sum(len(engine.facts[key].sites) for key in keys),
        "unresolved indirect calls": graph.unresolved,
        "indirect calls with too many targets": graph.wide,
        "calls not followed round": len(graph.rounds),
        "external calls": graph.external,
        **followed.counts(),
        "reclaim roots": reclaim.roots,
    }
    return Report(
        version=__version__,
        root=plan.root,
        setup=plan.setup,
        arch=plan.arch,
        kernel=".".join(map(str, plan.version)),
        findings=tuple(found),
        rules=tuple(rule.info(options.rules_page) for rule in rules),
        losses=tuple(sorted(losses)),
        counts=counts,
        command_line=options.command_line,
        files=tuple(sorted(module.file for module in modules)),
    )


def _with_scenarios(
    findings: Sequence[Finding], known: Knowledge, source: Source, rules: Sequence[type[Rule]]
) -> list[Finding]:
    # Without scenarios nobody needs it.
    from gfpcheck.driver.scenarios import Scenarios

    concerned = {rule.id for rule in rules if rule.deadlocks}
    scenarios = Scenarios(known.engine, known.edges, known.entry, known.contexts, source)
    found = [scenarios.drawn(finding) if finding.rule in concerned else finding for finding in findings]
    source.summaries.save()
    return found


def _broken(errors: Sequence[Diagnostic]) -> Loss:
    """One loss for a file that calls lead to, however many errors it has."""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return Loss("follow", f"{errors[0].file}:{errors[0].line}", f"{errors[0].message}{more}")
