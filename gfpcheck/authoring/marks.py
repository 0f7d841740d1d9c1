"""Expectations, read from marks in the C of fixtures.

A mark is a comment of its own at the end of the line where a finding must be, or must not be:

    /* GFP101 */                    must be reported here, once
    /* GFP101 MY001 */              both must
    /* not GFP101: why */           must not be, though it looks like it
    /* missed GFP101: why */        should be and is not, as is known
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["must", "not", "missed"]

_TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_SUPPRESSION = re.compile(r"/[*/][\s*]*gfpcheck:")
_ID = r"[A-Z][A-Z0-9_-]*[0-9]"
_MUST = re.compile(rf"{_ID}(?: {_ID})*")
_OTHER = re.compile(rf"(not|missed) ({_ID}): \S.*")


class Mark(NamedTuple):
    """One expectation. `why` is empty for "must"."""

    file: str
    line: int
    kind: Kind
    rule: str
    why: str


class MarkError(ValueError):
    """A comment that names a rule and is no mark, a mark for no rule, or marks that contradict each other."""


class MarkReader:
    """Reads marks for the rules with these ids.

    A comment with a word like one of the ids, the same letters and a number, must be a mark: a typing error
    there would silently expect nothing. Suppressions (`gfpcheck: ignore[...]`) are no marks.
    """

    def __init__(self, rules: Collection[str]) -> None:
        self._rules = frozenset(rules)
        stems = sorted({re.escape(rule.rstrip("0123456789")) for rule in rules})
        self._like_a_rule = re.compile(rf"(?<![\w-])(?:{'|'.join(stems)})[0-9]+(?![\w-])") if stems else None

    def folder(self, folder: Path, root: Path) -> list[Mark]:
        """The marks of all C files below `folder`, their paths relative to `root`. Raises MarkError, OSError."""
        return [mark for path in c_files(folder) for mark in self.text(c_text(path), str(path.relative_to(root)))]

    def text(self, text: str, file: str) -> list[Mark]:
        """The marks in one C file, in order. Raises MarkError."""
        marks: list[Mark] = []
        for token in _TOKEN.finditer(text) if self._like_a_rule else ():
            comment = token.group()
            if not comment.startswith(("/*", "//")) or _SUPPRESSION.match(comment) or not self._names_a_rule(comment):
                continue
            place = f"{file}:{text.count(chr(10), 0, token.start()) + 1}"
            if not comment.startswith("/*"):
                raise MarkError(f"{place}: a mark is a /* */ comment: {comment}")
            _must_end_the_line(text, token.end(), place)
            marks += self._comment(comment[2:-2].strip(), file, place)
        _must_agree(marks)
        return marks

    def _names_a_rule(self, comment: str) -> bool:
        return self._like_a_rule is not None and self._like_a_rule.search(comment) is not None

    def _comment(self, body: str, file: str, place: str) -> list[Mark]:
        line = int(place.rpartition(":")[2])
        other = _OTHER.fullmatch(body)
        if _MUST.fullmatch(body):
            marks = [Mark(file, line, "must", rule, "") for rule in body.split()]
        elif other is not None:
            kind: Kind = "not" if other[1] == "not" else "missed"
            marks = [Mark(file, line, kind, other[2], body.partition(": ")[2])]
        else:
            raise MarkError(f"{place}: this names a rule and is no mark: {body}")
        for mark in marks:
            if mark.rule not in self._rules:
                raise MarkError(f"{place}: there is no rule {mark.rule}")
        return marks


def _must_end_the_line(text: str, end: int, place: str) -> None:
    rest = text[end : text.find("\n", end)] if "\n" in text[end:] else text[end:]
    if _TOKEN.sub("", rest).strip():
        raise MarkError(f"{place}: code after a mark: {rest.strip()}")


def _must_agree(marks: Iterable[Mark]) -> None:
    kinds: dict[tuple[int, str], Kind] = {}
    for mark in marks:
        if kinds.setdefault((mark.line, mark.rule), mark.kind) != mark.kind:
            raise MarkError(f"{mark.file}:{mark.line}: {mark.rule} is marked both ways")


def c_files(folder: Path) -> list[Path]:
    """The C files and headers below a folder, sorted."""
    return sorted(path for path in folder.rglob("*.[ch]") if path.is_file())


def c_text(path: Path) -> str:
    """A file's text, whatever its bytes, with its line ends as they are."""
    return path.read_bytes().decode("utf-8", "surrogateescape")
