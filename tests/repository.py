"""Git repositories to try changes on, and what to change."""

from __future__ import annotations

import subprocess
from pathlib import Path

HAZARD = """
static DEFINE_SPINLOCK(minifs_new_lock);

void *minifs_new(size_t size)
{
	void *p;

	spin_lock(&minifs_new_lock);
	p = kmalloc(size, GFP_KERNEL);
	spin_unlock(&minifs_new_lock);
	return p;
}
"""
"""To add to a file of the miniature kernel: GFP101."""
_SETTINGS = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")


def git(folder: Path, *words: str) -> str:
    """What git prints, which must succeed."""
    return subprocess.run(["git", *_SETTINGS, *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def commit(folder: Path, title: str) -> None:
    """Commits all that is there, in a repository that is made if need be."""
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", title)
