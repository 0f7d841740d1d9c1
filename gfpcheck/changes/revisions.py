"""The two sides of a range of revisions, of what is staged, of what the working tree adds to a revision."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from gfpcheck.changes.git import git
from gfpcheck.changes.types import ChangeError, Contents, Side, concerns

_REGULAR = ("100644", "100755")
_RAW = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
_WORKING_TREE = "the working tree"


class Range(NamedTuple):
    """What is compared: the sides before and after."""

    before: Side
    after: Side


class _Blob(NamedTuple):
    """A file of a revision that the tree on disk has otherwise: its id, or empty if the revision lacks it."""

    path: str
    id: str


def find_range(root: Path, words: str, staged: bool) -> Range:
    """The sides that `words` means, in the git tree that holds the folder `root`: "BASE..HEAD", "BASE...HEAD" (from
    where they parted), "BASE" (against the working tree), "" for HEAD. `staged`: BASE against the index.

    Files are spelled from `root`. Neither the working tree nor the index is written. Raises ChangeError.
    """
    top = Path(git(root, ["rev-parse", "--show-toplevel"]).decode("utf-8", "surrogateescape").rstrip("\n"))
    prefix = git(root, ["rev-parse", "--show-prefix"]).decode("utf-8", "surrogateescape").rstrip("\n")
    base, dots, head = words.partition("...") if "..." in words else words.partition("..")
    base, head = base or "HEAD", head or "HEAD"
    if dots and staged:
        raise ChangeError("--staged goes with one revision, not with a range")
    old = _commit(root, base)
    if dots:
        new = _commit(root, head)
        if dots == "...":
            old = git(root, ["merge-base", old, new]).decode().strip()
        return Range(_side(root, top, prefix, base, [old]), _side(root, top, prefix, head, [new]))
    before = _side(root, top, prefix, base, [old])
    return Range(before, _side(root, top, prefix, "the index", []) if staged else Side(root, _WORKING_TREE, {}))


def _commit(root: Path, revision: str) -> str:
    if revision.startswith("-"):
        raise ChangeError(f"{revision!r} is no revision")
    try:
        return (
            git(root, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"])
            .decode()
            .strip()
        )
    except ChangeError:
        raise ChangeError(f"{revision!r} is no revision of this repository") from None


def _side(root: Path, top: Path, prefix: str, name: str, revision: Sequence[str]) -> Side:
    """The side of a revision, or of the index if that is empty."""
    raw = git(top, ["diff", *_RAW, *revision, "--", prefix or "."])
    blobs = [blob for blob in _blobs(raw) if blob.path.startswith(prefix) and concerns(blob.path)]
    found = _contents(top, blobs)
    return Side(root, name, {path[len(prefix) :]: data for path, data in found.items()})


def _blobs(raw: bytes) -> Iterator[_Blob]:
    """The regular files of the older side in the output of `git diff --raw -z`."""
    fields = raw.decode("utf-8", "surrogateescape").split("\0")
    for head, path in zip(fields[::2], fields[1::2], strict=False):
        mode, new_mode, old, _, status = head[1:].split(" ")
        if status == "U":
            raise ChangeError(f"{path}: not merged")
        if mode in _REGULAR:
            yield _Blob(path, old)
        elif status == "A" and new_mode in _REGULAR:
            yield _Blob(path, "")


def _contents(top: Path, blobs: Sequence[_Blob]) -> Contents:
    there = [blob for blob in blobs if blob.id]
    found: dict[str, bytes | None] = {blob.path: None for blob in blobs if not blob.id}
    data = git(top, ["cat-file", "--batch"], "".join(f"{blob.id}\n" for blob in there).encode())
    start = 0
    for blob in there:
        end = data.index(b"\n", start)
        words = data[start:end].split(b" ")
        if len(words) != 3:
            raise ChangeError(f"{blob.path}: git has lost its contents ({data[start:end].decode('ascii', 'replace')})")
        size = int(words[2])
        found[blob.path] = data[end + 1 : end + 1 + size]
        start = end + size + 2
    return found
