"""`gfpcheck kbuild`, with the words that Kbuild says to a checker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from kernel.prepared import prepared_build

from gfpcheck.cli.main import run
from gfpcheck.cli.options import THRESHOLDS

from .cli_run import Cli, Result

FILE = "fs/minifs/journal.c"
CHECKFLAGS = ("-D__linux__", "-Dlinux", "-D__STDC__", "-D__GNUC__=1", "-Wbitwise", "--arch=x86", "-m64")
"""What is meant for sparse. A compiler that is told not to be gcc cannot read the kernel's headers."""


def flags(tree: str, build: str = ".") -> list[str]:
    """c_flags with the kernel's sources spelled `tree` and the build directory `build`, up to the file's name."""
    folders = [
        (tree, "arch/x86/include"),
        (build, "arch/x86/include/generated"),
        (tree, "include"),
        (build, "include"),
        (tree, "arch/x86/include/uapi"),
        (build, "arch/x86/include/generated/uapi"),
        (tree, "include/uapi"),
        (build, "include/generated/uapi"),
    ]
    return [
        "-Wp,-MMD,fs/minifs/.journal.o.d",
        "-nostdinc",
        *(f"-I{top}/{name}" for top, name in folders),
        *("-include", f"{tree}/include/linux/kconfig.h", "-include", f"{tree}/include/linux/compiler_types.h"),
        *("-D__KERNEL__", "-std=gnu11", "-fshort-wchar", "-mno-80387", "-fconserve-stack", "-fplugin=./x.so", "-O2"),
        *("-DMODULE", '-DKBUILD_MODFILE="fs/minifs/minifs"', '-DKBUILD_BASENAME="journal"'),
    ]


Check = Callable[..., Result]


@pytest.fixture
def build(tree: Path, tmp_path: Path, cache: Path) -> Path:
    return prepared_build(tree / FILE, tmp_path / "build", cache)


@pytest.fixture
def check(cli: Cli, tree: Path, build: Path) -> Check:
    """Checks a file, as `make O=` in the build directory would."""

    def run(*options: str, name: str = f"../linux/{FILE}", more: tuple[str, ...] = ()) -> Result:
        return cli("kbuild", *options, *CHECKFLAGS, *flags("../linux"), *more, name, cwd=build)

    return run


def test_findings_go_to_standard_error_and_make_goes_on(check: Check, cli: Cli, tree: Path) -> None:
    done = check()
    assert (done.code, done.out) == (0, "")
    assert f"../linux/{FILE}:102:3: warning: minifs_journal_grow(), which reaches kvmalloc()" in done.err
    assert f"../linux/{FILE}:96:2: note: mutex j->lock" in done.err
    alone = cli(tree / FILE, "--format", "gcc", "-q")
    assert [line.removeprefix("../linux/") for line in done.err.splitlines()] == alone.out.splitlines()


def test_in_the_tree_itself(cli: Cli, tree: Path, build: Path) -> None:
    for path in build.rglob("*"):
        if path.is_file():
            place = tree / path.relative_to(build)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
    done = cli("kbuild", *CHECKFLAGS, *flags("."), FILE, cwd=tree)
    assert done.code == 0
    assert done.err.startswith(f"{FILE}:")


def test_the_flags_are_those_of_the_command(check: Check, tree: Path) -> None:
    with (tree / FILE).open("a") as stream:
        stream.write("#ifdef SPECIAL\nvoid *special(spinlock_t *lock)\n{\n\tvoid *p;\n\n\tspin_lock(lock);\n")
        stream.write("\tp = kmalloc(8, GFP_KERNEL);\n\tspin_unlock(lock);\n\treturn p;\n}\n#endif\n")
    assert "GFP101" not in check("--select", "GFP101").err
    assert "[GFP101]" in check("--select", "GFP101", more=("-DSPECIAL",)).err


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_make_ends_if_that_is_asked_for(check: Check, threshold: str) -> None:
    done = check("--select", "GFP301", f"--fail-on={threshold}")
    assert "warning: " in done.err
    assert done.code == (1 if threshold in ("warning", "note") else 0)


def test_what_could_not_be_read_is_said(check: Check, tree: Path) -> None:
    with (tree / FILE).open("a") as stream:
        stream.write("int broken(void)\n{\n\treturn 1 +;\n}\n")
    line = (tree / FILE).read_text().count("\n") - 1
    done = check()
    assert done.code == 0
    assert "[GFP301]" in done.err
    what = f"{FILE}:{line}: expected expression"
    assert done.err.endswith(f"gfpcheck: ../linux/{FILE}: not everything could be looked at: {what}\n")
    assert check("--strict").code == 2


def test_a_file_that_cannot_be_analysed_does_not_end_make(check: Check) -> None:
    done = check(name="../linux/fs/minifs/none.c")
    assert (done.code, done.out) == (0, "")
    assert done.err.startswith("gfpcheck: ../linux/fs/minifs/none.c: ")
    assert done.err.endswith("/fs/minifs/none.c: no such file or directory\n")
    assert check("--strict", name="../linux/fs/minifs/none.c").code == 2


def test_a_bug_of_ours_does_not_end_make(
    tree: Path, build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(_: object) -> None:
        raise AttributeError("no such thing")

    monkeypatch.setattr("gfpcheck.driver.run.run", broken)
    monkeypatch.chdir(build)
    words = (*CHECKFLAGS, *flags("../linux"), f"../linux/{FILE}")
    assert run(["kbuild", *words]) == 0
    assert f"../linux/{FILE}: internal error, please report it: AttributeError" in capsys.readouterr().err
    assert run(["kbuild", "--strict", *words]) == 2


def test_a_module_of_ones_own(cli: Cli, tree: Path, build: Path) -> None:
    module = tree.parent / "module"
    module.mkdir()
    (module / "Kbuild").write_text("obj-m += journal.o\n")
    (tree / FILE).replace(module / "journal.c")
    words = flags(str(tree))
    done = cli("kbuild", *words, f"-I{tree}/fs/minifs", f"{module}/journal.c", cwd=build)
    assert done.code == 0
    assert done.err.startswith(f"{module}/journal.c:")


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("fs/minifs/journal.c",),
        ("-O2", "-c", "x.c"),
        ("-Wp,-MMD,x", "-include", "./include/linux/kconfig.h", "x.c"),
    ],
)
def test_other_words_are_refused(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli("kbuild", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith("\n")


def test_a_mistyped_option_is_no_flag(check: Check) -> None:
    done = check("--fail-off", "error")
    assert done.code == 2
    assert "No such option '--fail-off'" in done.err
