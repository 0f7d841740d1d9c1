"""What gfpcheck makes of a path, as text for `gfpcheck doctor`."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from gfpcheck.kbuild.detect import DATABASE
from gfpcheck.kbuild.files import resolve, show
from gfpcheck.kbuild.plan import make_plan
from gfpcheck.kbuild.tree import build_source, find_tree, read_tree
from gfpcheck.kbuild.types import Plan, PlanError

_SHOWN = 4
SOLVE = "solve the problem above and run gfpcheck doctor again"
_HINTS = {
    "unconfigured tree": "; to analyse with a configuration of your own, `make defconfig prepare` or name --build-dir",
    "configured tree": "; after `make prepare`, gfpcheck uses the tree's own generated headers",
    "plain C": "; describe its locks and allocators with --model, or if it is kernel code, name the kernel with --tree",
}


def survey(
    path: Path,
    *,
    arch: str | None = None,
    build_dir: Path | None = None,
    compile_commands: Path | None = None,
    tree: Path | None = None,
    cache_dir: Path,
    words: Sequence[str] = (),
) -> tuple[list[tuple[str, str]], Plan | None]:
    """(label, value) rows in printing order, the last of them "next", and the plan. A plan that cannot be made is
    None and a row, "problem", not an error; PlanError only for a path that does not exist or is no C. `words` are the
    options of the command line, which the next one needs, too."""
    asked = resolve([path])
    rows = [("path", show(asked[0].path))]
    found = find_tree(asked[0].path)
    if found is None and (tree or build_dir):
        found = build_source(tree or build_dir or path)
    if found is not None:
        # A folder of headers may be named as the tree that they were made from.
        base = build_dir or (tree if tree and read_tree(tree) is None else found.root)
        rows += [
            ("tree", show(found.root)),
            ("version", found.release),
            (".config", _there(base / ".config")),
            ("include/generated", _there(base / "include/generated/autoconf.h")),
            (DATABASE, _there(compile_commands or base / DATABASE)),
        ]
    else:
        rows.append(("tree", "none: not in a kernel source tree"))
    rows.append(("cache", show(cache_dir)))
    try:
        plan = make_plan(
            [path],
            arch=arch,
            build_dir=build_dir,
            compile_commands=compile_commands,
            tree=tree,
            cache_dir=cache_dir,
        )
    except PlanError as error:
        return [*rows, ("problem", str(error)), ("next", SOLVE)], None
    return rows + _rows(plan, path, words), plan


def _rows(plan: Plan, path: Path, words: Sequence[str]) -> list[tuple[str, str]]:
    rows = [("architecture", plan.arch)] if plan.arch else []
    rows += [("flags from", plan.setup), ("C files to analyse", f"{len(plan.units):,}")]
    left_out = [reason for path, reason in plan.skipped if path not in plan.lost]
    common = sorted(Counter(left_out).items(), key=lambda pair: (-pair[1], pair[0]))
    shown = ", ".join(f"{count} {reason}" for reason, count in common[:_SHOWN])
    more = ", ..." if len(common) > _SHOWN else ""
    rows.append(("C files left out", f"{len(left_out):,} ({shown}{more})" if left_out else "0"))
    if plan.lost:
        rows.append(("C files that cannot be analysed", f"{len(plan.lost)} ({_first(plan)})"))
    command = shlex.join(["gfpcheck", show(path), *words])
    hint = "" if "--model" in words else _HINTS.get(plan.source, "")
    return [*rows, ("next", f"run {command}{hint}")]


def _first(plan: Plan) -> str:
    reasons = dict(plan.skipped)
    shown = "; ".join(f"{path}: {reasons[path]}" for path in plan.lost[:_SHOWN])
    return shown + ("; ..." if len(plan.lost) > _SHOWN else "")


def _there(path: Path) -> str:
    return f"yes ({show(path)})" if path.is_file() else "no"
