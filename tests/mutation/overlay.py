"""A tree in which one file is another: links to the real tree, which stays untouched."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path


class Overlay:
    """The tree at `root` again, at `place`: every directory that is asked for lies there, with links to its files."""

    def __init__(self, root: Path, place: Path) -> None:
        self._root = root.resolve()
        self.place = place
        place.mkdir(parents=True)
        self._fill("")

    def folder(self, name: str) -> None:
        """Make directory `name` of the overlay. Its own directories are links, which gfpcheck does not follow."""
        done = ""
        for part in name.split("/"):
            done = f"{done}/{part}" if done else part
            if (self.place / done).is_symlink():
                (self.place / done).unlink()
                (self.place / done).mkdir()
                self._fill(done)

    @contextlib.contextmanager
    def changed(self, file: str, text: str) -> Iterator[None]:
        """While in this context, `file` (latin-1, as the oracle reads it) is `text`."""
        self.folder(file.rpartition("/")[0])
        path = self.place / file
        path.unlink()
        path.write_bytes(text.encode("latin-1"))
        try:
            yield
        finally:
            path.unlink()
            path.symlink_to(self._root / file)

    def _fill(self, name: str) -> None:
        for entry in (self._root / name).iterdir():
            (self.place / name / entry.name).symlink_to(entry)
