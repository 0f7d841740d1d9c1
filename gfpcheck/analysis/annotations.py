"""Locks that sparse's annotations say are held when a function is entered: __must_hold(), __releases()."""

from __future__ import annotations

import re

from gfpcheck.analysis.paths import class_of, show
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.state import HeldLock, Site
from gfpcheck.ir import OWN, Deref, Expr, Field, Func, Var
from gfpcheck.models import Models

_HELD = ("must_hold:", "releases:")
_STEP = re.compile(r"(->|\.)\s*(\w+)")
_WHOLE = re.compile(r"\s*(&?)\s*\(?\s*(\w+)\s*\)?((?:\s*(?:->|\.)\s*\w+)*)\s*")


def annotated_locks(func: Func, program: Program, models: Models) -> tuple[HeldLock, ...]:
    """The locks that the annotations of `func` name, as far as they are paths from a parameter or a global."""
    found: list[HeldLock] = []
    for text in func.annotations:
        prefix = next((prefix for prefix in _HELD if text.startswith(prefix)), None)
        path = _path(text[len(prefix) :], func, program) if prefix else None
        if path is None:
            continue
        cls = class_of(path, func.name)
        type_ = program.members.get(cls) or program.global_types.get(cls) or ""
        kind = models.lock_types.get(type_)
        if kind is not None:
            site = Site(func.file, func.name, *OWN)
            found.append(
                HeldLock(
                    path, cls, kind, "exclusive", site, show(path), origin="annotated", given_up=prefix == "releases:"
                )
            )
    return tuple(found)


def _path(text: str, func: Func, program: Program) -> Expr | None:
    """`&o->inner.lock` as an access path to the lock; None for anything but a plain path."""
    match = _WHOLE.fullmatch(text)
    if match is None:
        return None
    address, name, rest = match.groups()
    path: Expr = Var(name, "p")
    type_ = next((param.type for param in func.params if param.name == name), None)
    if type_ is None:
        type_ = program.global_types.get(name)
        if type_ is None:
            return None
        path = Var(name, "g")
    for arrow, member in _STEP.findall(rest):
        record = type_.replace("const ", "").rstrip("* ")
        path = Field(Deref(path) if arrow == "->" else path, record, member)
        type_ = program.members.get(f"{record}.{member}", "")
    return path if address or not type_.endswith("*") else Deref(path)
