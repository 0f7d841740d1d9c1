"""C given as text, as the analysis sees it: with a small model of its own."""

from __future__ import annotations

from pathlib import Path

from gfpcheck.analysis.program import Program
from gfpcheck.frontend import lower_file
from gfpcheck.kbuild.types import Unit
from gfpcheck.models import Models, load


def program(folder: Path, **files: str) -> Program:
    """The program of `files`: `a="..."` is the file `a.c`; `__` in a name stands for a folder."""
    modules = []
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.c"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        unit = Unit(str(path), str(path.relative_to(folder)), ("-std=gnu11",), str(folder))
        modules.append(lower_file(unit, str(folder), frozenset(), frozenset()))
    return Program(modules)


def models(folder: Path, text: str) -> Models:
    """The built-in models and those of `text`."""
    path = folder / "model.toml"
    path.write_text(text, encoding="utf-8")
    return load((6, 12), [path])
