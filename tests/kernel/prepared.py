"""A build directory like the one that `make prepare` leaves, made of the headers that gfpcheck generates itself.

Preparing a kernel for real takes a compiler and minutes; what matters here is that gfpcheck takes everything from
the folder that it is given.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from gfpcheck.kbuild import make_plan
from gfpcheck.kbuild.detect import read_autoconf

_GENERATED = "arch/x86/include/generated"


def generated_headers(path: Path, cache: Path) -> Path:
    """The folder of generated headers with which a file of an unconfigured tree is parsed."""
    (unit,) = make_plan([path], cache_dir=cache).units
    folders = [Path(word[2:]) for word in unit.args if word.startswith(f"-I{cache}/")]
    (generated,) = [folder for folder in folders if str(folder).endswith(_GENERATED)]
    return generated.parents[_GENERATED.count("/")]


def prepared_build(path: Path, build: Path, cache: Path) -> Path:
    """Makes the folder `build`, for the kernel and the options that `path` asks for."""
    shutil.copytree(generated_headers(path, cache), build)
    options = read_autoconf(build / "include/generated/autoconf.h")
    (build / ".config").write_text("".join(f"CONFIG_{name}={value}\n" for name, value in options.items()))
    return build
