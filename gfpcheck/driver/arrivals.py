"""How a task comes to a function, in words: from a system call, a page fault, an exit, as a thread or a worker."""

from __future__ import annotations

from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.entry_points import Entry, Route, Routes
from gfpcheck.analysis.waiters import Waiter
from gfpcheck.driver.definitions import Definitions
from gfpcheck.driver.places import Places
from gfpcheck.findings import Step
from gfpcheck.ir import OWN
from gfpcheck.models import EntryKind

ROLES: dict[EntryKind, str] = {
    "exit": "an exiting task",
    "syscall": "a system call",
    "fault": "a page fault",
    "work": "a worker",
    "thread": "a kernel thread",
}


class Arrivals:
    """Tells the ways into the functions of one program."""

    def __init__(self, engine: Engine, routes: Routes, definitions: Definitions) -> None:
        self._program = engine.program
        self._routes = routes
        self._definitions = definitions
        self._places = Places(engine.program)

    def steps(self, route: Route, needed: str = "") -> tuple[list[Step], list[str]]:
        """The way from the kernel's call down to the function where the task does what it does, and the names of the
        functions for a drawing. A lock of the class `needed` is taken on the way."""
        func = self._program.functions[route.entry.key]
        steps = [Step(self._places.at(func, OWN), self._entry(route.entry), "entry", 0, True)]
        drawn = [f"{name}()" for name in route.entry.through[:1]]
        drawn.append(f"{func.name}()")
        taken = False
        for call, held in zip(route.calls, self._routes.held(route), strict=True):
            name = self._program.functions[call.callee].name
            lock = next((each for each in held if each.cls == needed and not each.asserted), None)
            if lock is not None and not taken:
                taken = True
                steps.append(Step(self._places.site(lock.site), f"takes {lock.text} ({lock.cls})", "acquire", 0, True))
            does = "has" if call.handed else "calls"
            more = " called" if call.handed else ""
            more += f", one of the {call.width} functions that a pointer may mean" if call.width > 1 else ""
            text = f"{call.site.function}() {does} {name}(){more}"
            steps.append(Step(self._places.site(call.site), text, "call", 0))
            drawn.append(f"{name}()")
        return steps, drawn

    def waiting(self, waiter: Waiter, holds: str) -> tuple[list[Step], list[str]]:
        """As `steps`, down to where it waits for a lock of which `holds` says who has it."""
        steps, drawn = self.steps(waiter.way.route)
        lock = waiter.lock
        text = f"waits for {lock.named}, and no signal ends that: {holds}"
        steps.append(Step(self._places.site(lock.site), text, "wait", 0, True))
        for place in self._places.sites(lock.via):
            steps.append(Step(place, f"in {place.function}()", "wait", 1))
        return steps, drawn

    def in_words(self, waiter: Waiter) -> str:
        """Who waits, where, and where it comes from, in one line."""
        route, place = waiter.way.route, self._places.site(waiter.lock.site)
        func = self._program.functions[route.entry.key]
        come = f"{ROLES[route.entry.kind]}, from {func.name}() ({route.entry.how})"
        return f"{place.function}() at {place.file}:{place.line}: {come}"

    def _entry(self, entry: Entry) -> str:
        """How the kernel comes to an entry."""
        if not entry.through:
            return f"{ROLES[entry.kind]} begins here: {entry.how}"
        way = " > ".join(map(self._definitions.named, entry.through))
        return f"{ROLES[entry.kind]} comes here through {entry.how}: {way}"


def may_be_killed(waiter: Waiter) -> bool:
    """True for tasks of users, which the OOM killer may choose."""
    return waiter.way.route.entry.kind not in ("thread", "work")
