"""C as text: functions, blocks and calls of kernel-style source, found without a parser.

Nothing here knows what gfpcheck knows; the oracle must be able to disagree with it.
"""

from __future__ import annotations

import bisect
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_IDLE = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*""",
    re.DOTALL | re.MULTILINE,
)
_DEAD = re.compile(
    r"^[ \t]*#[ \t]*if[ \t]+0\b[^\n]*\n(.*?)^[ \t]*#[ \t]*(?:else|elif|endif)\b", re.DOTALL | re.MULTILINE
)
_BODY = re.compile(r"\)[^;{}=]*\n\{")
_ENDS = re.compile(r"[;}]|\n[ \t]*\n")
_CALLISH = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
_ATTRIBUTES = re.compile(
    r"__(?:attribute__|printf|scanf|alloc_size|aligned|section|must_hold|releases|acquires|cond_acquires|malloc)"
)
_KEYWORDS = frozenset(
    {"if", "for", "while", "switch", "return", "sizeof", "typeof", "__typeof__", "do", "else", "case"}
)
_SPACE = re.compile(r"[^\n]")


class Function(NamedTuple):
    """A function definition. `start` is the offset of its opening brace, `end` that behind the closing one."""

    file: str
    name: str
    static: bool
    params: tuple[str, ...]
    start: int
    end: int


class Call(NamedTuple):
    """A call in the text: `start` is where the name begins, `end` the offset behind the closing parenthesis.
    `args` are its arguments as written, each with the offset at which it begins."""

    name: str
    start: int
    end: int
    args: tuple[tuple[str, int], ...]


class Source:
    """One C file. `code` is the text with comments, literals and directives blanked: same length, same lines."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.code = _blank(text)
        self._lines = [0, *(match.end() for match in re.finditer("\n", text))]

    @classmethod
    def read(cls, root: Path, name: str) -> Source:
        """The file `name` below `root`, whatever its bytes."""
        return cls(name, (root / name).read_bytes().decode("latin-1"))

    def line(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return bisect.bisect_right(self._lines, offset)

    @functools.cached_property
    def functions(self) -> tuple[Function, ...]:
        return tuple(_functions(self))

    @functools.cached_property
    def _starts(self) -> list[int]:
        return [function.start for function in self.functions]

    def function_at(self, offset: int) -> Function | None:
        """The function whose body contains `offset`."""
        number = bisect.bisect_right(self._starts, offset) - 1
        if number < 0:
            return None
        function = self.functions[number]
        return function if offset < function.end else None

    def call_at(self, offset: int) -> Call | None:
        """The call whose name begins at `offset`; None if its parentheses do not match."""
        match = _CALLISH.match(self.code, offset)
        end = closing(self.code, match.end() - 1) if match else None
        if match is None or end is None:
            return None
        return Call(match[1], offset, end, tuple(_split(self.code, match.end(), end - 1)))

    def call_around(self, offset: int) -> Call | None:
        """The innermost call that has `offset` within its arguments."""
        depth = 0
        position = offset
        while position > 0 and self.code[position] not in ";{}":
            position -= 1
            if self.code[position] == ")":
                depth += 1
            elif self.code[position] == "(":
                depth -= 1
                if depth < 0:
                    name = re.search(r"([A-Za-z_]\w*)\s*\Z", self.code[max(0, position - 80) : position])
                    if name is not None and name[1] not in _KEYWORDS:
                        return self.call_at(max(0, position - 80) + name.start(1))
                    depth = 0
        return None

    def calls(self) -> Iterator[tuple[str, int]]:
        """(name, offset) of everything in a function that looks like a call."""
        for match in _CALLISH.finditer(self.code):
            if match[1] not in _KEYWORDS and self.function_at(match.start()) is not None:
                yield match[1], match.start()


def closing(code: str, opening: int) -> int | None:
    """The offset behind the parenthesis or brace that closes the one at `opening`."""
    pair = {"(": ")", "{": "}"}[code[opening]]
    depth = 0
    for match in re.compile(rf"[{re.escape(code[opening])}{re.escape(pair)}]").finditer(code, opening):
        depth += 1 if match[0] != pair else -1
        if depth == 0:
            return match.end()
    return None


def squeeze(text: str) -> str:
    """An expression without white space and outer parentheses, for comparison."""
    text = re.sub(r"\s+", "", text)
    while text.startswith("(") and closing(text, 0) == len(text):
        text = text[1:-1]
    return text


def _blank(text: str) -> str:
    def spaces(match: re.Match[str]) -> str:
        return _SPACE.sub(" ", match[0])

    def dead(match: re.Match[str]) -> str:
        start = match.start(1) - match.start()
        return match[0][:start] + _SPACE.sub(" ", match[1]) + match[0][start + len(match[1]) :]

    return _IDLE.sub(spaces, _DEAD.sub(dead, text))


def _functions(source: Source) -> Iterator[Function]:
    code = source.code
    last = 0
    for match in _BODY.finditer(code):
        opening = match.end() - 1
        if opening < last:
            continue
        closed = code.find("\n}", opening)
        begin = max((end.end() for end in _ENDS.finditer(code, last, match.start())), default=last)
        if closed < 0:
            return
        name = next((m for m in _CALLISH.finditer(code, begin, opening) if not _ATTRIBUTES.fullmatch(m[1])), None)
        last = closed + 2
        if name is None or name[1].isupper() or closing(code, opening) != last:
            continue  # a macro that makes a function, or braces that two branches of an #if share
        end = closing(code, name.end() - 1)
        if end is None:
            continue
        params = tuple(_parameter(text) for text, _ in _split(code, name.end(), end - 1))
        static = re.search(r"\bstatic\b", code[begin : name.start()]) is not None
        yield Function(source.name, name[1], static, params, opening, last)


def _parameter(text: str) -> str:
    pointer = re.search(r"\(\s*\*\s*(\w+)\s*\)", text)
    names = [pointer[1]] if pointer else re.findall(r"[A-Za-z_]\w*", text.partition("[")[0])
    return names[-1] if names else ""


def _split(code: str, start: int, end: int) -> Iterator[tuple[str, int]]:
    """The comma-separated parts of code[start:end]."""
    depth = 0
    begin = start
    for position in range(start, end):
        char = code[position]
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth == 0:
            yield code[begin:position].strip(), begin
            begin = position + 1
    if code[begin:end].strip():
        yield code[begin:end].strip(), begin
