"""One file as it stands in the editor, analysed as `gfpcheck FILE` would if it were saved, or together with the files
that the same Makefile builds."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gfpcheck import kbuild
from gfpcheck.changes import Side, shadow
from gfpcheck.driver.options import Options
from gfpcheck.driver.run import run
from gfpcheck.findings import Finding, Place, Step
from gfpcheck.lsp.jobs import Encoding, Hint, Job, Related, Seen, Spot
from gfpcheck.report.lines import one_line
from gfpcheck.report.source import Sources, contents
from gfpcheck.report.steps import standing, telling
from gfpcheck.workers import scratch

_MANY = 300
"""C files: where more are built together, nobody would wait for them while typing."""


def look(job: Job, options: Options) -> Seen:
    """The findings in the job's file, with the settings of `options`. Raises RunError and OSError."""
    path = Path(job.path)
    root = kbuild.project_folder(path)
    names = _neighbours(root, path) if job.wide else [str(path.relative_to(root))]
    if not names:
        return Seen(done=False)
    replaced = {
        str(Path(name).relative_to(root)): text
        for name, text in job.texts.items()
        if Path(name).is_relative_to(root) and contents(Path(name)) != text
    }
    if replaced:
        # In a tree of links, a link would lead back to where its neighbours are those on disk.
        replaced[str(path.relative_to(root))] = job.texts[job.path]
    with _tree(root, replaced, names) as copy:
        report = run(_moved(options, root, copy, names))
        pages = {rule.id: rule.help_uri for rule in report.rules}
        shown = _Shown(Path(report.root), copy, root, Sources(report.root), job.encoding)
        own = [finding for finding in report.findings if shown.file(finding.place) == job.path]
        looked_at = any(shown.file(Place(file, 1)) == job.path for file in report.files)
        return Seen([shown.hint(finding, pages.get(finding.rule, "")) for finding in own], done=looked_at)


def _neighbours(root: Path, path: Path) -> list[str]:
    """What is built together with the file, below `root`; nothing if that is too much."""
    names = kbuild.neighbours(root, [str(path.relative_to(root))])
    files = (file for name in names for file in ((root / name).rglob("*.c") if (root / name).is_dir() else [name]))
    return [] if any(number == _MANY for number, _ in enumerate(files)) else names


@contextlib.contextmanager
def _tree(root: Path, replaced: Mapping[str, bytes], names: Sequence[str]) -> Iterator[Path]:
    """`root`, or a copy of it that differs in some files, for as long as the block runs. `names` are the files and
    folders that will be analysed."""
    if not replaced:
        yield root
        return
    with scratch() as folder:
        side = Side(root, "the editor", replaced)
        # A file's own folder is one in any case; all that lies below may be a whole project.
        yield shadow(side, folder.resolve(), [name for name in names if (root / name).is_dir()])


def _moved(options: Options, root: Path, copy: Path, names: Sequence[str]) -> Options:
    """The options for a look at `names` in the copy of the tree at `root`."""
    options = replace(options, paths=tuple(copy / name for name in names))
    if copy == root:
        return options
    options = replace(options, policy=options.policy.moved(str(root), str(copy)))
    named = options.compile_commands or options.build_dir
    database = _database(named) or _database(root)
    if database is None:
        return options
    # It speaks of the tree by absolute paths.
    moved = copy / kbuild.DATABASE
    moved.write_bytes(re.sub(re.escape(bytes(root)) + rb'(?=[/"\s\\])', lambda _: bytes(copy), database.read_bytes()))
    return options if database.parent == root else replace(options, compile_commands=moved)


def _database(place: Path | None) -> Path | None:
    """The compile commands that are there, or in the folder."""
    if place is None:
        return None
    path = (place / kbuild.DATABASE if place.is_dir() else place).resolve()
    return path if path.is_file() else None


class _Shown:
    """Turns findings of a report on `copy` into what is shown of the tree at `root`."""

    def __init__(self, top: Path, copy: Path, root: Path, sources: Sources, encoding: Encoding) -> None:
        self._top = top
        self._copy = copy
        self._root = root
        self._sources = sources
        self._encoding = encoding

    def file(self, place: Place) -> str:
        """The absolute path of the file, in the tree itself."""
        path = self._top / place.file
        return str(self._root / path.relative_to(self._copy) if path.is_relative_to(self._copy) else path)

    def hint(self, finding: Finding, page: str) -> Hint:
        related = [self._related(step, "") for step in telling(finding)]
        related += [self._related(step, "on the other side: ") for step in finding.other]
        return Hint(
            finding.rule,
            finding.level,
            one_line(finding.message + standing(finding)),
            self._spot(finding.place),
            related,
            finding.fingerprint,
            page,
        )

    def _related(self, step: Step, prefix: str) -> Related:
        return Related(self.file(step.place), self._spot(step.place), one_line(prefix + step.text))

    def _spot(self, place: Place) -> Spot:
        """The word at the place."""
        line = (self._sources.line(place.file, place.line) or b"").decode("utf-8", "replace")
        span = self._sources.span(place)
        start, end = (self._units(line[: column - 1]) for column in span)
        return Spot(max(0, place.line - 1), start, end)

    def _units(self, text: str) -> int:
        if self._encoding == "utf-16":
            return len(text.encode("utf-16-le")) // 2
        return len(text.encode()) if self._encoding == "utf-8" else len(text)
