"""The same files through every way of finding out how they are compiled, and for another architecture."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from .kernel_run import VERSIONS, Gfpcheck
from .prepared import generated_headers, prepared_build

pytestmark = pytest.mark.kernel

FILES = ("fs/xfs/xfs_attr_item.c", "fs/xfs/xfs_log_cil.c", "fs/xfs/xfs_mount.c")


def report(gfpcheck: Gfpcheck, root: Path, *options: str | Path) -> Any:
    """The JSON report of a run over FILES that loses nothing."""
    run = gfpcheck(*options, "-j2", "--strict", "--format", "json", *(root / name for name in FILES))
    assert run.code == 1, run.err
    data = json.loads(run.out)
    assert data["losses"] == []
    assert data["counts"]["files"] == len(FILES)
    return data


def functions(data: Any) -> set[tuple[str, str]]:
    return {(each["rule"], each["function"]) for each in data["findings"]}


PlainOf = Callable[[str], Any]


@pytest.fixture(scope="module")
def plain_of(trees: Mapping[str, Path], gfpcheck: Gfpcheck) -> PlainOf:
    """The report of a kernel version without any help: what the other ways must come to."""

    @functools.cache
    def plain(version: str) -> Any:
        data = report(gfpcheck, trees[version])
        assert "unconfigured tree" in data["setup"]
        assert ("GFP301", "xfs_uuid_mount") in functions(data)
        return data

    return plain


@pytest.mark.parametrize("version", VERSIONS)
def test_arm64(trees: Mapping[str, Path], gfpcheck: Gfpcheck, version: str) -> None:
    data = report(gfpcheck, trees[version], "--arch", "arm64")
    assert data["arch"] == "arm64"
    assert ("GFP301", "xfs_uuid_mount") in functions(data)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_build_directory(
    trees: Mapping[str, Path], gfpcheck: Gfpcheck, plain_of: PlainOf, tmp_path: Path, version: str
) -> None:
    root = trees[version]
    build = prepared_build(root / FILES[0], tmp_path / "build", gfpcheck.cache)
    plain, built = plain_of(version), report(gfpcheck, root, "--build-dir", build)
    assert f"prepared tree: headers of {build}" in built["setup"]
    assert built["findings"] == plain["findings"]
    assert built["counts"] == plain["counts"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_compilation_database(trees: Mapping[str, Path], gfpcheck: Gfpcheck, tmp_path: Path, version: str) -> None:
    root = trees[version]
    headers = generated_headers(root / FILES[0], gfpcheck.cache)
    database = tmp_path / "compile_commands.json"
    entries = [{"directory": str(root), "file": name, "command": command(name, headers, root)} for name in FILES]
    database.write_text(json.dumps(entries))
    # What the database does not list cannot be followed.
    plain = report(gfpcheck, root, "--follow", "0")
    listed = report(gfpcheck, root, "--follow", "0", "--compile-commands", database)
    assert f"compile_commands.json: flags from {database}" in listed["setup"]
    assert listed["findings"] == plain["findings"]
    assert listed["counts"] == plain["counts"]


def command(name: str, headers: Path, root: Path) -> str:
    """What Kbuild calls gcc with, for O=: with options that only gcc knows, and that gfpcheck must leave out."""
    standard = "-std=gnu11 -fms-extensions -funsigned-char" if "6.12" in root.name else "-std=gnu11"
    stem = name.removesuffix(".c")
    return (
        f"gcc -Wp,-MMD,{stem}.o.d -nostdinc -I./arch/x86/include -I{headers}/arch/x86/include/generated -I./include "
        f"-I{headers}/include -I./arch/x86/include/uapi -I{headers}/arch/x86/include/generated/uapi -I./include/uapi "
        f"-I{headers}/include/generated/uapi -include ./include/linux/compiler-version.h "
        "-include ./include/linux/kconfig.h -include ./include/linux/compiler_types.h -D__KERNEL__ "
        f"-fmacro-prefix-map=./= {standard} -fshort-wchar -Wall -Wno-trigraphs -mno-sse -m64 -mno-80387 "
        "-mpreferred-stack-boundary=3 -mskip-rax-setup -mcmodel=kernel -mindirect-branch=thunk-extern -mrecord-mcount "
        "-fno-allow-store-data-races -fconserve-stack -falign-functions=16 -O2 -I./fs/xfs -I./fs/xfs/libxfs -DMODULE "
        f"-DKBUILD_MODFILE='\"fs/xfs/xfs\"' -DKBUILD_BASENAME='\"{Path(stem).name}\"' -DKBUILD_MODNAME='\"xfs\"' "
        f"-D__KBUILD_MODNAME=kmod_xfs -c -o {stem}.o {name}"
    )
