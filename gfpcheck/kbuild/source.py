"""Where the arguments of a C file come from: a kernel's conventions, real commands, or nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from gfpcheck.kbuild.arch import Arch
from gfpcheck.kbuild.commands import Command, Database, read_cmd
from gfpcheck.kbuild.flags import COMMON, parse_arguments, with_annotations
from gfpcheck.kbuild.folders import Folders
from gfpcheck.kbuild.kernel import data_file, kernel_arguments

_FOREIGN = {
    "Documentation": "documentation",
    "LICENSES": "documentation",
    "rust": "helpers for Rust code",
    "samples": "an example",
    "scripts": "a host program",
    "tools": "a user-space program",
    "usr": "a host program",
}


def foreign(rel: str, srcarch: str) -> str:
    """Why a file of a kernel tree is no kernel code for `srcarch`, or ""."""
    parts = rel.split("/")
    if parts[0] in _FOREIGN:
        return _FOREIGN[parts[0]]
    if parts[0] == "arch" and len(parts) > 2 and parts[1] != srcarch:
        return f"for {parts[1]}, not {srcarch}"
    return ""


class Source(Protocol):
    """Knows the arguments of any C file, and which files are none of its business. `tree` is the kernel's root and
    `arch` the architecture that it is for; None outside a kernel."""

    @property
    def tree(self) -> Path | None: ...

    @property
    def arch(self) -> Arch | None: ...

    def arguments(self, path: str) -> tuple[tuple[str, ...], str] | None:
        """The arguments and working directory for an absolute path; None when nothing is known of the file."""

    def why_not(self, path: str, asked: str) -> str:
        """Why a file found below the folder `asked` is not built (both absolute), or ""."""

    def never(self, path: str) -> str:
        """Why a file is not kernel code for this architecture at all, even if it is asked for by name, or ""."""


class KernelSource:
    """Files of a kernel tree or of a module, by Kbuild's conventions and `.cmd` files where `commands` is true.

    `root` is the tree or the module's folder; `headers` where the generated headers are. `given` are commands by the
    path of the C file, which is kernel code then, whatever else is known of it.
    """

    def __init__(
        self,
        tree: Path,
        root: Path,
        arch: Arch,
        headers: Path,
        options: Mapping[str, str],
        *,
        build: Path,
        commands: bool,
        given: Mapping[str, Command] = MappingProxyType({}),
    ) -> None:
        self.tree = tree
        self.root = root
        self.arch = arch
        self.build = build
        self.commands = commands
        self.given = given
        self.used_commands = 0
        self.folders = Folders(root, tree, build, options, arch.srcarch)
        self._base = kernel_arguments(tree, arch, headers)
        # Equal tuples are made one, which makes grouping by arguments cheap.
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}

    def _rel(self, path: str) -> str:
        return os.path.relpath(path, self.root)

    def arguments(self, path: str) -> tuple[tuple[str, ...], str] | None:
        rel = self._rel(path)
        command = self.given.get(path) or (self._command(path, rel) if self.commands else None)
        if command is not None:
            self.used_commands += 1
            args = parse_arguments(command.words, command.cwd, self.arch.triple)
            args = annotated((*args, *COMMON))
        else:
            args = self._base + self._conventions(path, rel)
        return self._shared.setdefault(args, args), str(self.tree)

    def _conventions(self, path: str, rel: str) -> tuple[str, ...]:
        if self.root == self.tree:
            return (("-DMODULE",) if self.folders.is_module(rel) else ()) + self.folders.flags(rel)
        # A file of the kernel that a module calls is built by other Makefiles.
        return () if Path(path).is_relative_to(self.tree) else ("-DMODULE", *self.folders.flags(rel))

    def _command(self, path: str, rel: str) -> Command | None:
        if self.root == self.tree:
            return read_cmd(self.build, rel[:-2] + ".o")
        if Path(path).is_relative_to(self.tree):
            return read_cmd(self.build, os.path.relpath(path, self.tree)[:-2] + ".o")
        return read_cmd(self.root, rel[:-2] + ".o", self.build)

    def why_not(self, path: str, asked: str) -> str:
        folder = self._rel(asked)
        return self.folders.why_not(self._rel(path), "" if folder == "." else folder)

    def never(self, path: str) -> str:
        inside = self.root == self.tree and path not in self.given
        return foreign(self._rel(path), self.arch.srcarch) if inside else ""


class DatabaseSource:
    """Files listed in a compile_commands.json: of the kernel `tree` for `arch`, or of something else (None)."""

    def __init__(self, database: Database, tree: Path | None, arch: Arch | None) -> None:
        self.database = database
        self.tree = tree
        self.arch = arch
        self._shared: dict[tuple[str, ...], tuple[str, ...]] = {}

    def arguments(self, path: str) -> tuple[tuple[str, ...], str] | None:
        command = self.database.command(path)
        if command is None:
            return None
        args = parse_arguments(command.words, command.cwd, self.arch.triple if self.arch else "")
        args = annotated((*args, *COMMON)) if self.tree else (*args, *_plain(args), *COMMON)
        return self._shared.setdefault(args, args), command.cwd

    def why_not(self, path: str, asked: str) -> str:
        return "" if self.database.command(path) else f"not in {self.database.path.name}"

    def never(self, path: str) -> str:
        if self.tree is not None and self.arch is not None and path.startswith(f"{self.tree}/"):
            return foreign(os.path.relpath(path, self.tree), self.arch.srcarch) or self.why_not(path, "")
        return self.why_not(path, "")


class PlainSource:
    """Any C file, with the system's headers and no other flags."""

    def __init__(self, root: Path) -> None:
        self.tree: Path | None = None
        self.arch: Arch | None = None
        self.root = str(root)
        self._args = (*_plain(()), *COMMON)

    def arguments(self, path: str) -> tuple[tuple[str, ...], str] | None:
        return self._args, self.root

    def why_not(self, path: str, asked: str) -> str:
        return ""

    def never(self, path: str) -> str:
        return ""


def annotated(args: tuple[str, ...]) -> tuple[str, ...]:
    """A real kernel command with gfpcheck's headers among its forced includes."""
    return with_annotations(args, data_file("configuration.h"), data_file("annotations.h"), data_file("wrappers"))


def _plain(args: tuple[str, ...]) -> tuple[str, ...]:
    """The compiler's own headers (stddef.h, ...), which libclang comes without."""
    return () if "-nostdinc" in args else ("-isystem", data_file("freestanding"))
