"""Facts beside the source: the locks held on each line as letters, allocations and loops below theirs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gfpcheck.findings import Place
from gfpcheck.report.facts import Facts, FunctionFacts, Held, plain
from gfpcheck.report.lines import one_line, printable
from gfpcheck.report.snippet import snippet
from gfpcheck.report.source import Sources
from gfpcheck.report.style import Style
from gfpcheck.rule_api import Allocation, Lock, ReclaimPath, RetryLoop, Situation, Way

_MIN_COLUMN = 6
_WIDTH = 160
_MAX_WAYS = 8
_STARTS = {
    "reclaim": "by memory reclaim",
    "thread": "as a thread's main function",
    "work": "as a work item",
    "irq": "as an interrupt handler or the like",
    "bh": "as a softirq, timer or the like",
    "rcu": "in an RCU read-side critical section",
    "preempt": "with preemption off",
    "kmap": "with a page mapped by kmap_atomic()",
}
_JUMP = re.compile(rb"\s*(\}?\s*else\s+)?(goto|break|continue)\b")
NOTHING_KNOWN = "."
"""Stands before a jump: it is no instruction of its own, so nothing is known of it."""
NEVER = "never"
"""Stands before a line to which control does not come."""


def lines(facts: Facts, style: Style) -> Iterator[str]:
    """The lines to print."""
    sources = Sources(facts.root)
    for number, function in enumerate(facts.functions):
        if number:
            yield ""
        yield from _Printer(function, sources, style).lines()


class _Printer:
    """One function."""

    def __init__(self, facts: FunctionFacts, sources: Sources, style: Style) -> None:
        self._facts = facts
        self._sources = sources
        self._style = style
        self._letters = facts.locks()
        self._remarks: dict[int, list[str]] = {}
        for allocation in facts.function.allocations:
            self._remarks.setdefault(allocation.place.line, []).extend(self._allocation(allocation))
        for loop in facts.function.retry_loops:
            self._remarks.setdefault(loop.place.line, []).append(_loop(loop))

    def lines(self) -> Iterator[str]:
        facts, style = self._facts, self._style
        function = facts.function
        yield style.title(f"{printable(function.name)}() in {printable(function.file)}:{function.place.line}")
        for lock, letter in self._letters.items():
            yield from self._lock(lock, letter)
        yield from self._ways()
        if function.sleep is not None:
            first, *others = function.sleep.way
            through = f" through {', '.join(f'{place.function}()' for place in others)}" if others else ""
            yield f"  {function.sleep}, {self._where(first)}{through}"
        if facts.given_up:
            yield "  given up on: it was too much work, and what is shown is not all"
        elif function.uncertain:
            yield "  too many combinations of locks to keep apart: some were put together"
        margins = {line: self._held(states) if states else NEVER for line, states in facts.lines.items()}
        width = max([_MIN_COLUMN, *map(len, margins.values())])
        for number in range(function.place.line, facts.end_line + 1):
            raw = self._sources.line(function.file, number) or b""
            margin = margins.get(number, NOTHING_KNOWN if _JUMP.match(raw) else "")
            padded = style.rule(margin) + " " * (width - len(margin))
            yield f"{padded} {style.gutter(f'{number:>5} |')} {snippet(raw, 0, _WIDTH).text}".rstrip()
            for remark in self._remarks.get(number, ()):
                yield f"{'':{width}} {style.gutter('      >')} {one_line(remark)}"

    def _held(self, states: Iterable[Held]) -> str:
        """Letters of locks and names of scopes; with a question mark what does not hold on every path."""
        states = tuple(states)
        words: dict[str, int] = {}
        for state in states:
            sure = [self._letters[plain(lock)] for lock in state.locks if not lock.may]
            for word in (*sure, *state.scopes):
                words[word] = words.get(word, 0) + 1
            for lock in state.locks:
                words.setdefault(self._letters[plain(lock)], 0)
        order = {letter: number for number, letter in enumerate(self._letters.values())}
        ranked = sorted(words, key=lambda word: (word not in order, order.get(word, 0), word))
        return " ".join(word if words[word] == len(states) else f"{word}?" for word in ranked)

    def _lock(self, lock: Lock, letter: str) -> Iterator[str]:
        """What a letter stands for, and how reclaim comes to wait for it."""
        yield f"  {self._style.rule(letter)}  {one_line(f'{lock}, {self._how(lock)}')}"
        path = self._facts.function.reclaim_takes(lock)
        if path is not None:
            yield f"     {one_line(_reclaim(path))}"

    def _ways(self) -> Iterator[str]:
        """How it comes to be called: one line for each way. What it is entered with because of where it is stored or
        registered stands among the locks."""
        ways = [way for way in self._facts.function.ways if way.calls or (way.context and not way.locks)]
        for number, way in enumerate(ways[:_MAX_WAYS]):
            calls = ", from ".join(f"{place.function}() {self._where(place)}" for place in reversed(way.calls))
            held = [f"{lock}{' on some paths' if lock.may else ''}" for lock in way.locks] + list(map(str, way.scopes))
            head = "" if number else "  called"
            where = f"from {calls}" if calls else "from elsewhere"
            start = f" ({_STARTS[way.context]})" if way.context else ""
            yield f"{head:8} " + one_line(f"{where}{start}, with {' and '.join(held) or 'nothing held'}{_others(way)}")
        more = len(ways) - _MAX_WAYS
        if more > 0:
            yield f"{'':8} and in {more} more {'way' if more == 1 else 'ways'}"

    def _how(self, lock: Lock) -> str:
        where = self._where(lock.place)
        if lock.promised:
            return f"held at entry: it is {lock.because} {where}"
        if lock.origin != "taken":
            return f"known to be held {where}"
        through = f" through {', '.join(f'{place.function}()' for place in lock.via)}" if lock.via else ""
        return f"{'entered' if lock.is_context else 'taken'} {where}{through}"

    def _where(self, place: Place) -> str:
        same = place.file == self._facts.function.file
        return f"in line {place.line}" if same else f"at {place.file}:{place.line}"

    def _allocation(self, allocation: Allocation) -> Iterator[str]:
        """One line for each way in which the allocation is reached."""
        reached = f"{allocation.name}()"
        if allocation.via:
            last = allocation.via[-1]
            pointer = _pointer(allocation.targets)
            between = [f"{place.function}()" for place in allocation.via[1:]]
            chain = f" through {', '.join(between)}" if between else ""
            reached = f"{allocation.call}() reaches {reached} at {last.file}:{last.line}{chain}{pointer}"
        for text in dict.fromkeys(map(self._situation, allocation.situations)):
            yield f"{reached}: {text}"

    def _situation(self, situation: Situation) -> str:
        changed = str(situation.effective) != str(situation.flags)
        effective = f", in effect {situation.effective}" if changed else ""
        held = self._held([Held(situation.locks, tuple(scope.kind for scope in situation.scopes))])
        sleeps = {True: "may sleep", False: "does not sleep", None: "may or may not sleep"}
        return f"{situation.flags}{effective}; {sleeps[situation.effective.sleeps]}{f'; with {held}' if held else ''}"


def _loop(loop: RetryLoop) -> str:
    names = ", ".join(dict.fromkeys(f"{allocation.name}()" for allocation in loop.allocations))
    unless = f" unless {' or '.join(loop.unless)}" if loop.unless else ""
    return f"loop: {names} is tried again until there is memory{unless}"


def _reclaim(path: ReclaimPath) -> str:
    chain = ", ".join(f"{step.place.function}() at {step.place.file}:{step.place.line}" for step in path.steps)
    gate = f", with {path.gate}" if path.gate else ""
    return f"reclaim waits for it through {path.root}{gate}: {chain}"


def _others(way: Way) -> str:
    """What else there is to say of a way in which a function is called."""
    more = way.places - 1
    others = f"; the same from {more} other {'place' if more == 1 else 'places'}" if more > 0 else ""
    return f"{_pointer(way.targets)}{others}{'; or a part of that, on other ways' if way.joined else ''}"


def _pointer(targets: int) -> str:
    if not targets:
        return ""
    return ", by a function pointer" + (f" that may mean {targets} functions" if targets > 1 else "")
