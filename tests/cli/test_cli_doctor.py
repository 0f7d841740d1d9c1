"""`gfpcheck doctor`, `--version`, `--help`, completion."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fixtures_harness import TREE

from gfpcheck import __version__
from gfpcheck.cli.check import check

from .cli_run import PLAIN, Cli
from .conftest import Here

SAMPLE = TREE / "fs/minifs"


def rows(out: str) -> dict[str, str]:
    """What doctor says, by label; checks that the values stand in one column."""
    lines = out.splitlines()
    column = lines[0].index(__version__)
    assert all(line[column - 2 : column] == "  " and line[column] != " " for line in lines)
    return {line[:column].strip(): line[column:] for line in lines}


def test_a_kernel_tree(cli: Cli, tmp_path: Path, cache: Path) -> None:
    run = cli("doctor", SAMPLE)
    assert (run.code, run.err) == (0, "")
    found = rows(run.out)
    assert found["gfpcheck"] == __version__
    assert found["settings"] == "none"
    assert found["path"] == str(SAMPLE)
    assert found["tree"] == str(TREE)
    assert found["version"] == "6.12.0"
    assert found["architecture"] == "x86"
    assert found["flags from"].endswith("unconfigured tree: generated headers supplied by gfpcheck")
    assert found["C files to analyse"] == "8"
    assert found["cache"] == str(cache)
    assert found["libclang"].startswith("clang version ")
    assert found["allocation flags"].endswith(" have values in this tree, GFP_KERNEL among them")
    assert list(found)[-1] == "next"
    assert found["next"].startswith(f"run gfpcheck {SAMPLE}; ")


def test_the_place_where_one_stands(cli: Cli, tree: Path) -> None:
    (tree / "gfpcheck.toml").write_text("")
    found = rows(cli("doctor", cwd=tree / "fs").out)
    assert found["path"] == str(tree / "fs")
    assert found["settings"] == str(tree / "gfpcheck.toml")


def test_plain_c(cli: Cli) -> None:
    found = rows(cli("doctor", PLAIN, "--model", PLAIN / "model.toml").out)
    assert found["tree"] == "none: not in a kernel source tree"
    assert found["C files to analyse"] == "1"
    assert found["next"].startswith("run gfpcheck ")


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["empty"], "no C files in "),
        (["plain", "--model", "none.toml"], "none.toml: cannot read the model file"),
        (["flagless.c"], "the value of GFP_KERNEL, __GFP_NOFAIL, __GFP_FS, __GFP_DIRECT_RECLAIM cannot be found "),
        ([str(SAMPLE), "--arch", "vax"], "unknown architecture 'vax'"),
    ],
)
def test_what_cannot_be_analysed_is_exit_code_2(cli: Cli, tmp_path: Path, args: list[str], problem: str) -> None:
    (tmp_path / "empty").mkdir()
    shutil.copytree(PLAIN, tmp_path / "plain")
    (tmp_path / "flagless.c").write_text("int x;\n")
    run = cli("doctor", *args)
    assert run.code == 2
    found = rows(run.out)
    assert found["problem"].startswith(problem)
    assert found["next"] == "solve the problem above and run gfpcheck doctor again"


def make_module(folder: Path, *files: str) -> Path:
    folder.mkdir()
    (folder / "Makefile").write_text(f"obj-m := {' '.join(file.replace('.c', '.o') for file in files)}\n")
    for file in files:
        (folder / file).write_text("#include <linux/slab.h>\n#include <made.h>\nvoid *f(void);\n")
    return folder


def test_the_next_command_has_the_options_that_it_needs(cli: Cli, tmp_path: Path) -> None:
    make_module(tmp_path / "module", "a.c")
    (tmp_path / "module/a.c").write_text("#include <linux/slab.h>\n")
    run = cli("doctor", "module", "--tree", TREE, "--arch", "x86", "--no-cache")
    assert run.code == 0
    assert rows(run.out)["next"] == f"run gfpcheck module --arch x86 --tree {TREE} --no-cache"
    found = rows(cli("doctor", PLAIN, "--model", PLAIN / "model.toml").out)
    assert found["next"] == f"run gfpcheck {PLAIN} --model {PLAIN / 'model.toml'}"


def test_headers_that_no_file_finds_are_a_problem(cli: Cli, tmp_path: Path) -> None:
    make_module(tmp_path / "module", "a.c", "b.c")
    run = cli("doctor", "module", "--tree", TREE)
    assert (run.code, run.err) == (2, "")
    found = rows(run.out)
    assert found["headers not found"] == "made.h for a.c; made.h for b.c (2 files tried)"
    assert found["problem"] == "headers are not found"
    (tmp_path / "module/Makefile").rename(tmp_path / "module/Makefile.in")
    (tmp_path / "module/configure").touch()
    problem = rows(cli("doctor", "module", "--tree", TREE).out)["problem"]
    assert problem.startswith("headers are not found; ")
    assert problem.endswith(
        f"module/Makefile.in has not been made into a Makefile yet: run configure in {tmp_path}/module first"
    )


def test_headers_that_one_file_finds_are_told(cli: Cli, tmp_path: Path) -> None:
    make_module(tmp_path / "module", "a.c", "b.c")
    (tmp_path / "module/b.c").write_text("#include <linux/slab.h>\n")
    run = cli("doctor", "module", "--tree", TREE)
    assert run.code == 0
    assert rows(run.out)["headers not found"] == "made.h for a.c (2 files tried)"


def test_a_path_that_is_none(cli: Cli) -> None:
    run = cli("doctor", "none")
    assert (run.code, run.out, run.err) == (2, "", "gfpcheck: none: no such file or directory\n")
    assert cli("doctor", SAMPLE / "Makefile").err.endswith(": not a C file (.c)\n")


def test_no_libclang(cli: Cli) -> None:
    run = cli("doctor", SAMPLE, env={"GFPCHECK_LIBCLANG": "/none.so"})
    assert run.code == 2
    assert rows(run.out)["problem"].startswith("cannot load libclang from /none.so: ")


def test_a_doctor_without_cache_leaves_nothing(cli: Cli, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    assert cli("doctor", SAMPLE, "--no-cache").code == 0
    assert sorted(tmp_path.rglob("*")) == before


def test_version(cli: Cli) -> None:
    run = cli("--version")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith(f"gfpcheck {__version__} (clang version ")


def test_help_shows_every_option(here: Here) -> None:
    run = here("--help")
    assert (run.code, run.err) == (0, "")
    words = run.out.split()
    for option in ["--version", *(word for parameter in check.params for word in parameter.opts if word[0] == "-")]:
        assert option in words or f"{option}," in words, option
    assert "doctor" in words
    assert here("-h") == run
    assert here("check", "--help").code == here("doctor", "-h").code == 0


# --- completion --------------------------------------------------------------------------


def completions(cli: Cli, line: str, cwd: Path) -> list[str]:
    """What bash would be told at the end of the line, as "kind,value"."""
    words = line.split(" ")
    env = {"_GFPCHECK_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    run = cli(cwd=cwd, env=env)
    assert (run.code, run.err) == (0, "")
    return run.out.splitlines()


def test_completion(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "fs").mkdir()
    assert "plain,--format" in completions(cli, "gfpcheck --for", tmp_path)
    assert completions(cli, "gfpcheck --format s", tmp_path) == ["plain,sarif"]
    assert completions(cli, "gfpcheck fs --format g", tmp_path) == ["plain,github", "plain,gcc"]
    assert completions(cli, "gfpcheck f", tmp_path) == ["file,f"]
    assert completions(cli, "gfpcheck fs/x", tmp_path) == ["file,fs/x"]
    assert completions(cli, "gfpcheck do", tmp_path) == ["plain,doctor"]
    assert completions(cli, "gfpcheck doctor --ar", tmp_path) == ["plain,--arch"]
    (tmp_path / "dough").mkdir()
    assert completions(cli, "gfpcheck do", tmp_path) == ["file,do"]


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_the_completion_script_is_one(cli: Cli) -> None:
    script = cli(env={"_GFPCHECK_COMPLETE": "bash_source"})
    assert script.code == 0
    loaded = cli("-c", script.out + "\ncomplete -p gfpcheck", command=("bash", "--norc"))
    assert loaded.code == 0
    assert "gfpcheck" in loaded.out
