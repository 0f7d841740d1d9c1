"""The commit that a patch has become."""

from __future__ import annotations

from pathlib import Path

import pytest

from gfpcheck.changes import ChangeError, commit_of

from .repository import Repository


def _patch(repository: Repository, revision: str, *words: str) -> bytes:
    return repository.git("format-patch", "--stdout", *words, "-1", revision).encode()


def test_the_commit_of_a_patch(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    for number in (2, 3):
        repository.write("src/a.c", repository.before.replace("1", str(number)))
        repository.commit(f"Return {number}")
    second = repository.git("rev-parse", "HEAD~1").strip()
    assert commit_of(repository.root, _patch(repository, "HEAD~1")) == second
    assert commit_of(repository.root, _patch(repository, "HEAD~1", "--full-index")) == second
    other = _patch(repository, "HEAD~1").replace(b"return 2", b"return 4")
    assert commit_of(repository.root, other) is None
    assert commit_of(repository.root, b"no patch") is None


def test_the_commit_where_history_begins_is_no_patch(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    assert commit_of(repository.root, _patch(repository, "HEAD", "--root")) is None


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    patch = b"diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-x\n+y\n"
    with pytest.raises(ChangeError, match="not a git repository"):
        commit_of(tmp_path, patch)
