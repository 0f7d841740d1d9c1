"""`gfpcheck models check`: what a tree does not confirm is said with file and line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fixtures_harness import FIXTURES

from .cli_run import Result
from .conftest import Here


@pytest.fixture
def port(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the port, in which one stands."""
    folder = Path(shutil.copytree(FIXTURES / "openzfs", tmp_path / "port"))
    monkeypatch.chdir(folder)
    return folder


def check(here: Here, *words: str | Path) -> Result:
    return here("models", "check", *words)


def test_the_port_is_confirmed(here: Here, port: Path) -> None:
    run = check(here, "fixtures")
    assert (run.code, run.err) == (0, "")
    assert run.out.endswith(" names against fixtures: all confirmed\n")


TRY = 'mutex_tryenter = { does = "acquire", kind = "mutex", when = "nonzero", try = true }'
UNMARK = 'spl_fstrans_unmark = { does = "close", kind = "noio" }'


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("mutex_exit =", "mutex_leave =", "mutex_leave: not in the tree"),
        (
            'rw_exit = { does = "release", kind = "rwsem" }',
            'rw_exit = { does = "release", kind = "mutex" }',
            "rw_exit: kind mutex, but the argument is 'krwlock_t *' (port.h)",
        ),
        (TRY, TRY.replace("nonzero", "nonnull"), "mutex_tryenter: when = 'nonnull', but it is 'int' (port.h)"),
        ("dmu_tx.tx_txg", "dmu_tx.tx_grp", "dmu_tx_assign: struct dmu_tx.tx_grp is [] (port.h)"),
        ("krwlock_t =", "krw_lock_t =", "lock_types krw_lock_t: not in the tree"),
        (UNMARK, UNMARK.replace("spl_fstrans_unmark", "dmu_tx_abort"), "dmu_tx_abort: the token is 'dmu_tx_t *'"),
        ("0x0004", "0x0002", "KM_PUSHPAGE: value = 0x2, but it is 0x4"),
        ('"KM_ZERO"', '"KM_ZEROED"', "KM_ZEROED: not in the tree"),
        ('word_arg = 1, family = "kvmalloc"', 'word_arg = 2, family = "kvmalloc"', "vmem_alloc: word_arg = 2 is not"),
        (
            'word_arg = 1, family = "kvmalloc"',
            'word_arg = 0, family = "kvmalloc"',
            "vmem_alloc: word_arg = 0 is size_t",
        ),
        ('fails = "never"', 'fails = "errno"', "kmem_asprintf: fails = 'errno', but it returns 'char *' (port.h)"),
    ],
)
def test_what_is_not_confirmed(here: Here, port: Path, old: str, new: str, problem: str) -> None:
    model = port / "openzfs.toml"
    text = model.read_text()
    assert old in text
    line = text[: text.index(old)].count("\n") + 1
    model.write_text(text.replace(old, new))
    run = check(here, "fixtures")
    assert (run.code, run.err) == (1, "")
    assert f"{model}:{line}: {problem}" in run.out
    assert run.out.endswith(" not confirmed\n")


def test_without_a_tree_the_format_is_checked(here: Here, port: Path) -> None:
    run = check(here)
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("The format is right: ")
    assert run.out.endswith(f" names in {port}/openzfs.toml\n")
    (port / "more.toml").write_text('[locks]\nmy_lock = { does = "acquire", kind = "spim" }\n')
    run = check(here, "--model", "more.toml")
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("gfpcheck: more.toml:2: my_lock: kind = 'spim': one of spin, ")


def test_entries_of_ones_own_are_looked_for_in_the_whole_kernel(here: Here, tree: Path, tmp_path: Path) -> None:
    model = tmp_path / "mine.toml"
    model.write_text(
        '[locks]\nmine_lock = { does = "acquire", kind = "mutex" }\n'
        'mutex_unlock = { does = "release", kind = "mutex" }\n'
    )
    run = check(here, tree, "--model", model)
    assert run.code == 1
    assert f"{model}:2: mine_lock: not in the tree\n" in run.out
    assert "names against Linux 6.12.0: " in run.out
    assert run.out.endswith(" built-in ones not there\n")
    driver = tree / "drivers/minidrv/mine.h"
    driver.write_text("struct mutex;\nvoid mine_lock(struct mutex *lock);\n")
    assert "mine_lock" not in check(here, tree / "fs", "--model", model).out
    driver.write_text("struct mutex;\nvoid mine_lock(spinlock_t *lock);\n")
    assert (
        f"{model}:2: mine_lock: kind mutex, but the argument is 'spinlock_t *' "
        in check(here, tree, "--model", model).out
    )


def test_what_cannot_be_checked(here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check(here) == (2, "", "gfpcheck: nothing to check: name a kernel tree, or a model file with --model\n")
    (tmp_path / "folder").mkdir()
    message = f"gfpcheck: {tmp_path}/folder is no kernel tree, and built-in models speak of one: name a kernel tree, "
    assert check(here, tmp_path / "folder").err.startswith(message)
    assert check(here, "none") == (2, "", "gfpcheck: none: no such directory\n")
    (tmp_path / "empty.toml").write_text("")
    run = check(here, tmp_path, "--model", "empty.toml")
    assert (run.code, run.err) == (2, f"gfpcheck: {tmp_path}: there is no C in it that declares anything\n")
    assert check(here, "--model", "none.toml").err.startswith("gfpcheck: none.toml: cannot read the model file: ")


def test_the_format_is_described(here: Here) -> None:
    run = here("models", "format")
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("Model files\n  gfpcheck follows calls ")
    assert "\n[allocators]\n" in run.out


@pytest.mark.parametrize("group", ["models", "cache"])
def test_what_to_do_must_be_said(here: Here, group: str) -> None:
    run = here(group)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"Usage: gfpcheck {group} [OPTIONS] COMMAND")
    assert run.err.endswith("gfpcheck: Missing command.\n")
    assert run.err.count("Usage") == 1
