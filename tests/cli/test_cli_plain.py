"""C outside any kernel, with the user's own model file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fixtures_harness import compare, read_marks

from gfpcheck.authoring.compare import Found

from .cli_run import PLAIN, Cli

ANNOUNCED = "gfpcheck: plain C: not in a kernel tree, no compile_commands.json\n"


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """The example: own flags, own locks, own allocators."""
    return Path(shutil.copytree(PLAIN, tmp_path / "plain"))


def test_the_example(cli: Cli, plain: Path) -> None:
    run = cli(plain, "--model", plain / "model.toml", "--format", "json")
    assert run.code == 1
    assert run.err.startswith(ANNOUNCED)
    report = json.loads(run.out)
    found = [Found(finding["file"], finding["line"], finding["rule"]) for finding in report["findings"]]
    assert compare(read_marks(plain, plain), found, plain) == []
    assert report["losses"] == []


def test_without_the_model_nothing_is_known(cli: Cli, plain: Path) -> None:
    assert cli(plain).code == 0


def test_flags_that_have_no_value(cli: Cli, plain: Path) -> None:
    header = plain / "memory.h"
    header.write_text(header.read_text().replace("__GFP_NOFAIL = 1 << 7,", ""))
    run = cli(plain, "--model", plain / "model.toml")
    assert (run.code, run.out) == (2, "")
    sentence = "the value of __GFP_NOFAIL cannot be found through the files given"
    assert run.err == f"{ANNOUNCED}gfpcheck: {sentence}; nothing would be found, so gfpcheck stops here\n"


def test_the_flags_may_be_in_any_file(cli: Cli, plain: Path) -> None:
    for number in range(12):
        (plain / f"a{number}.c").write_text("int f(void)\n{\n\treturn 0;\n}\n")
    assert cli(plain, "--model", plain / "model.toml", "-q").code == 1


def test_no_flags_at_all(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "x.c").write_text("int f(void)\n{\n\treturn 0;\n}\n")
    run = cli("x.c")
    assert (run.code, run.out) == (2, "")
    names = "GFP_KERNEL, __GFP_NOFAIL, __GFP_FS, __GFP_DIRECT_RECLAIM"
    assert f"gfpcheck: the value of {names} cannot be found through the files given" in run.err


def test_a_kernel_whose_flags_changed(cli: Cli, tree: Path) -> None:
    header = tree / "include/linux/gfp_types.h"
    header.write_text(header.read_text().replace("#define __GFP_NOFAIL", "#define __GFP_NEVER_FAIL"))
    run = cli(tree / "fs/minifs")
    assert (run.code, run.out) == (2, "")
    assert f"the value of __GFP_NOFAIL cannot be found through the headers of {tree}; " in run.err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[lock]\n", "lock: unknown table"),
        ("[locks\n", "not valid TOML: "),
        ('[locks]\nmy_lock = { does = "acquire" }\n', "2: my_lock: "),
        ('[locks]\nmy_lock = { does = "steal", kind = "spin" }\n', "2: my_lock: "),
        ('[locks]\n"my lock" = { does = "acquire", kind = "spin" }\n', "2: my lock: "),
        ('[allocators]\nmine = { flags = "GFP KERNEL" }\n', "2: mine: "),
    ],
)
def test_a_model_file_that_is_wrong(cli: Cli, plain: Path, text: str, why: str) -> None:
    model = plain / "model.toml"
    model.write_text(text)
    run = cli(plain, "--model", model)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"gfpcheck: {model}:{why}" if why[0].isdigit() else f"gfpcheck: {model}")
    assert why.partition(": ")[2] in run.err
    assert run.err.count("\n") == 1


def test_a_model_file_that_is_none(cli: Cli, plain: Path) -> None:
    run = cli(plain, "--model", "none.toml")
    assert (run.code, run.out) == (2, "")
    assert run.err == "gfpcheck: none.toml: cannot read the model file: No such file or directory\n"
    (plain / "model.toml").write_bytes(b"\xff\xfe")
    assert cli(plain, "--model", plain / "model.toml").err.endswith("not UTF-8 text (byte 0)\n")
