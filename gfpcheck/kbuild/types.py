"""What kbuild hands to the frontend: files with the arguments to parse them."""

from __future__ import annotations

import msgspec


class Unit(msgspec.Struct, frozen=True, order=True):
    """One C file to parse.

    `path` is absolute, `rel` is relative to the root (or absolute when it lies elsewhere).
    `args` are libclang's arguments without the file name; all include paths in them are absolute,
    or relative to `cwd`. Units with equal `args` may share a precompiled header.
    """

    path: str
    rel: str
    args: tuple[str, ...]
    cwd: str


class Plan(msgspec.Struct, frozen=True):
    """Everything that a run will parse.

    `source` is one of "compile_commands.json", "built tree", "prepared tree", "configured tree", "unconfigured tree",
    "out-of-tree module", "plain C"; `setup` is the one line told to the user.
    `root` is the kernel tree, the folder of an out-of-tree module, or the project that plain C belongs to.
    `version` is the kernel's (major, minor, patch), or () outside a kernel.
    `skipped` lists (path, reason) for C files that were asked for and are not parsed; `lost` are the paths among
    them that should have been: they cannot be read, or were asked for by name. The others are left out on purpose.
    `parts` are the folders of `units` that another one's Makefile builds, each with that: ("fs/xfs/scrub", "fs/xfs").
    `unmade` says which Makefile is still to be made, by a package's `configure`; `setup` ends with it.
    """

    root: str
    version: tuple[int, ...]
    arch: str
    source: str
    setup: str
    units: tuple[Unit, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    lost: tuple[str, ...] = ()
    parts: tuple[tuple[str, str], ...] = ()
    unmade: str = ""

    @property
    def is_kernel(self) -> bool:
        return bool(self.version)


class PlanError(Exception):
    """What was asked for cannot be done; the message is for the user."""


class CacheError(PlanError):
    """The cache directory cannot be written; another one might."""
