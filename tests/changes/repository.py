"""A small git repository to try changes on."""

from __future__ import annotations

from pathlib import Path

from repository import commit, git


class Repository:
    """A repository at `root`. `before` is what the file a.c holds in the first revision."""

    before = "int a(void)\n{\n\treturn 1;\n}\n"

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)
        self.write("src/a.c", self.before)
        self.commit("First")

    def git(self, *words: str) -> str:
        return git(self.root, *words)

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def commit(self, title: str) -> None:
        commit(self.root, title)
