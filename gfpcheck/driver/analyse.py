"""From modules to a report: the analysis, then the rules."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec

from gfpcheck import __version__
from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.entry import entry_scopes
from gfpcheck.analysis.loops import LoopFinder
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.reclaim import Reclaim
from gfpcheck.driver.options import Options, Progress
from gfpcheck.driver.rules import apply
from gfpcheck.driver.source import Source
from gfpcheck.driver.views import Views
from gfpcheck.findings import Confidence, Finding, Loss, Report
from gfpcheck.rule_api import Rule


class Knowledge(NamedTuple):
    """Everything that the analysis has found out about a program."""

    program: Program
    graph: CallGraph
    engine: Engine
    reclaim: Reclaim
    views: Views


def find_out(source: Source, progress: Progress | None) -> Knowledge:
    """The analysis of what was read, up to what rules are shown."""
    plan, knowledge, gfp, modules, followed = source
    beyond = followed.functions
    program = Program(modules, followed.modules, knowledge.queued)
    graph = CallGraph(program, beyond)
    effects = Effects(program, knowledge, gfp)
    engine = Engine(program, knowledge, effects)
    components = graph.bottom_up()
    for number, component in enumerate(components):
        if progress is not None and number % 64 == 0:
            progress("analysing", number, len(components))
        for key in component:
            engine.summary(key)
    reclaim = Reclaim(program, engine, knowledge, graph, beyond)
    loops = LoopFinder(program, engine)
    entry = entry_scopes(program, engine, knowledge)
    views = Views(program, engine, gfp, loops, reclaim, entry, graph, plan.version, plan.root)
    return Knowledge(program, graph, engine, reclaim, views)


def analyse(source: Source, rules: tuple[type[Rule], ...], options: Options, progress: Progress | None) -> Report:
    """What `rules` find in the files asked for."""
    plan, _, _, modules, followed = source
    losses = [Loss("plan", path, why) for path, why in plan.skipped if path in plan.lost]
    for module in modules:
        losses += [Loss("parse", f"{e.file}:{e.line}", e.message) for e in module.errors]
        losses += [Loss("lower", f"{module.file}: {name}", "the function could not be lowered") for name in module.lost]
    for module in followed.modules:
        losses += [Loss("follow", f"{e.file}:{e.line}", e.message) for e in module.errors]
    program, graph, engine, reclaim, views = find_out(source, progress)
    beyond = followed.functions
    findings: list[Finding] = []
    crashed: Counter[tuple[str, str]] = Counter()
    sites = 0
    broad = tuple(rule for rule in rules if rule.every_function)
    for key in sorted(engine.facts.keys() - beyond):
        facts = engine.facts[key]
        sites += len(facts.sites)
        if facts.given_up:
            losses.append(Loss("analysis", key, "the function was too much work and was given up on"))
        concerned = rules if facts.sites or facts.scopes is not None else broad
        if not concerned:
            continue
        function = views.function(key, facts)
        for rule in concerned:
            try:
                findings += apply(rule, function)
            except (Exception, SystemExit) as error:  # a rule is somebody else's code: name it, count it, go on
                crashed[rule.id, f"{type(error).__name__}: {error}"] += 1
    losses += [Loss("rule", rule, f"{why} ({n} functions)") for (rule, why), n in sorted(crashed.items())]
    shown = [f for f in findings if f.confidence.rank >= options.min_confidence.rank]
    counts = {
        "files": len(modules),
        "left-out files": len(plan.skipped) - len(plan.lost),
        "functions": len(program.functions) - len(beyond),
        "allocation sites": sites,
        "unresolved indirect calls": graph.unresolved,
        "indirect calls with too many targets": graph.wide,
        "external calls": graph.external,
        **followed.counts(),
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
        rules=tuple(rule.info(options.rules_page) for rule in rules),
        losses=tuple(sorted(losses)),
        counts=counts,
        command_line=options.command_line,
    )


def _distinct(findings: list[Finding]) -> list[Finding]:
    """One finding for each hazard, sorted: of those of one rule that meet at one allocation under locks of the
    same classes the one with the shortest flow, which names the other places. What is doubtful is said once for each
    call, however many allocations lie below it."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    doubted: dict[tuple[object, ...], list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: (-f.confidence.rank, len(f.flow), f.sort_key)):
        locks = tuple(sorted({lock["class"] for lock in finding.properties.get("locks", ())}))
        meeting = finding.flow[-1].place if locks else finding.place
        hazard = (finding.rule, meeting, locks)
        if hazard not in groups and locks and finding.confidence is Confidence.LOW:
            groups[hazard] = doubted.setdefault((finding.rule, finding.place, locks), [])
        groups.setdefault(hazard, []).append(finding)
    seen: Counter[str] = Counter()
    result = []
    distinct = {id(group): group for group in groups.values()}
    for nearest, *others in sorted(distinct.values(), key=lambda group: group[0].sort_key):
        seen[nearest.fingerprint] += 1
        number = seen[nearest.fingerprint]
        if number > 1:
            nearest = msgspec.structs.replace(nearest, subject=(*nearest.subject, str(number)))
        result.append(_with_others(nearest, others))
    return result


def _with_others(finding: Finding, others: list[Finding]) -> Finding:
    """`finding`, naming the other places where the same hazard begins, and counting the other allocations below."""
    places = sorted({other.place for other in others} - {finding.place})
    ends = {other.flow[-1].place for other in others if other.flow} - {step.place for step in finding.flow[-1:]}
    message, properties = finding.message, finding.properties
    if ends:
        message += f"; {len(ends)} more {'allocation is' if len(ends) == 1 else 'allocations are'} reached there"
    if places:
        also = [{"file": place.file, "line": place.line, "function": place.function} for place in places]
        message += f"; the same from {len(places)} other {'place' if len(places) == 1 else 'places'}"
        properties = {**properties, "also": also}
    return msgspec.structs.replace(finding, message=message, properties=properties)
