"""A tree of links to a kernel in which one directory is a copy that may be edited."""

import shutil
from pathlib import Path


def farm(tree: Path, directory: str, at: Path) -> Path:
    """Makes `at` look like `tree`; `directory` (relative) is copied, all else is linked. Gives the copy's folder."""
    here, there = at, tree
    for part in Path(directory).parts:
        here.mkdir(parents=True)
        for each in there.iterdir():
            if each.name != part:
                (here / each.name).symlink_to(each)
        here, there = here / part, there / part
    shutil.copytree(there, here)
    return here


def touch(directory: Path) -> Path:
    """Adds a function to the first C file of `directory` (by name), and gives the file."""
    file = min(directory.glob("*.c"))
    file.write_bytes(file.read_bytes() + b"\nint gfpcheck_bench_touched(int x)\n{\n\treturn x + 1;\n}\n")
    return file
