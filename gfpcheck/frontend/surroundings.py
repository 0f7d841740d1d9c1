"""Files that would be read instead of others, if they were there.

An #include means the first file of that name on the search path. Whoever keeps the result of a parse must know not
only that the files read are the same, but also that none has appeared in front of them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from gfpcheck.frontend.directives import search_folders
from gfpcheck.store import Spelling, digest


class Surroundings:
    """What stands beside files. Each folder is listed once."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling
        self._listings: dict[str, frozenset[str]] = {}
        self._folders: dict[tuple[tuple[str, ...], str], list[str]] = {}
        self._before: dict[tuple[str, tuple[str, ...], str], list[str]] = {}

    def digest(self, args: tuple[str, ...], cwd: str, paths: Collection[str]) -> str:
        """Names the files that are there under the names of `paths` where the command line looks before it comes to
        them, and beside any of them, where an #include with quotes looks."""
        found = {shadow for path in paths for shadow in self._shadows(args, cwd, path)}
        names = {path.rpartition("/")[2] for path in paths}
        for folder in {path.rpartition("/")[0] for path in paths}:
            found.update(f"{folder}/{name}" for name in self._listing(folder) & names)
        return digest(*sorted(map(self._spelling.of, found)))

    def _shadows(self, args: tuple[str, ...], cwd: str, path: str) -> list[str]:
        key = (path, args, cwd)
        found = self._before.get(key)
        if found is None:
            folders = self._folders.get((args, cwd))
            if folders is None:
                folders = self._folders[args, cwd] = list(search_folders(args, cwd))
            found = self._before[key] = self._earlier(folders, path)
        return found

    def _earlier(self, folders: Sequence[str], path: str) -> list[str]:
        names = {(number, path[len(folder) + 1 :]) for number, folder in enumerate(folders) if _holds(folder, path)}
        candidates = {f"{folders[earlier]}/{name}" for number, name in names for earlier in range(number)}
        return [candidate for candidate in candidates if self._exists(candidate)]

    def _exists(self, path: str) -> bool:
        folder, _, name = path.rpartition("/")
        return name in self._listing(folder)

    def _listing(self, folder: str) -> frozenset[str]:
        found = self._listings.get(folder)
        if found is None:
            try:
                found = frozenset(os.listdir(folder))  # noqa: PTH208
            except OSError:
                found = frozenset()
            self._listings[folder] = found
        return found


def _holds(folder: str, path: str) -> bool:
    return path.startswith(folder) and path[len(folder) : len(folder) + 1] == "/"
