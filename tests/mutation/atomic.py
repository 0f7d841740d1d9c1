"""The oracle for GFP_ATOMIC and GFP_NOWAIT: is the site textually under a spinning lock, or below an atomic callback?

Lists are the oracle's own, shorter than gfpcheck's on purpose: what they do not name makes no claim.
"""

from __future__ import annotations

import functools
import re
from collections import deque
from typing import NamedTuple

from .claims import Claim, Edit, Evidence, Step, Unsure
from .ctext import Call, Function, Source
from .folder import Folder
from .regions import Held, Op, Situation
from .sites import MAX_DEPTH, called, flagged_call, passed_down, situation_at

_SITE = re.compile(r"\bGFP_(?:ATOMIC|NOWAIT)\b")

SPINNING = {
    f"{prefix}{family}_{verb}{suffix}": Op(verb != "unlock", "spin")
    for prefix, families in (("", ("spin", "read", "write")), ("raw_", ("spin",)))
    for family in families
    for verb, suffixes in (
        ("lock", ("", "_bh", "_irq", "_irqsave", "_nested", "_irqsave_nested")),
        ("unlock", ("", "_bh", "_irq", "_irqrestore")),
    )
    for suffix in suffixes
}
SECTIONS = {
    "rcu_read_lock": Op(True, "rcu", -1),
    "rcu_read_unlock": Op(False, "rcu", -1),
    "local_irq_disable": Op(True, "irq", -1),
    "local_irq_enable": Op(False, "irq", -1),
    "local_irq_save": Op(True, "irq", -1),
    "local_irq_restore": Op(False, "irq", -1),
    "local_bh_disable": Op(True, "bh", -1),
    "local_bh_enable": Op(False, "bh", -1),
    "preempt_disable": Op(True, "preempt", -1),
    "preempt_enable": Op(False, "preempt", -1),
}
OPS = {**SPINNING, **SECTIONS}
ATOMIC = frozenset(op.kind for op in OPS.values())

_REGISTRARS = {
    "request_irq": 1,
    "request_threaded_irq": 1,
    "devm_request_irq": 2,
    "devm_request_threaded_irq": 2,
    "pci_request_irq": 2,
    "timer_setup": 1,
    "tasklet_setup": 1,
    "tasklet_init": 1,
    "call_rcu": 1,
    "smp_call_function_single": 1,
    "init_irq_work": 1,
    "netif_napi_add": 2,
    "usb_fill_bulk_urb": 5,
    "usb_fill_int_urb": 5,
    "usb_fill_control_urb": 6,
}
_MEMBERS = re.compile(
    r"(?:\.|->)\s*(ndo_start_xmit|ndo_tx_timeout|ndo_set_rx_mode|queuecommand|bi_end_io)\s*=\s*&?(\w+)\s*[,;}]"
    r"|\b\w*timer\w*(?:\.|->)(function)\s*=\s*&?(\w+)\s*;"
    r"|\b\w*urb\w*(?:\.|->)(complete)\s*=\s*&?(\w+)\s*;"
)


class _Way(NamedTuple):
    """A function on the way up, and the calls from there down to the site."""

    function: Function
    why: Evidence


def sites(code: str) -> list[int]:
    """Where the flags are named."""
    return [match.start() for match in _SITE.finditer(code)]


class AtomicOracle:
    """Judges the sites of one directory."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def claim(self, source: Source, offset: int) -> Claim:
        """What becomes of the site when its flags become GFP_KERNEL. Raises Unsure."""
        match = _SITE.match(source.code, offset)
        assert match is not None
        function, call, argument = flagged_call(source, offset)
        below, chain = passed_down(self._folder, source, call, argument, OPS)
        hazard, above, why = self._context(source, function, call)
        if above + below > MAX_DEPTH:
            raise Unsure(f"more than {MAX_DEPTH} calls between lock and allocation")
        lines = (source.line(call.start), source.line(call.end - 1))
        here = Step(source.name, lines[0], f"{function.name}() calls {call.name}() with {match[0]}")
        edits = (Edit(offset, match.end(), "GFP_KERNEL"),)
        return Claim(hazard, source.name, function.name, lines, above + below, edits, (*why, here, *chain), "GFP1")

    def _context(self, source: Source, function: Function, call: Call) -> tuple[str, int, Evidence]:
        """(hazard, calls above, evidence) of the nearest atomic context."""
        situation = situation_at(source, function, call.start, OPS)
        lock = atomic_lock(situation)
        if lock is not None:
            return _named(lock), 0, (_taken(source, function, lock),)
        if situation.drops:
            raise Unsure("the function releases a lock that it has not taken")
        queue = deque([_Way(function, ())])
        seen = {function}
        while queue:
            step = queue.popleft()
            registered = self._callbacks.get(step.function)
            if registered is not None:
                return "callback", len(step.why), (registered, *step.why)
            if len(step.why) == MAX_DEPTH:
                continue
            for site in sorted(self._folder.callers(step.function), key=lambda s: (s.source.name, s.call.start)):
                around = situation_at(site.source, site.caller, site.call.start, OPS, missing_ok=True)
                why = (called(site), *step.why)
                lock = atomic_lock(around)
                if lock is not None:
                    return _named(lock), len(why), (_taken(site.source, site.caller, lock), *why)
                if site.caller not in seen and not around.drops:
                    seen.add(site.caller)
                    queue.append(_Way(site.caller, why))
        raise Unsure("the text shows no lock and no callback above")

    @functools.cached_property
    def _callbacks(self) -> dict[Function, Step]:
        """The functions that are registered where they are called in atomic context, with the place."""
        found: dict[Function, Step] = {}
        for source in self._folder.sources.values():
            for name, offset in source.calls():
                number = _REGISTRARS.get(name)
                call = source.call_at(offset) if number is not None else None
                if call is None or number is None or number >= len(call.args):
                    continue
                handler = re.search(r"(\w+)\Z", call.args[number][0])
                if handler is not None:
                    self._register(found, source, offset, handler[1], f"{name}()")
            may_block = "queuecommand_may_block" in source.code
            for match in _MEMBERS.finditer(source.code):
                member, handler_name = (part for part in match.groups() if part)
                if not (may_block and member == "queuecommand"):
                    self._register(found, source, match.start(), handler_name, member)
        return found

    def _register(self, found: dict[Function, Step], source: Source, offset: int, handler: str, where: str) -> None:
        function = self._folder.define(handler, source.name)
        if function is not None:
            found.setdefault(function, Step(source.name, source.line(offset), f"{handler}() is given to {where}"))


def atomic_lock(situation: Situation) -> Held | None:
    """The lock or section that forbids to sleep: a lock rather than a section, the last of them."""
    held = [lock for lock in situation.held if lock.kind in ATOMIC]
    return max(held, key=lambda lock: (lock.kind == "spin", lock.offset), default=None)


def _named(lock: Held) -> str:
    return "lock" if lock.kind == "spin" else "section"


def _taken(source: Source, function: Function, lock: Held) -> Step:
    what = f"takes {lock.key}" if lock.kind == "spin" else f"enters {lock.kind}"
    return Step(source.name, source.line(lock.offset), f"{function.name}() {what}")
