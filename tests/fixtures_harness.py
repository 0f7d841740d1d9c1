"""What the fixtures expect, read from the marks in their C, and how that compares with what was found.

fixtures/README.md describes the marks. A mark is a comment of its own at the end of a line:
`/* GFP101 */` (must be reported here), `/* not GFP101: why */` (must not), `/* missed GFP101: why */`
(should be, is not yet).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from gfpcheck.driver.options import Options
from gfpcheck.driver.run import run
from gfpcheck.findings import Report

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TREE = FIXTURES / "linux"
RULES = TREE / "rules"
HOSTILE = FIXTURES / "hostile"

Kind = Literal["must", "not", "missed"]

Found = tuple[str, int, str]
"""(file relative to the tree's root, line, rule ID)"""

_TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'""", re.DOTALL)
_RULE_ID = re.compile(r"GFP\d{3}")
_MUST = re.compile(r"GFP\d{3}(?: GFP\d{3})*")
_OTHER = re.compile(r"(not|missed) (GFP\d{3}): \S.*")


class Mark(NamedTuple):
    """One expectation. `why` is empty for "must"."""

    file: str
    line: int
    kind: Kind
    rule: str
    why: str


class MarkError(ValueError):
    """A comment that names a rule and is no mark, or marks that contradict each other."""


def parse_marks(text: str, file: str) -> list[Mark]:
    """The marks in one C file, in order.

    Raises MarkError for a comment that names a rule but does not follow the language of marks: a typing
    error there would silently expect nothing.
    """
    marks: list[Mark] = []
    for token in _TOKEN.finditer(text):
        comment = token.group()
        if not comment.startswith(("/*", "//")) or not _RULE_ID.search(comment):
            continue
        line = text.count("\n", 0, token.start()) + 1
        if not comment.startswith("/*"):
            raise MarkError(f"{file}:{line}: a mark is a /* */ comment: {comment}")
        _must_end_the_line(text, token.end(), file, line)
        marks += _parse_comment(comment[2:-2].strip(), file, line)
    _must_agree(marks)
    return marks


def _parse_comment(body: str, file: str, line: int) -> list[Mark]:
    if _MUST.fullmatch(body):
        return [Mark(file, line, "must", rule, "") for rule in body.split()]
    other = _OTHER.fullmatch(body)
    if other is None:
        raise MarkError(f"{file}:{line}: this names a rule and is no mark: {body}")
    kind: Kind = "not" if other[1] == "not" else "missed"
    return [Mark(file, line, kind, other[2], body.partition(": ")[2])]


def _must_end_the_line(text: str, end: int, file: str, line: int) -> None:
    rest = text[end : text.find("\n", end)] if "\n" in text[end:] else text[end:]
    if _TOKEN.sub("", rest).strip():
        raise MarkError(f"{file}:{line}: code after a mark: {rest.strip()}")


def _must_agree(marks: list[Mark]) -> None:
    kinds: dict[Found, Kind] = {}
    for mark in marks:
        place = (mark.file, mark.line, mark.rule)
        if kinds.setdefault(place, mark.kind) != mark.kind:
            raise MarkError(f"{mark.file}:{mark.line}: {mark.rule} is marked both ways")


def c_files(folder: Path) -> list[Path]:
    """The C files and headers below a folder, sorted."""
    return sorted(path for path in folder.rglob("*.[ch]") if path.is_file())


def c_text(path: Path) -> str:
    """A file's text, whatever its bytes, with its line ends as they are."""
    return path.read_bytes().decode("utf-8", "surrogateescape")


def read_marks(folder: Path, root: Path = TREE) -> list[Mark]:
    """The marks of all C files below `folder`, their paths relative to `root`."""
    return [mark for path in c_files(folder) for mark in parse_marks(c_text(path), str(path.relative_to(root)))]


def function_starts(text: str) -> Iterator[tuple[int, int]]:
    """(first, last) line of each function's body: in kernel style its braces alone stand in column one."""
    start = 0
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            yield start, number
            start = 0


def functions_with(marks: Iterable[Mark], kind: Kind, rule: str, root: Path = TREE) -> set[tuple[str, int]]:
    """The functions, as (file, line of the opening brace), that hold such a mark."""
    bodies: dict[str, list[tuple[int, int]]] = {}
    result = set()
    for mark in marks:
        if mark.kind != kind or mark.rule != rule:
            continue
        if mark.file not in bodies:
            bodies[mark.file] = list(function_starts(c_text(root / mark.file)))
        result |= {(mark.file, first) for first, last in bodies[mark.file] if first < mark.line < last}
    return result


def compare(marks: Iterable[Mark], found: Iterable[Found], root: Path = TREE) -> list[str]:
    """One sentence for each way in which the findings are not what the marks say; empty if all is well."""
    by_place: dict[Found, Mark] = {}
    wanted: Counter[Found] = Counter()
    for mark in marks:
        place = (mark.file, mark.line, mark.rule)
        by_place[place] = mark
        wanted[place] += mark.kind == "must"
    came = Counter(found)
    complaints = []
    for place in sorted(set(wanted) | set(came)):
        complaint = _complaint(by_place.get(place), wanted[place], came[place])
        if complaint:
            file, line, rule = place
            others = sorted(r for f, n, r in came if (f, n) == (file, line) and r != rule)
            also = f" (reported there: {', '.join(others)})" if others else ""
            complaints.append(f"{file}:{line}: {rule} {complaint}{also}\n    {_source(root, file, line)}")
    return complaints


def _complaint(mark: Mark | None, wanted: int, came: int) -> str:
    if mark is None:
        return "is reported where no mark expects it"
    if mark.kind == "not":
        return f"is reported, but must not be: {mark.why}" if came else ""
    if mark.kind == "missed":
        return f"was a known miss ({mark.why}) and is reported now: make it a mark that expects it" if came else ""
    if came < wanted:
        return "is expected and not reported" if not came else f"is expected {wanted} times, reported {came} times"
    return f"is expected once, reported {came} times" if came > wanted else ""


def _source(root: Path, file: str, line: int) -> str:
    try:
        return c_text(root / file).splitlines()[line - 1].strip()
    except (OSError, IndexError):
        return "(no such line)"


def found_in(report: Report) -> list[Found]:
    return [(finding.place.file, finding.place.line, finding.rule) for finding in report.findings]


def analyse(paths: Iterable[Path]) -> list[Found]:
    """What gfpcheck finds in these paths of the miniature tree, analysed as one unit.

    A fixture that could not be read proves nothing, so any loss is an error.
    """
    report = run(Options(paths=tuple(paths), jobs=1))
    assert not report.losses, "\n".join(f"{loss.phase}: {loss.what}: {loss.why}" for loss in report.losses)
    return found_in(report)
