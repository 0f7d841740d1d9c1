"""Reads what a Kbuild Makefile says of the C files of its folder.

Not an implementation of make: assignments, conditionals on options and the few functions that
Kbuild Makefiles use to list objects. What is not understood is passed over. The meaning of the
variables is that of the kernel's Documentation/kbuild/makefiles.rst.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

_REFERENCE = r"\$[({](?:[^(){}]|\$[({][^(){}]*[)}])*[)}]"
_ASSIGN = re.compile(rf"^\s*(?:export\s+|override\s+)?((?:{_REFERENCE}|[\w.%/+@-])+?)\s*(\+|:{{1,3}}|\?)?=\s*(.*)$")
_CONTINUED = re.compile(r"\\\r?\n[ \t]*")
_RULE = re.compile(r"^[^\s=#:][^=#:]*:(?![:=])")
_INNERMOST = re.compile(r"\$(?:\(([^$(){}]*)\)|\{([^$(){}]*)\})")
_OPTION = re.compile(r"\$[({]CONFIG_(\w+)[:)}]")
_ITEM = re.compile(r"[\w.+,@/-]+(?:\.o|/)(?=\s|$)")
_NAMED = re.compile(r"[\w.+,@/-]+\.o\b|[\w.+@/-]+/(?=\s|$)")
_MOST_INCLUDES = 200
_COMPOSITE = re.compile(r"^([\w.+-]+)-(?:y|m|objs|\$[({]CONFIG_\w+[)}])$")
_LISTS = ("obj-y", "obj-m", "lib-y", "lib-m", "core-y", "drivers-y", "net-y", "libs-y")


@dataclass(slots=True)
class Makefile:
    """What one Makefile says. Folders in `selected` and `named` end in a slash; objects end in .o.

    `flags` are for every C file built from here, `subdir_flags` also for the folders below,
    `file_flags` by object. `selected` are the objects and folders that the configuration builds,
    those in `modules` as modules. `named` maps everything that is named at all to the option that
    it was named under ("" when under none). `fragment` is true when there are neither objects nor rules:
    another Makefile includes this one. `included` are the files that this one includes. `open` is true when
    objects may come from elsewhere as well: a wildcard, an included file that is not there.
    """

    flags: list[str] = field(default_factory=list)
    subdir_flags: list[str] = field(default_factory=list)
    file_flags: dict[str, list[str]] = field(default_factory=dict)
    selected: set[str] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    named: dict[str, str] = field(default_factory=dict)
    included: list[str] = field(default_factory=list)
    fragment: bool = False
    open: bool = False


def read_makefile(
    text: str,
    options: Mapping[str, str],
    variables: Mapping[str, str],
    include: Callable[[str], str | None] = lambda _: None,
) -> Makefile:
    """Read a Makefile's text. `options` are values by name without CONFIG_ ("y", "m", numbers);
    `variables` those that Kbuild sets (src, obj, srctree, ...). `include` gives the text of a file
    that is included, None if it cannot be had."""
    reader = _Reader(options, variables, include)
    reader.lines(text)
    return reader.result(text)


def _logical_lines(text: str) -> list[str]:
    lines = []
    in_rule = False
    for line in _CONTINUED.sub(" ", text).splitlines():
        if in_rule and line.startswith("\t"):
            # A recipe holds shell code.
            continue
        line = line.split("#", 1)[0].rstrip()
        in_rule = _RULE.match(line) is not None or (in_rule and not line)
        lines.append(line)
    return lines


class _Reader:
    def __init__(
        self, options: Mapping[str, str], variables: Mapping[str, str], include: Callable[[str], str | None]
    ) -> None:
        self.options = options
        self.include = include
        self.included: list[str] = []
        self.unresolved = False
        self.values: dict[str, str] = dict(variables)
        self.named: dict[str, str] = {}
        # The composite object that an object is a part of.
        self.part_of: dict[str, str] = {}
        self.rules = False
        # One entry per open conditional: (this branch is taken, some branch has been).
        self.stack: list[tuple[bool, bool]] = []
        self.conditions: list[str] = []

    def lines(self, text: str) -> None:
        for line in _logical_lines(text):
            self.line(line)

    def line(self, line: str) -> None:
        words = line.split(None, 1)
        if not words:
            return
        word, rest = words[0], words[1] if len(words) > 1 else ""
        if word in ("ifdef", "ifndef", "ifeq", "ifneq") or word.startswith(("ifeq(", "ifneq(")):
            taken = self.condition(line.strip())
            self.stack.append((taken, taken))
            option = _OPTION.search(line) or re.search(r"\bCONFIG_(\w+)", line)
            self.conditions.append(option[1] if option else "")
        elif word == "else" and self.stack:
            done = self.stack[-1][1]
            taken = not done and (not rest or self.condition(rest))
            self.stack[-1] = (taken, done or taken)
        elif word == "endif" and self.stack:
            self.stack.pop()
            self.conditions.pop()
        elif word in ("include", "-include", "sinclude"):
            self.include_files(self.expand(rest).split())
        else:
            self.assign(line)

    def include_files(self, names: list[str]) -> None:
        if not all(taken for taken, _ in self.stack):
            return
        for name in names:
            text = self.include(name) if len(self.included) < _MOST_INCLUDES else None
            if text is None:
                self.unresolved = True
            elif name not in self.included:
                self.included.append(name)
                self.lines(text)

    def assign(self, line: str) -> None:
        match = _ASSIGN.match(line)
        if match is None:
            self.rules = self.rules or _RULE.match(line) is not None
            return
        name, operator, value = match[1], match[2] or "", match[3]
        option = _OPTION.search(name)
        under = option[1] if option else next((c for c in reversed(self.conditions) if c), "")
        expanded = self.expand(value)
        composite = _COMPOSITE.match(name)
        part_of = f"{composite[1]}.o" if composite and composite[1] not in ("obj", "lib") else ""
        for item in {*_NAMED.findall(value), *_NAMED.findall(expanded)}:
            for spelled in _with_prefixes(item.lstrip("/"), value):
                if not self.named.get(spelled):
                    self.named[spelled] = under
                if part_of:
                    self.part_of.setdefault(spelled, part_of)
        if not all(taken for taken, _ in self.stack):
            return
        name, value = self.expand(name), expanded
        if operator == "+" and name in self.values:
            self.values[name] += " " + value
        elif operator != "?" or name not in self.values:
            self.values[name] = value

    def condition(self, text: str) -> bool:
        word, _, rest = text.partition(" ")
        if "(" in word:
            word, rest = text[: text.index("(")], text[text.index("(") :]
        rest = rest.strip()
        if word in ("ifdef", "ifndef"):
            return bool(self.lookup(rest)) == (word == "ifdef")
        expanded = self.expand(rest)
        match = re.match(r"^\((.*),(.*)\)$", expanded) or re.match(r"^[\"'](.*?)[\"']\s*[\"'](.*?)[\"']$", expanded)
        if match is None:
            return True
        return (match[1].strip() == match[2].strip()) == (word == "ifeq")

    def lookup(self, name: str) -> str:
        if name.startswith("CONFIG_"):
            value = self.options.get(name[7:], "")
            return "" if value == "n" else value
        return self.values.get(name, "")

    def expand(self, text: str) -> str:
        """Replace references from the inside out; calls keep their arguments' words."""
        for _ in range(50):
            new = _INNERMOST.sub(lambda m: self.reference(m[1] or m[2] or ""), text)
            if new == text or len(new) > 1_000_000:
                break
            text = new
        return text

    def reference(self, inner: str) -> str:
        name, space, rest = inner.partition(" ")
        if not space:
            base, colon, change = inner.partition(":")
            value = self.lookup(base)
            old, equals, new = change.partition("=")
            if colon and equals:
                return " ".join(_substitute(word, old, new) for word in value.split())
            return value
        arguments = [part.strip() for part in rest.split(",")]
        if name == "addprefix" and len(arguments) == 2:
            return " ".join(arguments[0] + word for word in arguments[1].split())
        if name == "addsuffix" and len(arguments) == 2:
            return " ".join(word + arguments[0] for word in arguments[1].split())
        if name == "subst" and len(arguments) == 3:
            return arguments[2].replace(arguments[0], arguments[1]) if arguments[0] else arguments[2]
        if name == "or":
            return next((a for a in arguments if a), "")
        if name == "and":
            return arguments[-1] if all(arguments) else ""
        if name == "if":
            return arguments[1] if arguments[0] and len(arguments) > 1 else "".join(arguments[2:3])
        if name in ("call", "shell", "wildcard", "warning", "error", "info", "filter", "foreach", "eval"):
            return ""
        return arguments[-1]

    def result(self, text: str) -> Makefile:
        for item, option in self.named.items():
            if not option:
                self.named[item] = self.named.get(self.part_of.get(item, ""), "")
        made = Makefile(named=self.named)
        made.fragment = not self.rules and not any(name in self.values for name in (*_LISTS, "obj-", "lib-"))
        made.included = self.included
        made.open = made.fragment or self.unresolved or "$(wildcard" in text
        for name, value in self.values.items():
            if name in ("ccflags-y", "ccflags-m", "EXTRA_CFLAGS"):
                made.flags += _words(value)
            elif name in ("subdir-ccflags-y", "subdir-ccflags-m"):
                made.subdir_flags += _words(value)
            elif name.startswith("CFLAGS_") and name.endswith(".o"):
                made.file_flags[name[7:]] = _words(value)
        pending = [(item, name[-1] == "m") for name in _LISTS for item in _ITEM.findall(self.values.get(name, ""))]
        while pending:
            item, module = pending.pop()
            if module:
                made.modules.add(item)
            if item in made.selected:
                continue
            made.selected.add(item)
            if item.endswith(".o"):
                stem = item[:-2]
                for part in (f"{stem}-y", f"{stem}-objs", f"{stem}-m"):
                    pending += [(member, module) for member in _ITEM.findall(self.values.get(part, ""))]
        return made


def _substitute(word: str, old: str, new: str) -> str:
    """`$(VAR:old=new)` for one word; without a % the pattern is a suffix."""
    if "%" not in old:
        old, new = "%" + old, "%" + new
    before, _, after = old.partition("%")
    if len(word) < len(before) + len(after) or not (word.startswith(before) and word.endswith(after)):
        return word
    return new.replace("%", word[len(before) : len(word) - len(after)], 1)


def _with_prefixes(item: str, value: str) -> list[str]:
    """An object inside `$(addprefix dir/, a.o b.o)` is named with the prefix as well."""
    prefixes = re.findall(r"\$\(addprefix\s+([\w./+-]+/)\s*,", value)
    return [item, *(prefix + item for prefix in prefixes)]


def _words(value: str) -> list[str]:
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def names_objects(folder: Path) -> bool:
    """Whether a folder's Kbuild or Makefile lists objects of a kernel or module."""
    for name in ("Kbuild", "Makefile"):
        try:
            text = (folder / name).read_text("utf-8", "replace")
        except OSError:
            continue
        if re.search(r"^\s*obj-(?:y|m|\$[({]CONFIG_)", text, re.MULTILINE):
            return True
    return False
