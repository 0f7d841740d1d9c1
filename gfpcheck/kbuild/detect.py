"""Finds out what kind of tree the paths lie in, and chooses where arguments come from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gfpcheck.kbuild.arch import Arch, configured_arch, find_arch, source_arch
from gfpcheck.kbuild.commands import Command, Database, command_arch
from gfpcheck.kbuild.configure import read_config
from gfpcheck.kbuild.files import Asked, show
from gfpcheck.kbuild.modules import children, is_module, module_root, running_kernel
from gfpcheck.kbuild.overlay import overlay
from gfpcheck.kbuild.source import DatabaseSource, KernelSource, PlainSource, Source
from gfpcheck.kbuild.tree import Tree, build_source, find_tree, read_tree
from gfpcheck.kbuild.types import PlanError

DATABASE = "compile_commands.json"
CONFIGS = (".config", "include/config/auto.conf")
"""Where a configured tree keeps its options; distributions' header packages lack the first."""
_DEFAULT_ARCH = "x86"
_PROJECT_MARKS = ("gfpcheck.toml", ".git")


@dataclass(slots=True)
class Setup:
    """What was found. `how` is what `Plan.source` says, `detail` the end of `Plan.setup`.

    `may_force`: a folder that the configuration leaves out is analysed when it is asked for;
    `forced` collects those folders. `configured`: the options are the tree's own.
    """

    root: Path
    version: tuple[int, ...]
    release: str
    arch: str
    how: str
    detail: str
    source: Source
    may_force: bool = True
    configured: bool = False
    forced: list[str] = field(default_factory=list)

    def label(self) -> str:
        """`Plan.source`: a prepared tree counts as built once one of its commands was used."""
        return "built tree" if self._by_commands() and self.how == "prepared tree" else self.how

    def line(self) -> str:
        """`Plan.setup`: one line for the user."""
        label, detail = self.label(), self.detail
        if self._by_commands():
            detail = detail.replace("flags from Kbuild's conventions", "flags from its .cmd files")
        kernel = f"Linux {self.release}, {self.arch}, " if self.version else ""
        forced = f" ({', '.join(sorted(self.forced))}: not enabled there)" if self.forced else ""
        return f"{kernel}{label}: {detail}{forced}"

    def by_itself(self) -> bool:
        """True if the flags do not hang on Makefiles of a package: a kernel tree, or compile commands."""
        return self.source.tree == self.root or isinstance(self.source, DatabaseSource)

    def _by_commands(self) -> bool:
        return isinstance(self.source, KernelSource) and self.source.used_commands > 0


def detect(
    asked: Sequence[Asked],
    *,
    arch: str | None,
    build_dir: Path | None,
    compile_commands: Path | None,
    tree: Path | None,
    command: Command | None = None,
    cache_dir: Path,
    enable: bool = False,
) -> Setup:
    """Choose the source of arguments for the paths asked for; PlanError when there is none that fits.

    `command` is the one that compiles the only file asked for. With `enable`, a configured tree's options are completed
    by those of the folders asked for.
    """
    build = _folder(build_dir, "--build-dir") if build_dir is not None else None
    if build is None and tree is not None and read_tree(tree) is None and build_source(tree) is not None:
        # A folder of kernel headers was named: the source is elsewhere.
        build = _folder(tree, "--tree")
    found = _tree(asked, tree, build)
    if found is None:
        database = _database(asked, compile_commands, (), inside=False)
        if database is not None or not is_module(asked):
            return _outside_kernel(asked, database, compile_commands is not None)
        build, found = running_kernel(asked)
    inside = asked[0].path.is_relative_to(found.root)
    base = build or found.root
    # A configuration made for another architecture than the one asked for is of no use.
    options = next(filter(None, (read_config(base / name) for name in CONFIGS)), {})
    configured = configured_arch(options)
    machine = find_arch(arch or (configured.name if configured else _DEFAULT_ARCH), found.root)
    fits = configured is not None and configured.srcarch == machine.srcarch and configured.triple == machine.triple
    database = _database(asked, compile_commands, [base, found.root], inside) if command is None else None
    if database is not None:
        return _from_database(database, asked, found, machine, arch, inside)
    if build is not None and not fits:
        raise PlanError(_unfit_build(build, options, configured, machine))
    root = found.root if inside else module_root(_shared(asked))
    given = {} if command is None else {str(asked[0].path): command}
    return _by_conventions(asked, found, root, machine, base, options if fits else {}, given, cache_dir, enable)


def _from_database(
    database: Database, asked: Sequence[Asked], tree: Tree, machine: Arch, arch: str | None, inside: bool
) -> Setup:
    first = database.command(next(path for path in database.files() if _below(path, asked)))
    actual = source_arch(command_arch(first)) if first else None
    if arch is not None and actual is not None and actual.srcarch != machine.srcarch:
        raise PlanError(f"{show(database.path)} was made for {actual.name}, not for {machine.name}")
    machine = actual or machine
    root = tree.root if inside else module_root(_shared(asked))
    source = DatabaseSource(database, tree.root, machine)
    detail = f"flags from {show(database.path)}"
    return Setup(root, tree.version, tree.release, machine.name, DATABASE, detail, source, may_force=False)


def _by_conventions(
    asked: Sequence[Asked],
    tree: Tree,
    root: Path,
    machine: Arch,
    base: Path,
    options: Mapping[str, str],
    given: Mapping[str, Command],
    cache_dir: Path,
    enable: bool,
) -> Setup:
    """A kernel tree or module without compile_commands.json. `options` are those of a fitting .config, else empty."""
    inside = root == tree.root
    folders = _folders(asked, tree.root) if inside else []
    prepared = bool(options) and not enable and (base / "include/generated/autoconf.h").is_file()
    if prepared:
        headers, how = base, "prepared tree"
        detail = f"headers of {show(base)}, flags from Kbuild's conventions"
    elif options:
        config = next(path for path in (base / name for name in CONFIGS) if path.is_file())
        headers = overlay(tree, machine, folders if enable else (), config, cache_dir)
        how, detail = "configured tree", f"options of {show(config)}"
        detail += f" and those of {', '.join(folders)}" if enable else ""
        detail += ", generated headers supplied by gfpcheck"
    else:
        headers = overlay(tree, machine, folders, None, cache_dir)
        how, detail = "unconfigured tree", "generated headers supplied by gfpcheck"
    if headers is not base:
        options = read_autoconf(headers / "include/generated/autoconf.h")
    source = KernelSource(
        tree.root,
        root,
        machine,
        headers,
        options,
        build=base if headers is base else tree.root,
        commands=prepared,
        given=given,
    )
    if not inside:
        detail = f"kernel {show(tree.root)}, {how}" if how != "prepared tree" else f"kernel {show(tree.root)}, {detail}"
        how = "out-of-tree module"
    own = inside and not enable and how != "unconfigured tree"
    return Setup(root, tree.version, tree.release, machine.name, how, detail, source, configured=own)


def read_autoconf(path: Path) -> dict[str, str]:
    """The options of an autoconf.h of gfpcheck's own, values as in a .config."""
    options: dict[str, str] = {}
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return options
    for match in re.finditer(r"^#define CONFIG_(\w+?)(_MODULE)? (.*)$", text, re.MULTILINE):
        options[match[1]] = "m" if match[2] else "y" if match[3] == "1" else match[3]
    return options


def _folder(path: Path, option: str) -> Path:
    try:
        full = path.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        full = path
    if not full.is_dir():
        raise PlanError(f"{option} {show(path)}: no such folder")
    return full


def _tree(asked: Sequence[Asked], tree: Path | None, build: Path | None) -> Tree | None:
    """The one kernel tree of the run; PlanError when the paths lie in several."""
    trees = {found.root: found for entry in asked if (found := find_tree(entry.path)) is not None}
    if len(trees) > 1:
        names = " and ".join(show(root) for root in sorted(trees)[:2])
        raise PlanError(f"the paths lie in several kernel trees ({names}); analyse one tree at a time")
    named: Tree | None = None
    if tree is not None:
        folder = _folder(tree, "--tree")
        named = read_tree(folder) or build_source(folder)
        if named is None:
            raise PlanError(f"--tree {show(tree)}: not a kernel source tree (no Makefile with VERSION and PATCHLEVEL)")
    elif build is not None and not trees:
        named = build_source(build)
        if named is None:
            raise PlanError(f"--build-dir {show(build)}: cannot tell which kernel it was made from; add --tree")
    found = next(iter(trees.values()), None)
    if named is not None and found is not None and named.root != found.root:
        raise PlanError(f"{show(asked[0].path)} lies in {show(found.root)}, not in {show(named.root)}")
    one = found or named
    if one is not None and len({entry.path.is_relative_to(one.root) for entry in asked}) > 1:
        raise PlanError(f"some of the paths lie in {show(one.root)} and some outside; analyse one tree at a time")
    return one


def _database(asked: Sequence[Asked], named: Path | None, places: Sequence[Path], inside: bool) -> Database | None:
    """The compilation database to use: the one named, or the first one at hand that knows a file asked for."""
    if named is not None:
        database = Database(named / DATABASE if named.is_dir() else named)
        if not _covers(database, asked):
            raise PlanError(f"{show(named)} has no C file of {', '.join(show(a.path) for a in asked[:3])}")
        return database
    for place in dict.fromkeys(places if inside else [*_project_folders(asked), *places]):
        if (place / DATABASE).is_file():
            database = Database(place / DATABASE)
            if _covers(database, asked):
                return database
    return None


def _covers(database: Database, asked: Sequence[Asked]) -> bool:
    return any(_below(path, asked) for path in database.files())


def _below(path: str, asked: Sequence[Asked]) -> bool:
    return any(path.startswith(f"{a.path}/") if a.is_folder else path == str(a.path) for a in asked)


def _outside_kernel(asked: Sequence[Asked], database: Database | None, named: bool) -> Setup:
    """Plain C, by a database (the one that was `named`, or one that was found) or without."""
    for entry in asked:
        if entry.is_folder and any(read_tree(child) for child in children(entry.path)):
            raise PlanError(f"{show(entry.path)} holds kernel trees; name one of them, or a folder inside")
    if database is not None:
        root = _common(asked) if named else database.path.parent.resolve()
        source: Source = DatabaseSource(database, None, None)
        return Setup(root, (), "", "", "plain C", f"flags from {show(database.path)}", source, may_force=False)
    root = _common(asked)
    return Setup(root, (), "", "", "plain C", "not in a kernel tree, no compile_commands.json", PlainSource(root))


def _project_folders(asked: Sequence[Asked]) -> list[Path]:
    """The folders at and above the first path, nearest first."""
    first = asked[0].path
    return [first, *first.parents] if asked[0].is_folder else list(first.parents)


def project_folder(file: Path) -> Path:
    """The folder that holds all that belongs to a C file, by its absolute path: the kernel tree, else the project or
    the module that it is part of, else the file's own folder."""
    tree = find_tree(file)
    if tree is not None:
        return tree.root
    for folder in file.parents:
        if any((folder / mark).exists() for mark in (*_PROJECT_MARKS, DATABASE)):
            return folder
    return module_root(file.parent)


def _shared(asked: Sequence[Asked]) -> Path:
    return Path(os.path.commonpath([str(entry.path if entry.is_folder else entry.path.parent) for entry in asked]))


def _common(asked: Sequence[Asked]) -> Path:
    """The project that the paths belong to: the nearest marked folder above all of them, else what they share."""
    shared = _shared(asked)
    for folder in (shared, *shared.parents):
        if any((folder / mark).exists() for mark in _PROJECT_MARKS):
            return folder
    return shared


def _folders(asked: Sequence[Asked], root: Path) -> list[str]:
    folders = {(entry.path if entry.is_folder else entry.path.parent).relative_to(root) for entry in asked}
    return sorted(str(folder) for folder in folders)


def _unfit_build(build: Path, options: Mapping[str, str], configured: Arch | None, machine: Arch) -> str:
    if not options:
        return f"--build-dir {show(build)}: not a kernel build directory (it has no .config)"
    if configured is None:
        return f"--build-dir {show(build)}: configured for an architecture that gfpcheck does not know"
    return f"--build-dir {show(build)} is configured for {configured.name}, not for {machine.name}"
