"""`python -m bench TREE DIRECTORY...`: the first directory cold, unchanged and touched, then each larger one cold."""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from bench.farm import farm, touch
from bench.measure import Cost, measure


def main(tree: Path, directories: list[str]) -> None:
    """Prints one line a measurement: seconds, ratio to the first, peak memory."""
    with tempfile.TemporaryDirectory(prefix="gfpcheck-bench-") as scratch:
        at = Path(scratch)
        first = directories[0]
        copy = farm(tree, first, at / "tree")
        cold = _gfpcheck(at / "tree", first, at, "cache")
        _line(f"{first} cold", cold, cold)
        _line(f"{first} unchanged", _gfpcheck(at / "tree", first, at, "cache"), cold)
        touch(copy)
        _line(f"{first} one file touched", _gfpcheck(at / "tree", first, at, "cache"), cold)
        for number, directory in enumerate(directories[1:]):
            _line(f"{directory} cold", _gfpcheck(tree, directory, at, f"cache{number}"), cold)
        _peers(tree, first, cold)


def _gfpcheck(tree: Path, directory: str, at: Path, cache: str) -> tuple[Cost, int]:
    out = at / "report.json"
    out.unlink(missing_ok=True)
    command = [sys.executable, "-m", "gfpcheck", directory, "-j2", "-q", "--exit-zero", "--format=json", f"-o{out}"]
    cost = measure(command, tree, {**os.environ, "GFPCHECK_CACHE": str(at / cache)})
    counts = json.loads(out.read_text())["counts"] if out.exists() else {}
    return cost, int(counts.get("functions", 0))


def _peers(tree: Path, directory: str, cold: tuple[Cost, int]) -> None:
    sparse = "not measured: it needs a configured tree" if shutil.which("sparse") else "missing"
    print(f"sparse: {sparse}")
    spatch = shutil.which("spatch")
    if spatch is None:
        print("Coccinelle (spatch): missing")
        return
    script = "scripts/coccinelle/locks/call_kern.cocci"
    command = [spatch, "--very-quiet", "-D", "report", "--sp-file", script, "--dir", directory, "-j2"]
    _line(f"{directory} Coccinelle, call_kern", (measure(command, tree, os.environ), 0), cold)


def _line(what: str, spent: tuple[Cost, int], first: tuple[Cost, int]) -> None:
    cost, functions = spent
    pace = f"  {functions / cost.seconds:6.0f} functions/s" if functions else ""
    failed = f"  failed with {cost.code}" if cost.code else ""
    ratio = cost.seconds / first[0].seconds
    print(f"{what:34} {cost.seconds:7.1f} s  x{ratio:6.2f}  {cost.mib:6} MiB{pace}{failed}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("tree", type=Path, help="a kernel tree; nothing is written into it")
    parser.add_argument("directories", nargs="+", metavar="directory", help="below the tree: fs/xfs, say")
    options = parser.parse_args()
    for directory in options.directories:
        if not (options.tree / directory).is_dir():
            parser.error(f"{options.tree / directory}: no such directory")
    main(options.tree.resolve(), options.directories)
