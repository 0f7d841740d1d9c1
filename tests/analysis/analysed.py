"""C given as text, as the analysis sees it: with a small model of its own."""

from __future__ import annotations

from pathlib import Path

from gfpcheck.analysis.bottom_up import summarise
from gfpcheck.analysis.callgraph import CallGraph
from gfpcheck.analysis.effects import Effects
from gfpcheck.analysis.engine import Engine
from gfpcheck.analysis.kept import Kept
from gfpcheck.analysis.program import Program
from gfpcheck.analysis.results import AllocationSite
from gfpcheck.frontend import lower_file
from gfpcheck.ir import Module, positions
from gfpcheck.kbuild.types import Unit
from gfpcheck.models import GfpFlags, Models, load

FS, IO, SLEEPS = 0x80, 0x40, 0x400
FLAGS = GfpFlags(
    {
        "__GFP_FS": FS,
        "__GFP_IO": IO,
        "__GFP_DIRECT_RECLAIM": SLEEPS,
        "GFP_KERNEL": FS | IO | SLEEPS,
        "GFP_NOFS": IO | SLEEPS,
    }
)


def program(folder: Path, **files: str) -> Program:
    """The program of `files`, named as for `modules`."""
    return Program(modules(folder, **files))


def modules(folder: Path, **files: str) -> list[Module]:
    """What the frontend makes of `files`: `a="..."` is the file `a.c`; `__` in a name stands for a folder."""
    found = []
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.c"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        unit = Unit(str(path), str(path.relative_to(folder)), ("-std=gnu11",), str(folder))
        found.append(lower_file(unit, str(folder), frozenset(), frozenset()))
    return found


def models(folder: Path, text: str) -> Models:
    """The built-in models and those of `text`."""
    path = folder / "model.toml"
    path.write_text(text, encoding="utf-8")
    return load((6, 12), [path])


def run(whole: Program, knowledge: Models, jobs: int = 1, kept: Kept | None = None) -> Engine:
    """The engine, after `jobs` processes have run every function of the program."""
    graph = CallGraph(whole)
    engine = Engine(whole, knowledge, Effects(whole, knowledge, FLAGS), graph.rounds, kept)
    summarise(engine, graph, jobs)
    return engine


def in_order(engine: Engine, key: str) -> list[AllocationSite]:
    """The allocations of function `key`, in the order of the source."""
    known = positions(engine.program.functions[key])
    return sorted(engine.facts[key].sites, key=lambda site: known[site.call.loc])
