"""Real compile commands and what is left of them."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfpcheck.kbuild.commands import Command, Database, command_arch, read_cmd, split_command
from gfpcheck.kbuild.flags import IDENTITY, parse_arguments, with_annotations
from gfpcheck.kbuild.types import PlanError


@given(st.lists(st.text(min_size=1, max_size=12).filter(lambda word: "\0" not in word), max_size=8))
def test_quoted_words_come_back(words: list[str]) -> None:
    assert split_command(shlex.join(words)) == words


@pytest.mark.parametrize("end", ["; ./tools/objtool --hacks x.o", "&& true", "| cat"])
def test_what_follows_the_command_is_left_out(end: str) -> None:
    assert split_command(f"gcc -c x.c {end}") == ["gcc", "-c", "x.c"]


def test_double_quotes_and_backslashes() -> None:
    assert split_command(r"""gcc -DA='"x"' -DB=\"y\" "-DC=\"z w\"" """) == ["gcc", '-DA="x"', '-DB="y"', '-DC="z w"']


def test_only_what_decides_reading_is_kept() -> None:
    words = split_command(
        "gcc -Wp,-MMD,a/.x.o.d -nostdinc -I./include -I ../up -include ./include/linux/kconfig.h -isystem /gcc "
        "-D__KERNEL__ -DX=1 -U Y -Wp,-DZ -Wall -O2 -mno-sse -mcmodel=kernel -fconserve-stack -std=gnu11 "
        "-fshort-wchar -m64 -MF dep -c -o x.o x.c"
    )
    assert parse_arguments(words, "/build/o", "x86_64-linux-gnu") == (
        "-nostdinc",
        "-I/build/o/include",
        "-I/build/up",
        "-include",
        "/build/o/include/linux/kconfig.h",
        "-isystem",
        "/gcc",
        "-D__KERNEL__",
        "-DX=1",
        "-UY",
        "-DZ",
        "-std=gnu11",
        "-fshort-wchar",
        "-m64",
        "--target=x86_64-linux-gnu",
    )


def test_a_commands_own_target_is_kept() -> None:
    assert parse_arguments(["clang", "--target=aarch64-linux-gnu"], "/", "x") == ("--target=aarch64-linux-gnu",)
    assert parse_arguments(["clang", "-target", "aarch64-linux-gnu"], "/", "x") == ("--target=aarch64-linux-gnu",)


def test_names_that_differ_by_file_become_constants() -> None:
    one = parse_arguments(
        ["gcc", '-DKBUILD_BASENAME="a"', "-D__KBUILD_MODNAME=kmod_a", '-DKBUILD_MODFILE="x/a"'], "/", ""
    )
    two = parse_arguments(["gcc", '-DKBUILD_BASENAME="b"', "-D__KBUILD_MODNAME=kmod_b"], "/", "")
    assert one == two == IDENTITY


def test_an_option_without_its_value_is_survived() -> None:
    assert parse_arguments(["gcc", "-I"], "/", "") == ()
    assert parse_arguments(["gcc", "-target"], "/", "") == ()


def test_gfpcheck_headers_follow_the_kernels() -> None:
    args = ("-include", "/k/include/linux/kconfig.h", "-include", "/k/include/linux/compiler_types.h", "-DX")
    expected = ("-IW", *args[:2], "-include", "C", *args[2:4], "-include", "A", "-DX")
    assert with_annotations(args, "C", "A", "W") == expected
    assert with_annotations(("-DX",), "C", "A", "W") == ("-DX",)


@pytest.mark.parametrize("prefix", ["cmd_fs/demo/x.o :=", "savedcmd_fs/demo/x.o :="])
def test_cmd_files_of_old_and_new_kernels(tmp_path: Path, prefix: str) -> None:
    (tmp_path / "fs/demo").mkdir(parents=True)
    (tmp_path / "fs/demo/.x.o.cmd").write_text(f"{prefix} gcc -DA='$(pound)$$' -c x.c\n\nsource_fs/demo/x.o := x.c\n")
    assert read_cmd(tmp_path, "fs/demo/x.o") == Command(("gcc", "-DA=#$", "-c", "x.c"), str(tmp_path))
    assert read_cmd(tmp_path, "fs/demo/y.o") is None


def test_a_database_is_read_lazily_and_the_first_entry_wins(tmp_path: Path) -> None:
    path = tmp_path / "compile_commands.json"
    path.write_text(
        json.dumps(
            [
                {"directory": str(tmp_path), "file": "a.c", "command": "gcc -DONE -c a.c"},
                {"directory": str(tmp_path), "file": "a.c", "command": "gcc -DTWO -c a.c"},
                {"directory": "sub", "file": "b.c", "arguments": ["gcc", "-c", "b.c"], "output": "b.o"},
                {"directory": str(tmp_path), "file": "x.S", "command": "gcc -c x.S"},
            ]
        )
    )
    database = Database(path)
    assert database.files() == [str(tmp_path / "a.c"), str(tmp_path / "sub/b.c")]
    assert database.command(str(tmp_path / "a.c")) == Command(("gcc", "-DONE", "-c", "a.c"), str(tmp_path))
    assert database.command(str(tmp_path / "sub/b.c")) == Command(("gcc", "-c", "b.c"), str(tmp_path / "sub"))
    assert database.command(str(tmp_path / "c.c")) is None


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"file": "a.c"}]', "\xff"])
def test_a_broken_database_is_the_users_problem(tmp_path: Path, text: str) -> None:
    path = tmp_path / "compile_commands.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(PlanError, match="not a compilation database"):
        Database(path)


def test_a_missing_database(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"cannot read .*No such file"):
        Database(tmp_path / "none.json")


def test_the_architecture_of_a_command() -> None:
    assert command_arch(Command(("gcc", "-I./arch/arm64/include", "-Iarch/x86/include"), "/")) == "arm64"
    assert command_arch(Command(("gcc", "-Iinclude"), "/")) == ""
