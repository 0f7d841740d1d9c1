"""make_plan: from the paths on the command line to everything that has to be parsed."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gfpcheck.kbuild.commands import Command
from gfpcheck.kbuild.detect import DATABASE, Setup, detect
from gfpcheck.kbuild.files import Asked, c_files, resolve, show, unusable
from gfpcheck.kbuild.neighbours import build_folder
from gfpcheck.kbuild.source import foreign
from gfpcheck.kbuild.types import Plan, PlanError, Unit
from gfpcheck.kbuild.unmade import unmade

_SHOWN_REASONS = 3


class Workspace:
    """A plan, together with what it takes to parse further files of the same tree."""

    def __init__(self, setup: Setup, plan: Plan) -> None:
        self._setup = setup
        self.plan = plan

    def unit(self, rel: str) -> Unit | None:
        """How to parse a file that was not asked for (`rel` as in `Unit.rel`); None if that is not possible."""
        path = os.path.normpath(self._setup.root / rel)
        if not path.endswith(".c") or unusable(Path(path)) or self._setup.source.never(path):
            return None
        return _unit(self._setup, path)

    @property
    def tree(self) -> Path | None:
        """The root of the kernel's sources; None outside a kernel."""
        return self._setup.source.tree

    def left_out(self) -> tuple[str, ...]:
        """The folders of the kernel's sources that hold no code of this kernel, spelled from `tree`."""
        tree, arch = self.tree, self._setup.source.arch
        if tree is None or arch is None:
            return ()
        arches = (f"arch/{entry.name}" for entry in os.scandir(tree / "arch") if entry.is_dir())
        found = [*(entry.name for entry in os.scandir(tree) if entry.is_dir()), *arches]
        return tuple(sorted(name for name in found if foreign(f"{name}/x.c", arch.srcarch)))

    def callee(self, place: str) -> Unit | None:
        """How to parse the file at `place`, spelled from `tree`, for functions of it that others call; None if that is
        not possible."""
        return self.unit(str(self.tree / place)) if self.tree is not None else None

    def is_built(self, place: str) -> bool:
        """True if the file at `place`, spelled from `tree`, belongs to this kernel as it is configured."""
        if self.tree is None:
            return False
        path = str(self.tree / place)
        return not self._setup.source.why_not(path, str(self.tree))


def open_workspace(
    paths: Sequence[Path],
    *,
    arch: str | None = None,
    build_dir: Path | None = None,
    compile_commands: Path | None = None,
    tree: Path | None = None,
    command: Command | None = None,
    cache_dir: Path,
) -> Workspace:
    """Find the tree, the configuration and the flags for `paths`, and list the C files.

    `arch` None is the architecture that the tree is configured for, x86 when it is for none. `command` is the one that
    compiles the only file in `paths`.
    Raises PlanError, with a message for the user, when a path is wrong or nothing can be analysed.
    """
    asked = resolve(paths)
    setup = detect(
        asked,
        arch=arch,
        build_dir=build_dir,
        compile_commands=compile_commands,
        tree=tree,
        command=command,
        cache_dir=cache_dir,
    )
    files, skipped, lost = _select(asked, setup)
    if setup.forced and setup.configured:
        # The configuration leaves out what was asked for: complete it.
        setup = detect(
            asked,
            arch=arch,
            build_dir=build_dir,
            compile_commands=compile_commands,
            tree=tree,
            cache_dir=cache_dir,
            enable=True,
        )
        files, skipped, lost = _select(asked, setup)
    units: list[Unit] = []
    for path in files:
        unit = _unit(setup, path)
        if unit is not None:
            units.append(unit)
        else:
            skipped[path] = f"not in {DATABASE}"
            lost.add(path)
    if not units:
        raise PlanError(_nothing(asked, skipped))
    lacking = "" if setup.by_itself() else unmade({Path(unit.path).parent: None for unit in units})
    plan = Plan(
        root=str(setup.root),
        version=setup.version,
        arch=setup.arch,
        source=setup.label(),
        setup=f"{setup.line()}; {lacking}" if lacking else setup.line(),
        units=tuple(sorted(units, key=lambda unit: unit.rel)),
        skipped=tuple(sorted((show(_rel(setup, path)), reason) for path, reason in skipped.items())),
        lost=tuple(sorted(show(_rel(setup, path)) for path in lost)),
        parts=tuple(_parts(setup.root, units)),
        unmade=lacking,
    )
    return Workspace(setup, plan)


def make_plan(
    paths: Sequence[Path],
    *,
    arch: str | None = None,
    build_dir: Path | None = None,
    compile_commands: Path | None = None,
    tree: Path | None = None,
    cache_dir: Path,
) -> Plan:
    """The plan alone; arguments and errors as for `open_workspace`."""
    return open_workspace(
        paths,
        arch=arch,
        build_dir=build_dir,
        compile_commands=compile_commands,
        tree=tree,
        cache_dir=cache_dir,
    ).plan


def _select(asked: Iterable[Asked], setup: Setup) -> tuple[list[str], dict[str, str], set[str]]:
    """The files to parse, the reason for each that is not, and which of those are lost (as in `Plan`)."""
    chosen: dict[str, None] = {}
    skipped: dict[str, str] = {}
    lost: set[str] = set()
    for entry in asked:
        if not entry.is_folder:
            path = str(entry.path)
            reason = setup.source.never(path)
            if reason:
                skipped[path] = reason
                lost.add(path)
            else:
                chosen[path] = None
            continue
        found, broken = c_files(entry.path)
        skipped.update((str(path), reason) for path, reason in broken)
        lost.update(str(path) for path, _ in broken)
        off: dict[str, str] = {}
        here: list[str] = []
        for file in found:
            path = str(file)
            reason = setup.source.never(path)
            if reason:
                skipped[path] = reason
                continue
            reason = setup.source.why_not(path, str(entry.path))
            if reason:
                off[path] = reason
            else:
                here.append(path)
        if not here and off and setup.may_force:
            # The whole folder is switched off; whoever names it wants it looked at all the same.
            here, off = list(off), {}
            setup.forced.append(_rel(setup, str(entry.path)))
        chosen.update(dict.fromkeys(here))
        skipped.update(off)
    return list(chosen), {path: reason for path, reason in skipped.items() if path not in chosen}, lost - set(chosen)


def _unit(setup: Setup, path: str) -> Unit | None:
    found = setup.source.arguments(path)
    return Unit(path, _rel(setup, path), *found) if found is not None else None


def _parts(root: Path, units: Iterable[Unit]) -> Iterator[tuple[str, str]]:
    """The folders without a Makefile of their own that `units` lie in, each with the one whose Makefile builds it."""
    for folder, file in sorted({unit.rel.rpartition("/")[0]: unit.rel for unit in units}.items()):
        owner = build_folder(root, file)
        if owner != folder:
            yield folder, owner


def _rel(setup: Setup, path: str) -> str:
    prefix = str(setup.root).rstrip("/") + "/"
    return path.removeprefix(prefix) if path.startswith(prefix) else path


def _nothing(asked: Sequence[Asked], skipped: dict[str, str]) -> str:
    where = ", ".join(show(entry.path) for entry in asked[:3])
    if not skipped:
        return f"no C files in {where}"
    reasons = list(dict.fromkeys(skipped.values()))
    shown = "; ".join(reasons[:_SHOWN_REASONS]) + ("; ..." if len(reasons) > _SHOWN_REASONS else "")
    files = "the only C file is" if len(skipped) == 1 else f"all {len(skipped)} C files are"
    return f"nothing to analyse in {where}: {files} left out ({shown})"
