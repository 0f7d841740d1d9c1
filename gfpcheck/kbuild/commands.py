"""Real compile commands: compile_commands.json and Kbuild's `.foo.o.cmd` files."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

import msgspec

from gfpcheck.kbuild.types import PlanError

_CMD = re.compile(r"^(?:saved)?cmd_([^\s:=]+)\s*:?=\s*(.*)$", re.MULTILINE)
_TOKEN = re.compile(r"""(?:[^\s'"\\;&|]|\\.|'[^']*'|"(?:\\.|[^"\\])*")+|[;&|]+""")
_QUOTED = re.compile(r"""'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)""")
_SPECIAL = re.compile(r"""['"\\]""")
_ARCH = re.compile(r"(?:^|[\s/])arch/(\w+)/include")


class Command(NamedTuple):
    """The words of a command (the compiler first) and the folder that it runs in."""

    words: tuple[str, ...]
    cwd: str


class _Entry(msgspec.Struct):
    directory: str
    file: str
    command: str = ""
    arguments: list[str] = []


class Database:
    """A compile_commands.json: commands by the absolute path of the C file, split when asked for."""

    def __init__(self, path: Path) -> None:
        """PlanError when the file cannot be read or is something else."""
        self.path = path
        try:
            entries = msgspec.json.decode(path.read_bytes(), type=list[_Entry])
        except OSError as error:
            raise PlanError(f"cannot read {path}: {error.strerror}") from None
        except msgspec.MsgspecError as error:
            raise PlanError(f"{path} is not a compilation database: {error}") from None
        self._entries: dict[str, _Entry] = {}
        for entry in entries:
            if entry.file.endswith(".c"):
                name = os.path.normpath(path.parent / entry.directory / entry.file)
                # The first entry of a file wins; later ones are other configurations of it.
                self._entries.setdefault(name, entry)

    def __len__(self) -> int:
        return len(self._entries)

    def files(self) -> list[str]:
        """The absolute paths of all C files in it, sorted."""
        return sorted(self._entries)

    def command(self, path: str) -> Command | None:
        """The command of one file, or None when there is none."""
        entry = self._entries.get(path)
        if entry is None:
            return None
        words = entry.arguments or split_command(entry.command)
        directory = os.path.normpath(self.path.parent / entry.directory)
        return Command(tuple(words), directory) if words else None


def split_command(text: str) -> list[str]:
    """A shell command's words; what follows `;`, `&` or `|` (objtool and the like) is left out.

    shlex would do the same, a hundred times slower; whole-kernel databases have 30 MB.
    """
    words: list[str] = []
    for token in _TOKEN.findall(text):
        if token[0] in ";&|":
            break
        words.append(_QUOTED.sub(_unquote, token) if _SPECIAL.search(token) else token)
    return words


def _unquote(match: re.Match[str]) -> str:
    single, double, escaped = match.groups()
    if single is not None:
        return single
    if double is not None:
        return re.sub(r'\\(["\\$`])', r"\1", double)
    return escaped or ""


def read_cmd(build: Path, object_path: str, kernel: Path | None = None) -> Command | None:
    """The command that built `object_path` (relative to the build directory), or None when there is none.

    For an object of a module, `kernel` is the build directory of its kernel: make ran there if it names the object by
    an absolute path (before Linux 6.13), and paths in the command are relative to that.
    """
    target = build / object_path
    try:
        text = (target.parent / f".{target.name}.cmd").read_text("utf-8", "replace")
    except OSError:
        return None
    match = _CMD.search(text)
    words = split_command(match[2].replace("$(pound)", "#").replace("$$", "$")) if match else []
    cwd = kernel if kernel is not None and match and match[1].startswith("/") else build
    return Command(tuple(words), str(cwd)) if words else None


def command_arch(command: Command) -> str:
    """The folder below arch/ that a kernel compile command takes headers from, "" if it names none."""
    match = _ARCH.search(" ".join(command.words))
    return match[1] if match else ""
