"""Chooses a configuration for a tree that has none."""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from gfpcheck.kbuild.arch import Arch
from gfpcheck.kbuild.evaluate import Evaluator, Expr, parse_expr
from gfpcheck.kbuild.kconfig import Context, Kconfig, Symbol, parse


class Config(NamedTuple):
    """Values as `Evaluator.all_values` gives them, each symbol's type, and the Kconfig files read."""

    values: dict[str, str]
    kinds: dict[str, str]
    files: list[str]


class _Policy(NamedTuple):
    force: dict[str, str]
    on: list[str]
    folders: list[str]
    off: frozenset[str]
    patterns: re.Pattern[str]


def _policy() -> _Policy:
    text = importlib.resources.files("gfpcheck.kbuild").joinpath("data/options.toml").read_text("utf-8")
    data = tomllib.loads(text)
    return _Policy(
        data["force"],
        data["on"]["names"],
        data["on"]["folders"],
        frozenset(data["off"]["names"]),
        re.compile("|".join(data["off"]["patterns"])),
    )


def configure(root: Path, arch: Arch, folders: Collection[str]) -> Config:
    """The architecture's defconfig plus every option that the Kconfig files of `folders` declare.

    `folders` are relative to the root; those above and below each of them count as asked for, the
    root itself does not. An option's dependencies are turned on with it where they can be.
    """
    policy = _policy()
    kconfig = parse(root, {"ARCH": arch.name, "SRCARCH": arch.srcarch, "comma": ",", "srctree": "."}, lambda _: True)
    user = read_config(root / "arch" / arch.srcarch / "configs" / arch.defconfig)
    asked = _Asked([*folders, *policy.folders])
    for name in policy.off:
        user[name] = "n"
    wish = _Wish(kconfig, user, policy)
    for name in policy.on:
        wish.want(name)
    for symbol in kconfig.symbols.values():
        if any(asked.covers(d.file) and d.prompts for d in symbol.definitions) and symbol.kind == "bool":
            wish.want(symbol.name)
    values = Evaluator(kconfig, user, policy.force).all_values()
    return Config(values, {s.name: s.kind for s in kconfig.symbols.values()}, kconfig.files)


def read_config(path: Path) -> dict[str, str]:
    """The options of a .config or defconfig file, by name without CONFIG_; "m" counts as "y". Empty if unreadable."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return {}
    options: dict[str, str] = {}
    for match in re.finditer(r"^(?:CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set)$", text, re.MULTILINE):
        if match[3]:
            options[match[3]] = "n"
        else:
            value = match[2].strip()
            options[match[1]] = "y" if value == "m" else value.strip('"')
    return options


class _Asked:
    """Which Kconfig files count as asked for."""

    def __init__(self, folders: Collection[str]) -> None:
        self.below = tuple(f"{folder}/" for folder in folders if folder != ".")
        self.all = "." in folders
        self.above = {str(parent) for folder in folders for parent in Path(folder).parents} - {"."}

    def covers(self, file: str) -> bool:
        return self.all or file.startswith(self.below) or str(Path(file).parent) in self.above


class _Wish:
    """Turns options on in `user`, together with what they depend on."""

    def __init__(self, kconfig: Kconfig, user: dict[str, str], policy: _Policy) -> None:
        self.symbols = kconfig.symbols
        self.user = user
        self.policy = policy
        self._seen: set[str] = set()

    def want(self, name: str) -> None:
        pending = [name]
        while pending:
            name = pending.pop()
            symbol = self.symbols.get(name)
            if symbol is None or name in self._seen:
                continue
            self._seen.add(name)
            if name in self.policy.off or name in self.policy.force or self.policy.patterns.search(name):
                continue
            if symbol.kind != "bool" or symbol.choice is not None:
                continue
            self.user[name] = "y"
            pending.extend(self._needs(symbol))

    def _needs(self, symbol: Symbol) -> list[str]:
        """The symbols that the first definition with a prompt needs to be on."""
        definition = next((d for d in symbol.definitions if d.prompts), None)
        if definition is None:
            return []
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
