"""A small git repository to try changes on."""

from __future__ import annotations

import subprocess
from pathlib import Path

_AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")


class Repository:
    """A repository at `root`. `before` is what the file a.c holds in the first revision."""

    before = "int a(void)\n{\n\treturn 1;\n}\n"

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet")
        self.write("src/a.c", self.before)
        self.commit("First")

    def git(self, *words: str) -> str:
        done = subprocess.run(["git", *_AUTHOR, *words], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def commit(self, title: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", title)
