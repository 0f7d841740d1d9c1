"""`python -m mutation TREE`: measures recall on a kernel tree."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from . import table
from .claims import SUBSYSTEMS
from .measure import Measurement
from .sample import draw


def main() -> None:
    parser = argparse.ArgumentParser(prog="mutation", description=__doc__)
    parser.add_argument("tree", type=Path, help="a pristine kernel tree; nothing is written into it")
    parser.add_argument("--seed", default="1", help="draws the sample; change it for every report")
    parser.add_argument("--sample", type=int, default=60, help="mutants to make (default: 60)")
    parser.add_argument("--json", type=Path, help="where to write the result as JSON, kept up to date while it runs")
    parser.add_argument("--oracle-only", action="store_true", help="list the claims with their evidence, for checking")
    options = parser.parse_args()
    if not any((options.tree / subsystem).is_dir() for subsystem in SUBSYSTEMS):
        parser.error(f"{options.tree} is no kernel tree")
    if options.json is not None:
        options.json.parent.mkdir(parents=True, exist_ok=True)
    drawn = draw(options.tree, options.seed, options.sample)
    if options.oracle_only:
        for claim in drawn.claims:
            print(f"{claim.place}: {claim.hazard}, depth {claim.depth}", *claim.why, sep="\n    ")
        return
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="mutation-") as work:
        for verdict in Measurement(options.tree, Path(work)).verdicts(drawn.claims, _tell):
            verdicts.append(verdict)
            if options.json is not None:
                options.json.write_text(table.as_json(verdicts, drawn.unsure, options.seed, options.tree.name))
    mutants = "1 mutant" if len(verdicts) == 1 else f"{len(verdicts)} mutants"
    title = f"{mutants} of {options.tree.name}, seed {options.seed}"
    print(table.text(verdicts, drawn.unsure, title), end="")


def _tell(done: int, total: int, where: str) -> None:
    print(f"{done}/{total} {where}", file=sys.stderr)


if __name__ == "__main__":
    main()
