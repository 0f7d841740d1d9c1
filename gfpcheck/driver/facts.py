"""What the analysis knows of a file or function, for `gfpcheck facts`."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path

from gfpcheck.analysis.lines import held_by_line
from gfpcheck.driver.analyse import Knowledge, find_out
from gfpcheck.driver.collector import no_collector
from gfpcheck.driver.options import Options, Progress, RunError
from gfpcheck.driver.run import read
from gfpcheck.report.facts import Facts, FunctionFacts


def facts(file: Path, function: str, options: Options, progress: Progress | None = None) -> Facts:
    """What is known of `function` of `file`, or of all its functions when that is empty.

    `options.paths` are analysed together with the file. Raises RunError when it cannot be done, or there is no
    such function.
    """
    if file.is_dir():
        raise RunError(f"{file}: a folder; name one file, or a function of it (FILE:FUNCTION)")
    if not (file.suffix == ".h" and options.paths):  # a header is read by the files that include it
        options = replace(options, paths=(*options.paths, file))
    source = read(options, progress)
    with no_collector():
        known = find_out(source, options.processes, progress)
    name = os.path.relpath(file.resolve(), source.plan.root)
    here = {func.name: key for key, func in known.program.functions.items() if func.file == name}
    if function and function not in here:
        close = difflib.get_close_matches(function, here, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise RunError(f"{file}: there is no function {function!r} in it that has a body{hint}")
    chosen = [here[function]] if function else here.values()
    found = sorted((_function(known, key) for key in chosen), key=lambda each: each.function.place)
    return Facts(source.plan.root, source.plan.setup, tuple(found))


def _function(known: Knowledge, key: str) -> FunctionFacts:
    seen = known.engine.facts[key]
    func = known.program.functions[key]
    by_line = held_by_line(known.engine, key)
    lines = {func.line + line: known.views.held(key, states) for line, states in by_line.items()}
    return FunctionFacts(known.views.function(key, seen), func.line + func.end_line, lines, seen.given_up)
