"""The check of model entries against the source that they speak of: names, arguments, types, return conventions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gfpcheck import models
from gfpcheck.driver.options import RunError
from gfpcheck.kbuild.tree import Tree as Kernel
from gfpcheck.kbuild.tree import find_tree
from gfpcheck.models.confirm import check
from gfpcheck.models.declarations import Tree
from gfpcheck.models.parse import read_model_file

_SECTION = re.compile(
    r"(?:(?:steady|noreturn|retry_waits|pool_returns|pool_keeps|last_references|oom_path|gfp|reclaim|entries|members"
    r"|inner|lock_types) )?(.*?): "
)
_ABSENT = re.compile(r"(not in the tree|unknown|no function with a gfp_t parameter)$")


class ModelCheck(NamedTuple):
    """What came of it. `problems` are sentences, those about entries of the user's files with file and line.

    `entries` were checked against `source`; `absent` counts the built-in ones that it does not have, as entries for
    other kernels are.
    """

    source: str
    entries: int
    problems: tuple[str, ...]
    absent: int


def check_models(source: Path | None, files: Sequence[Path]) -> ModelCheck:
    """Check the model `files`, and with a kernel tree the built-in models, too, against what is found at `source`.

    `source` is a kernel tree (or a folder in one) or any folder with C files; None: the kernel tree that one stands in,
    and without one the files are checked by themselves alone. Raises ModelError for files that are wrong by themselves,
    RunError for a folder that is none, and if there is nothing to check.
    """
    places = _places(files)
    if source is not None and not source.is_dir():
        raise RunError(f"{source}: no such directory")
    kernel = find_tree((source or Path()).resolve())
    if kernel is not None:
        return _check_kernel(kernel, files, places)
    if not files:
        why = "nothing to check" if source is None else f"{source} is no kernel tree, and built-in models speak of one"
        raise RunError(f"{why}: name a kernel tree, or a model file with --model")
    if source is not None:
        return _check_project(source, files, places)
    models.load((), files)
    return ModelCheck("", len(places), (), 0)


def _check_project(source: Path, files: Sequence[Path], places: dict[str, str]) -> ModelCheck:
    """The user's entries against the code of a project."""
    sources = [Path(folder) / name for folder, _, names in sorted(os.walk(source)) for name in sorted(names)]
    tree = Tree(source, [path for path in sources if path.suffix in (".c", ".h") and path.is_file()])
    if not tree.words:
        raise RunError(f"{source}: there is no C in it that declares anything")
    own, _ = _sorted_out(check(models.load((), files), tree), places)
    return ModelCheck(str(source), len(places), tuple(own), 0)


def _check_kernel(kernel: Kernel, files: Sequence[Path], places: dict[str, str]) -> ModelCheck:
    """All entries against a kernel. The user's are looked for in all of it."""
    knowledge = models.load(kernel.version, files)
    tree = Tree(kernel.root)
    problems = check(knowledge, tree)
    missing = {name for problem in problems if (name := _subject(problem)) in places and _ABSENT.search(problem)}
    if missing:
        tree.add(_files_that_name(missing, kernel.root))
        problems = check(knowledge, tree)
    own, others = _sorted_out(problems, places)
    wrong = [problem for problem in others if not _ABSENT.search(problem)]
    entries = len({*knowledge.names, *knowledge.callbacks, *knowledge.members, *knowledge.lock_types, *places})
    return ModelCheck(f"Linux {kernel.release}", entries, (*own, *wrong), len(others) - len(wrong))


def _places(files: Iterable[Path]) -> dict[str, str]:
    """Where each name of the model files stands."""
    found: dict[str, str] = {}
    for path in files:
        file = read_model_file(path)
        for name in file.names():
            found.setdefault(name, file.place(name))
    return found


def _subject(problem: str) -> str:
    """The name that a problem is about."""
    named = _SECTION.match(problem)
    return named[1] if named else ""


def _sorted_out(problems: Iterable[str], places: dict[str, str]) -> tuple[list[str], list[str]]:
    """The problems of the user's entries, with their places, and the others."""
    own, others = [], []
    for problem in dict.fromkeys(problems):
        place = places.get(_subject(problem))
        if place is None:
            others.append(problem)
        else:
            own.append(f"{place}: {problem}")
    return own, others


def _files_that_name(names: Iterable[str], root: Path) -> Iterator[Path]:
    """The C files of a tree that hold one of `names`, as its last word if it has several."""
    words = "|".join(re.escape(re.split(r"[ .]", name)[-1]) for name in sorted(names))
    wanted = re.compile(rf"\b(?:{words})\b".encode())
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = Path(folder, name)
            if path.suffix in (".c", ".h") and path.is_file() and wanted.search(path.read_bytes()):
                yield path
