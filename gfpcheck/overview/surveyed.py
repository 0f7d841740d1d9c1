"""What a survey has looked at, and what it has not."""

from __future__ import annotations

from collections.abc import Set
from typing import TypedDict

import msgspec

from gfpcheck import __version__
from gfpcheck.driver.analyse import Knowledge
from gfpcheck.driver.source import Source


class Span(msgspec.Struct, frozen=True, array_like=True):
    """A function that was analysed: the lines from its name to its end."""

    first: int
    last: int
    name: str


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What all surveys say: the tool's version, the tree and how it was read. `functions` are those that were analysed,
    by file; `losses` says what was not looked at."""

    version: str
    root: str
    setup: str
    kernel: str
    arch: str
    functions: dict[str, tuple[Span, ...]]
    losses: tuple[str, ...]


class Heading(TypedDict):
    """The members of a `Survey`."""

    version: str
    root: str
    setup: str
    kernel: str
    arch: str
    functions: dict[str, tuple[Span, ...]]
    losses: tuple[str, ...]


def asked_for(source: Source, known: Knowledge) -> frozenset[str]:
    """The functions of the files asked for, and those of the headers beside them."""
    files = {module.file for module in source.modules}
    folders = {file.rpartition("/")[0] for file in files}
    return frozenset(
        key
        for key in known.engine.facts.keys() - source.followed.functions
        if (func := known.program.functions[key]).file in files or func.file.rpartition("/")[0] in folders
    )


def heading(source: Source, known: Knowledge, asked: Set[str]) -> Heading:
    """What a survey of the functions `asked` says of itself."""
    spans: dict[str, list[Span]] = {}
    for key in asked:
        func = known.program.functions[key]
        spans.setdefault(func.file, []).append(Span(func.line, func.line + func.end_line, func.name))
    losses = [f"{path}: {why}" for path, why in source.plan.skipped]
    losses += [f"{error.file}:{error.line}: {error.message}" for m in source.modules for error in m.errors]
    losses += [f"{m.file}: {name}() could not be lowered" for m in source.modules for name in m.lost]
    losses += [f"{key}: too much work, given up on" for key in asked if known.engine.facts[key].given_up]
    plan = source.plan
    return {
        "version": __version__,
        "root": plan.root,
        "setup": plan.setup,
        "kernel": ".".join(map(str, plan.version)),
        "arch": plan.arch,
        "functions": {
            file: tuple(sorted(each, key=lambda s: (s.first, s.last, s.name))) for file, each in sorted(spans.items())
        },
        "losses": tuple(sorted(losses)),
    }
