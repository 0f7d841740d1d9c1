"""Reads Kconfig files into symbols with their properties.

This is a reader for what configuration needs, not a front end: prompts' texts and help are dropped.
The language is described in the kernel's Documentation/kbuild/kconfig-language.rst. Anything that is
not understood (a new keyword, a shell macro) is passed over, never an error: the result only
steers which `CONFIG_` names are defined while parsing C.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True, eq=False)
class Context:
    """The conditions that an enclosing menu, `if` or choice puts on what is inside."""

    parent: Context | None
    depends: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Definition:
    """One `config NAME` entry; a symbol may have several.

    `prompts`, `defaults` (value, condition), `selects` and `implies` (name, condition) hold Kconfig
    expressions as text, the empty condition being true.
    """

    context: Context
    file: str
    depends: list[str] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    defaults: list[tuple[str, str]] = field(default_factory=list)
    selects: list[tuple[str, str]] = field(default_factory=list)
    implies: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Choice(Definition):
    """A `choice` block: exactly one member is on when it is visible."""

    members: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Symbol:
    """All that is known of one option. `kind` is bool (tristate counts as bool), int, hex or string."""

    name: str
    kind: str = ""
    definitions: list[Definition] = field(default_factory=list)
    choice: Choice | None = None


@dataclass(slots=True)
class Kconfig:
    """Every symbol that the top Kconfig file leads to, and the files that were read."""

    symbols: dict[str, Symbol] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


_KINDS = {"bool": "bool", "boolean": "bool", "tristate": "bool", "int": "int", "hex": "hex", "string": "string"}
_QUOTED = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_IF = re.compile(rf"(?:{_QUOTED}|[^\"'])*?\bif\b(?P<cond>.*)$")
_PROMPT = re.compile(rf"^\s*(?:{_QUOTED}|[\w.-]+)(?P<rest>.*)$")
_COMMENT = re.compile(rf"^((?:{_QUOTED}|[^\"'#])*)#.*$")
_MACRO = re.compile(r"\$\(([^()]*)\)")


def parse(root: Path, variables: dict[str, str]) -> Kconfig:
    """Read `root`/Kconfig and all that it sources.

    `variables` are the values of `$(NAME)` (ARCH, SRCARCH, ...); every other macro call is a test of
    the compiler or the like and counts as passed ("y").
    """
    reader = _Reader(root, variables)
    reader.file("Kconfig", Context(None))
    return reader.result


class _Reader:
    def __init__(self, root: Path, variables: dict[str, str]) -> None:
        self.root = root
        self.variables = variables
        self.result = Kconfig()
        self._seen: set[str] = set()

    def expand(self, text: str) -> str:
        """Replace `$(...)` from the inside out."""
        while True:
            new = _MACRO.sub(lambda m: self.variables.get(m[1].split(",")[0].strip(), "y"), text)
            if new == text:
                return text
            text = new

    def file(self, rel: str, context: Context) -> None:
        if rel in self._seen:
            return
        self._seen.add(rel)
        try:
            text = (self.root / rel).read_text("utf-8", "replace")
        except OSError:
            return
        self.result.files.append(rel)
        self.block(rel, _lines(text), context)

    def block(self, rel: str, lines: Iterator[str], top: Context) -> None:
        """Read one file's lines. `stack` holds the open menus, ifs and choices."""
        symbols = self.result.symbols
        stack: list[tuple[Context, Choice | None]] = [(top, None)]
        entry: Definition | Context = top
        symbol: Symbol | None = None
        for line in lines:
            if "$(" in line:
                line = self.expand(line)
            word, _, rest = line.partition(" ")
            rest = rest.strip()
            if word in ("config", "menuconfig"):
                context, choice = stack[-1]
                symbol = symbols.get(rest)
                if symbol is None:
                    symbol = symbols[rest] = Symbol(rest)
                entry = Definition(context, rel)
                symbol.definitions.append(entry)
                if choice is not None:
                    symbol.choice = choice
                    choice.members.append(rest)
            elif word == "if":
                entry, symbol = Context(stack[-1][0], [rest]), None
                stack.append((entry, stack[-1][1]))
            elif word == "menu":
                entry, symbol = Context(stack[-1][0]), None
                stack.append((entry, stack[-1][1]))
            elif word == "choice":
                inner = Context(stack[-1][0])
                entry, symbol = Choice(stack[-1][0], rel), None
                entry.depends = inner.depends
                stack.append((inner, entry))
            elif word in ("endif", "endmenu", "endchoice"):
                if len(stack) > 1:
                    stack.pop()
                entry, symbol = Context(stack[-1][0]), None
            elif word == "comment":
                entry, symbol = Context(stack[-1][0]), None
            elif word in ("source", "osource", "rsource", "orsource"):
                self.source(word, rest.strip("\"'"), rel, stack[-1][0])
            elif word == "depends":
                entry.depends.append(rest.removeprefix("on").strip())
            elif isinstance(entry, Definition):
                _property(entry, symbol, word, rest)

    def source(self, word: str, target: str, rel: str, context: Context) -> None:
        base = str(Path(rel).parent / target) if "rsource" in word else target
        paths = sorted(str(p.relative_to(self.root)) for p in self.root.glob(base)) if "*" in base else [base]
        for path in paths:
            self.file(path, context)


def _property(entry: Definition, symbol: Symbol | None, word: str, rest: str) -> None:
    """Add one property line of a config or choice entry."""
    if word in _KINDS:
        if symbol is not None:
            symbol.kind = symbol.kind or _KINDS[word]
        if rest:
            entry.prompts.append(_condition(rest))
    elif word == "prompt":
        entry.prompts.append(_condition(rest))
    elif word in ("def_bool", "def_tristate"):
        if symbol is not None:
            symbol.kind = symbol.kind or "bool"
        entry.defaults.append(_split_if(rest))
    elif word == "default":
        entry.defaults.append(_split_if(rest))
    elif word == "select":
        entry.selects.append(_split_if(rest))
    elif word == "imply":
        entry.implies.append(_split_if(rest))


def _split_if(text: str) -> tuple[str, str]:
    match = _IF.match(text)
    if match is None:
        return text, ""
    return text[: match.start("cond") - 2].strip(), match["cond"].strip()


def _condition(text: str) -> str:
    match = _PROMPT.match(text)
    rest = match["rest"].strip() if match else ""
    return rest.removeprefix("if").strip() if rest.startswith("if") else ""


def _lines(text: str) -> Iterator[str]:
    """The significant lines, stripped, with one blank after the first word; continued lines joined; help left out."""
    lines = iter(text.expandtabs().split("\n"))
    pending = next(lines, None)
    while pending is not None:
        line = pending
        pending = next(lines, None)
        while line.endswith("\\") and pending is not None:
            line = line[:-1] + " " + pending
            pending = next(lines, None)
        stripped = line.strip()
        if not stripped or stripped[0] == "#":
            continue
        if stripped in ("help", "---help---"):
            # The text ends at the first line that is indented less than its first line.
            while pending is not None and not pending.strip():
                pending = next(lines, None)
            if pending is None:
                return
            indent = len(pending) - len(pending.lstrip())
            # A help text that is not indented more than its keyword is an empty one.
            if indent <= len(line) - len(line.lstrip()):
                continue
            while pending is not None and (not pending.strip() or len(pending) - len(pending.lstrip()) >= indent):
                pending = next(lines, None)
            continue
        if "#" in stripped:
            match = _COMMENT.match(stripped)
            if match:
                stripped = match[1].rstrip()
        parts = stripped.split(None, 1)
        yield parts[0] if len(parts) == 1 else f"{parts[0]} {parts[1]}"
