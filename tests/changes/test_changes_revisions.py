"""Ranges of revisions as two trees."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gfpcheck.changes import ChangeError, Written, changed_lines, find_range

from .repository import Repository


def _after(repository: Repository, words: str = "", staged: bool = False) -> dict[str, bytes | None]:
    before, after = find_range(repository.root, words, staged)
    return {path: after.read(path) for path in before.differing(after)}


def test_the_working_tree_is_compared_with_head(repository: Repository) -> None:
    repository.write("src/a.c", "int b;\n")
    assert _after(repository) == {"src/a.c": b"int b;\n"}


def test_what_is_staged_is_not_what_lies_in_the_working_tree(repository: Repository) -> None:
    repository.write("src/a.c", "int staged;\n")
    repository.git("add", "--all")
    repository.write("src/a.c", "int later;\n")
    assert _after(repository, staged=True) == {"src/a.c": b"int staged;\n"}


def test_a_range_leaves_the_working_tree_out(repository: Repository) -> None:
    repository.write("src/new.c", "int n;\n")
    repository.commit("Second")
    repository.write("src/a.c", "int dirty;\n")
    assert _after(repository, "HEAD~1..HEAD") == {"src/new.c": b"int n;\n"}
    assert _after(repository, "HEAD~1..") == {"src/new.c": b"int n;\n"}
    assert _after(repository, "HEAD~1") == {"src/new.c": b"int n;\n", "src/a.c": b"int dirty;\n"}


def test_three_dots_begin_where_the_branches_parted(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write("src/topic.c", "int t;\n")
    repository.commit("Topic")
    repository.git("checkout", "--quiet", "main")
    repository.write("src/a.c", "int onward;\n")
    repository.commit("Onward")
    assert _after(repository, "main...topic") == {"src/topic.c": b"int t;\n"}
    assert set(_after(repository, "main..topic")) == {"src/topic.c", "src/a.c"}


def test_a_removed_file_is_there_before_only(repository: Repository) -> None:
    (repository.root / "src/a.c").unlink()
    assert _after(repository) == {"src/a.c": None}


def test_files_that_are_not_code_do_not_count(repository: Repository) -> None:
    repository.write("README", "words\n")
    repository.write("src/Makefile", "obj-y += a.o\n")
    repository.git("add", "--all")
    assert _after(repository, staged=True) == {"src/Makefile": b"obj-y += a.o\n"}


def test_links_are_left_alone(repository: Repository) -> None:
    (repository.root / "src/link.c").symlink_to("a.c")
    repository.commit("Link")
    assert _after(repository, "HEAD~1..HEAD") == {}


def test_a_tree_below_the_top_of_its_repository(repository: Repository) -> None:
    repository.write("src/a.c", "int b;\n")
    repository.write("other/c.c", "int c;\n")
    repository.git("add", "--all")
    before, after = find_range(repository.root / "src", "", True)
    assert before.differing(after) == ["a.c"]


@pytest.mark.parametrize("words", ["", "HEAD~1", "HEAD~1..HEAD"])
@pytest.mark.parametrize("staged", [False, True])
def test_nothing_of_the_users_changes(repository: Repository, words: str, staged: bool) -> None:
    repository.write("src/a.c", "int b;\n")
    repository.commit("Second")
    repository.write("src/a.c", "int c;\n")
    os.utime(repository.root / "src/a.c", ns=(1, 1))  # git would like to note that in the index
    paths = [repository.root, *sorted(repository.root.rglob("*"))]
    before = [(path, path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in paths]
    if not (staged and ".." in words):
        _after(repository, words, staged)
    paths = [repository.root, *sorted(repository.root.rglob("*"))]
    assert [(path, path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else b"") for path in paths] == before


@pytest.mark.parametrize(
    ("words", "staged", "reason"),
    [
        ("nowhere", False, "'nowhere' is no revision of this repository"),
        ("--output=x", False, "'--output=x' is no revision"),
        ("HEAD..nowhere", False, "'nowhere' is no revision of this repository"),
        ("HEAD~1..HEAD", True, "--staged goes with one revision, not with a range"),
    ],
)
def test_what_cannot_be_compared_is_named(repository: Repository, words: str, staged: bool, reason: str) -> None:
    with pytest.raises(ChangeError) as error:
        find_range(repository.root, words, staged)
    assert str(error.value) == reason


def test_a_folder_without_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(ChangeError, match="not a git repository"):
        find_range(tmp_path, "", False)


def test_a_conflict_is_not_analysed(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.write("src/a.c", "int topic;\n")
    repository.commit("Topic")
    repository.git("checkout", "--quiet", "main")
    repository.write("src/a.c", "int onward;\n")
    repository.commit("Onward")
    with pytest.raises(Exception, match="merge"):
        repository.git("merge", "topic")
    with pytest.raises(ChangeError, match=r"src/a\.c: not merged"):
        find_range(repository.root, "", True)


def test_changed_lines_are_those_of_the_new_side(repository: Repository) -> None:
    repository.write("src/a.c", "int a(void)\n{\n\tint b = 2;\n\n\treturn b;\n}\n")
    before, after = find_range(repository.root, "", False)
    assert changed_lines(before, after) == {"src/a.c": (Written(range(3, 6), False, ("\treturn 1;",)),)}


def test_where_lines_were_removed_the_next_one_counts(repository: Repository) -> None:
    repository.write("src/a.c", "int a(void)\n{\n}\n")
    before, after = find_range(repository.root, "", False)
    assert changed_lines(before, after) == {"src/a.c": (Written(range(3, 4), True, ("\treturn 1;",)),)}
