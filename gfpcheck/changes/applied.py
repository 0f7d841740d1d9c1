"""Which commit a patch has already become."""

from __future__ import annotations

from pathlib import Path

from gfpcheck.changes.git import git

# In the form that patches are mailed in, whatever the user has set.
_LOG = (
    *("-c", "log.showRoot=false"),  # where history begins a commit is the whole tree
    *("log", "--no-merges", "--no-show-signature", "--format=commit %H"),
    *("--patch", "--no-ext-diff", "--no-textconv", "--no-color", "--find-renames"),
    *("--src-prefix=a/", "--dst-prefix=b/"),
)
_COMMITS = 300
"""How many commits are looked at: more than a series under work has."""


def commit_of(root: Path, diff: bytes) -> str | None:
    """The commit, among the last ones of HEAD, that makes the change of `diff`, in the git tree that holds `root`; None
    if there is none. Told by git's patch id: line numbers and what surrounds the diff do not count. Raises ChangeError.
    """
    wanted = _patch_ids(root, diff)
    if not wanted:
        return None
    log = git(root, [*_LOG, f"--max-count={_COMMITS}", "HEAD"])
    found = _patch_ids(root, log)
    return next((commit for patch, commit in found.items() if patch in wanted), None)


def _patch_ids(root: Path, text: bytes) -> dict[str, str]:
    """Commits by the ids of their patches, the newest of each."""
    found: dict[str, str] = {}
    for line in git(root, ["patch-id", "--stable"], text).decode("ascii", "replace").splitlines():
        patch, _, commit = line.partition(" ")
        found.setdefault(patch, commit)
    return found
