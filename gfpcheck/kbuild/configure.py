"""Chooses a configuration for a tree that has none."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from gfpcheck.kbuild.arch import Arch
from gfpcheck.kbuild.evaluate import Evaluator, Expr, parse_expr, unquote
from gfpcheck.kbuild.kconfig import Context, Kconfig, Symbol, parse
from gfpcheck.kbuild.kernel import data_file
from gfpcheck.kbuild.types import PlanError

_MENTION = re.compile(r"\$\(CONFIG_(\w+)\)")


class Config(NamedTuple):
    """Options with values as in a .config, and the files (relative to the root, or absolute) they were made from."""

    options: dict[str, str]
    inputs: list[str]


class _Policy(NamedTuple):
    """data/options.toml, which explains the fields."""

    force: dict[str, str]
    hide: frozenset[str]
    on: list[str]
    folders: list[str]
    off: frozenset[str]
    patterns: re.Pattern[str]
    keep: frozenset[str]

    def unwanted(self, name: str) -> bool:
        """Whether an option is a debugging aid or a test."""
        return name not in self.keep and self.patterns.search(name) is not None


def _policy() -> _Policy:
    data = tomllib.loads(Path(data_file("options.toml")).read_text("utf-8"))
    return _Policy(
        data["force"],
        frozenset(data["hide"]["names"]),
        data["on"]["names"],
        data["on"]["folders"],
        frozenset(data["off"]["names"]),
        re.compile("|".join(data["off"]["patterns"])),
        frozenset(data["off"]["except"]),
    )


def configure(root: Path, arch: Arch, folders: Collection[str], base: Path | None = None) -> Config:
    """The options of the file `base` (the architecture's defconfig when None), plus every option that the
    Kconfig files and Makefiles of `folders` name.

    `folders` are relative to the root ("." is everything); Kconfig files above and below each of
    them count as asked for, those of the root itself do not. An option's dependencies are turned
    on with it where they can be. PlanError when the Kconfig files cannot be made sense of.
    """
    policy = _policy()
    own = base is None
    if base is None:
        base = root / "arch" / arch.srcarch / "configs" / arch.defconfig
    try:
        kconfig = parse(root, {"ARCH": arch.name, "SRCARCH": arch.srcarch, "comma": ",", "srctree": "."})
        user = {name: "y" if value == "m" else unquote(value) for name, value in read_config(base).items()}
        makefiles = list(_makefiles(root, folders))
        wish = _Wish(kconfig, user, policy)
        for name in policy.off:
            user[name] = "n"
        if own:
            # Some defconfigs have lock debugging on.
            user.update((name, "n") for name in user if policy.unwanted(name))
        for name in policy.on:
            wish.want(name)
        asked = _Asked([*folders, *policy.folders])
        for symbol in kconfig.symbols.values():
            if symbol.kind == "bool" and any(asked.covers(d.file) and d.prompts for d in symbol.definitions):
                wish.want(symbol.name)
        for makefile in makefiles:
            for name in sorted(set(_MENTION.findall(_read(root / makefile)))):
                wish.want(name)
        values = Evaluator(kconfig, user, policy.force, wish.selected).all_values()
    except RecursionError:
        raise PlanError(f"{root}: the Kconfig files nest too deeply to be read") from None
    options = {
        name: _spell(value, kconfig.symbols[name].kind if name in kconfig.symbols else "bool")
        for name, value in values.items()
        if name not in policy.hide
    }
    source = base.relative_to(root) if base.is_relative_to(root) else base
    return Config(options, [*kconfig.files, *makefiles, str(source)])


def _spell(value: str, kind: str) -> str:
    """A value as a .config has it."""
    if kind == "string":
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return "0x" + value if kind == "hex" and not value.lower().startswith("0x") else value


def read_config(path: Path) -> dict[str, str]:
    """The options of a .config, auto.conf or defconfig by name without CONFIG_, "n" if not set; {} if unreadable."""
    options: dict[str, str] = {}
    for match in re.finditer(r"^(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$", _read(path), re.MULTILINE):
        if match[3]:
            options[match[3]] = "n"
        else:
            options[match[1]] = match[2].strip()
    return options


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _makefiles(root: Path, folders: Collection[str]) -> Iterator[str]:
    """The Makefiles at and below the folders; none for the whole tree, whose Kconfig files say it all."""
    for folder in sorted(set(folders) - {"."}):
        for parent, below, names in os.walk(root / folder):
            below.sort()
            for name in ("Kbuild", "Makefile"):
                if name in names:
                    yield str((Path(parent) / name).relative_to(root))


class _Asked:
    """Which Kconfig files count as asked for."""

    def __init__(self, folders: Collection[str]) -> None:
        self.below = tuple(f"{folder}/" for folder in folders if folder != ".")
        self.all = "." in folders
        self.above = {str(parent) for folder in folders for parent in Path(folder).parents} - {"."}

    def covers(self, file: str) -> bool:
        return self.all or file.startswith(self.below) or str(Path(file).parent) in self.above


class _Wish:
    """Turns options on in `user` together with what they depend on.

    Options without a prompt that something outside arch/ selects are collected in `selected`.
    """

    def __init__(self, kconfig: Kconfig, user: dict[str, str], policy: _Policy) -> None:
        self.symbols = kconfig.symbols
        self.user = user
        self.policy = policy
        self.selected: set[str] = set()
        self._seen: set[str] = set()
        self._selectable = {
            target
            for symbol in kconfig.symbols.values()
            for definition in symbol.definitions
            if not definition.file.startswith("arch/")
            for target, _ in definition.selects
        }

    def want(self, name: str) -> None:
        """Turn `name` on unless the policy or its type is against it."""
        pending = [name]
        while pending:
            name = pending.pop()
            symbol = self.symbols.get(name)
            if symbol is None or name in self._seen:
                continue
            self._seen.add(name)
            if name in self.policy.off or name in self.policy.force:
                continue
            if self.policy.unwanted(name):
                continue
            if symbol.kind != "bool" or symbol.choice is not None:
                continue
            if any(definition.prompts for definition in symbol.definitions):
                self.user[name] = "y"
                pending.extend(self._needs(symbol))
            elif self._only_selected(symbol):
                self.selected.add(name)

    def _only_selected(self, symbol: Symbol) -> bool:
        """Whether the option is on when code that uses it is, rather than when the architecture has something."""
        if symbol.name not in self._selectable or symbol.name.startswith(("HAVE_", "ARCH_")):
            return False
        return not any(definition.defaults for definition in symbol.definitions)

    def _needs(self, symbol: Symbol) -> list[str]:
        """The symbols that the first definition with a prompt needs to be on."""
        definition = next(d for d in symbol.definitions if d.prompts)
        texts = [*definition.depends, *definition.prompts]
        context: Context | None = definition.context
        while context is not None:
            texts.extend(context.depends)
            context = context.parent
        needed: list[str] = []
        for text in texts:
            self._atoms(parse_expr(text), needed)
        return needed

    def _atoms(self, expr: Expr, needed: list[str]) -> None:
        if isinstance(expr, str):
            if expr[:1] != '"':
                needed.append(expr)
        elif expr[0] == "&&" and len(expr) == 3:
            self._atoms(expr[1], needed)
            self._atoms(expr[2], needed)
        elif expr[0] == "||" and len(expr) == 3:
            # One branch is enough; a branch that is a negation or already on needs nothing.
            left, right = expr[1], expr[2]
            if not any(isinstance(e, tuple) and e[0] == "!" for e in (left, right)) and not self._on(right):
                self._atoms(left, needed)

    def _on(self, expr: Expr) -> bool:
        return isinstance(expr, str) and self.user.get(expr, "n") != "n"
