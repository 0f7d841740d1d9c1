"""The fixtures of this project: where they are, what they expect, and what gfpcheck finds in them.

fixtures/README.md describes the marks; gfpcheck/authoring reads and compares them, as `gfpcheck rules test` does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from gfpcheck.authoring.compare import Found, found_in
from gfpcheck.authoring.compare import compare as compare_below
from gfpcheck.authoring.marks import Kind, Mark, MarkReader, c_text
from gfpcheck.driver.options import Options
from gfpcheck.driver.rules import all_rules
from gfpcheck.driver.run import run

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
TREE = FIXTURES / "linux"
RULES = TREE / "rules"
HOSTILE = FIXTURES / "hostile"

DEFAULTS = tuple(rule.id for rule in all_rules() if rule.default)
"""The rules that are on by default. The fixtures of one that is not have no say about those of others."""

READER = MarkReader([rule.id for rule in all_rules()])


def parse_marks(text: str, file: str) -> list[Mark]:
    """The marks in one C file, in order. Raises MarkError."""
    return READER.text(text, file)


def read_marks(folder: Path, root: Path = TREE) -> list[Mark]:
    """The marks of all C files below `folder`, their paths relative to `root`."""
    return READER.folder(folder, root)


def compare(marks: Iterable[Mark], found: Iterable[Found], root: Path = TREE) -> list[str]:
    """One sentence for each way in which the findings are not what the marks say; empty if all is well."""
    return compare_below(marks, found, root)


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


def analyse(paths: Iterable[Path], more: Sequence[str] = ()) -> list[Found]:
    """What gfpcheck finds in these paths of the miniature tree, analysed as one unit: by the rules that are on by
    default, and by those of `more`.

    A fixture that could not be read proves nothing, so any loss is an error.
    """
    report = run(Options(paths=tuple(paths), select=(*DEFAULTS, *more), jobs=1))
    assert not report.losses, "\n".join(f"{loss.phase}: {loss.what}: {loss.why}" for loss in report.losses)
    return found_in(report)
