"""What the analysis knows of functions of a real kernel, asked where they call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from gfpcheck.analysis.engine import Held as State
from gfpcheck.analysis.lines import held_by_line
from gfpcheck.driver.analyse import Knowledge, find_out
from gfpcheck.driver.collector import no_collector
from gfpcheck.driver.options import Options
from gfpcheck.driver.rules import all_rules, apply
from gfpcheck.driver.run import read
from gfpcheck.findings import Finding
from gfpcheck.ir import Return
from gfpcheck.report.facts import Held
from gfpcheck.rule_api import Allocation

_MODES = {"exclusive": "", "shared": " shared"}


class Known:
    """A few files of a kernel, analysed as one program."""

    def __init__(self, root: Path, files: Sequence[str], cache: Path) -> None:
        options = Options(paths=tuple(root / file for file in files), jobs=2, cache_dir=cache)
        source = read(options)
        assert [error for module in source.modules for error in module.errors] == []
        with no_collector():
            self._knowledge: Knowledge = find_out(source, 1, None)
        self._root = root

    def held(self, place: str, text: str) -> list[str]:
        """What is held in "file:function" where control comes to the line that contains `text`: one entry for each way,
        with classes (but for "struct "), modes and scopes. A lock that may be held has a question mark."""
        line = self._line(place, text)
        func = self._knowledge.program.functions[place]
        return self._ways(place, held_by_line(self._knowledge.engine, place)[line - func.line])

    def after(self, place: str) -> list[str]:
        """The same, where the function returns."""
        engine, blocks = self._knowledge.engine, self._knowledge.program.functions[place].blocks
        ends = [(n, len(block.instrs)) for n, block in enumerate(blocks) if isinstance(block.term, Return)]
        return self._ways(place, [held for states in engine.watch(place, ends).values() for held in states])

    def _ways(self, place: str, states: Iterable[State]) -> list[str]:
        return sorted({_way(held) for held in self._knowledge.views.held(place, states)})

    def flags(self, place: str, text: str, scoped: bool = False) -> set[str]:
        """The flags with which allocations are reached by calls on the line of "file:function" that contains `text`;
        those in effect, with the scopes, if `scoped`."""
        line = self._line(place, text)
        found = [each for each in self._allocations(place) if each.place.line == line]
        assert found, f"{place}:{line} reaches no allocation"
        return {str(s.effective if scoped else s.flags) for each in found for s in each.situations}

    def sheltered(self) -> int:
        """Ways to allocations that may enter a filesystem by their flags, but not in the scopes that are open."""
        return sum(
            situation.flags.has("__GFP_FS") is True and situation.effective.has("__GFP_FS") is False
            for place in self._knowledge.engine.facts
            for allocation in self._allocations(place)
            for situation in allocation.situations
        )

    def findings(self, rule: str) -> list[Finding]:
        """What a rule finds in all functions."""
        (checked,) = (each for each in all_rules() if each.id == rule)
        facts = self._knowledge.engine.facts
        functions = (self._knowledge.views.function(place, facts[place]) for place in sorted(facts))
        return [finding for function in functions for finding in apply(checked, function)]

    def _allocations(self, place: str) -> tuple[Allocation, ...]:
        engine = self._knowledge.engine
        return self._knowledge.views.function(place, engine.facts[place]).allocations

    def _line(self, place: str, text: str) -> int:
        """The only line of the function that contains `text`."""
        func = self._knowledge.program.functions[place]
        lines = (self._root / func.file).read_text("utf-8", "replace").splitlines()
        found = [n for n in range(func.line, func.line + func.end_line + 1) if text in lines[n - 1]]
        assert len(found) == 1, f"{place}: {text!r} is on lines {found}"
        return found[0]


def _way(held: Held) -> str:
    names = [f"{lock.cls.removeprefix('struct ')}{'?' * lock.may}{_MODES[lock.mode]}" for lock in held.locks]
    return ", ".join([*sorted(names), *sorted(held.scopes)])
