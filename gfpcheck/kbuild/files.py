"""Turns the user's paths into C files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from gfpcheck.kbuild.types import PlanError


class Asked(NamedTuple):
    """One path of the command line: absolute, symbolic links resolved (but for the file's own name)."""

    path: Path
    is_folder: bool


def resolve(paths: Sequence[Path]) -> list[Asked]:
    """Check every path; PlanError names the first one that cannot be analysed and says why."""
    if not paths:
        raise PlanError("no path given")
    asked: list[Asked] = []
    for path in paths:
        try:
            full = path.resolve(strict=True)
            if path.is_file():
                full = path.parent.resolve(strict=True) / path.name
        except (FileNotFoundError, NotADirectoryError):
            raise PlanError(f"{show(path)}: no such file or directory") from None
        except (OSError, RuntimeError, ValueError) as error:
            # RuntimeError: a loop of symbolic links, before Python 3.13; ValueError: a null byte.
            reason = error.strerror if isinstance(error, OSError) else "cannot be resolved"
            raise PlanError(f"{show(path)}: {reason}") from None
        if full.is_dir():
            asked.append(Asked(full, True))
        else:
            _check_file(path, full)
            asked.append(Asked(full, False))
    return asked


def _check_file(path: Path, full: Path) -> None:
    if not full.is_file():
        raise PlanError(f"{show(path)}: not a regular file")
    if full.suffix == ".h":
        raise PlanError(f"{show(path)}: a header is analysed with the C files that include it; name one of those")
    if full.suffix != ".c":
        raise PlanError(f"{show(path)}: not a C file (.c)")
    reason = unusable(full)
    if reason:
        raise PlanError(f"{show(path)}: {reason}")


def unusable(path: Path) -> str:
    """Why a C file cannot be handed to the parser, or ""."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return "the name is not valid UTF-8, which libclang needs"
    return "" if os.access(path, os.R_OK) else "cannot be read"


def c_files(folder: Path) -> tuple[list[Path], list[tuple[Path, str]]]:
    """All C files below a folder, sorted, and those that cannot be parsed with the reason.

    Links to folders are not followed; a link to a file counts unless its target is below the folder too.
    """
    found: list[Path] = []
    unusable_files: list[tuple[Path, str]] = []

    def denied(error: OSError) -> None:
        unusable_files.append((Path(str(error.filename)), "cannot be read"))

    for parent, folders, names in os.walk(folder, onerror=denied):
        folders[:] = sorted(name for name in folders if name != ".git")
        for name in sorted(names):
            if not name.endswith(".c"):
                continue
            path = Path(parent, name)
            if path.is_symlink():
                target = Path(os.path.realpath(path))
                if target.is_relative_to(folder) and target.suffix == ".c" and target.is_file():
                    continue
                if not target.is_file():
                    unusable_files.append((path, "a link to nothing"))
                    continue
            elif not path.is_file():
                continue
            reason = unusable(path)
            if reason:
                unusable_files.append((path, reason))
            else:
                found.append(path)
    return found, unusable_files


def show(path: Path | str) -> str:
    """A path as text that can be printed whatever bytes it has."""
    return os.fsencode(path).decode("utf-8", "replace")
