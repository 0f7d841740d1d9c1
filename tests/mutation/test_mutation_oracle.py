"""The oracle says of each site of our own C what the mark beside it says."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from . import atomic, hoist, reclaim, scope
from .claims import Claim, Unsure, edited
from .ctext import Source
from .folder import Folder
from .sample import Oracle

TREE = Path(__file__).resolve().parents[2] / "fixtures/mutation"
_MARK = re.compile(r"/\* oracle: (unsure|[a-z ]+ \d) \*/")

Kind = tuple[Callable[[str], list[int]], Callable[[Folder], Oracle]]
ATOMIC: Kind = (atomic.sites, atomic.AtomicOracle)
HOISTED: Kind = (hoist.sites, hoist.HoistOracle)
NOFS: Kind = (reclaim.sites, reclaim.ReclaimOracle)
SCOPE: Kind = (scope.sites, scope.ScopeOracle)
FILES = {
    "drivers/sample/locks.c": (ATOMIC,),
    "drivers/sample/calls.c": (ATOMIC,),
    "drivers/sample/hoisted.c": (HOISTED,),
    "fs/nested/inode.c": (NOFS,),
    "fs/sample/file.c": (NOFS, SCOPE),
}


def said(kind: Kind, folder: Folder, file: str) -> dict[int, Claim | None]:
    """What the oracle says, by the line of the site."""
    sites, oracle = kind
    judge, source = oracle(folder), folder.sources[file]
    found: dict[int, Claim | None] = {}
    for offset in sites(source.code):
        if source.function_at(offset) is not None:
            try:
                found[source.line(offset)] = judge.claim(source, offset)
            except Unsure:
                found[source.line(offset)] = None
    return found


@pytest.mark.parametrize("file", FILES)
def test_claims(file: str) -> None:
    source = Source.read(TREE, file)
    marks = {source.line(match.start()): match[1] for match in _MARK.finditer(source.text)}
    folder = Folder(TREE, file.rpartition("/")[0])
    claims = {line: claim for kind in FILES[file] for line, claim in said(kind, folder, file).items()}
    assert {line: f"{c.hazard} {c.depth}" if c else "unsure" for line, c in claims.items()} == marks


def claims_of(kind: Kind, file: str) -> list[tuple[str, Claim]]:
    folder = Folder(TREE, file.rpartition("/")[0])
    text = folder.sources[file].text
    return [(edited(text, claim.edits), claim) for claim in said(kind, folder, file).values() if claim]


@pytest.mark.parametrize(("kind", "file"), [(ATOMIC, "drivers/sample/calls.c"), (NOFS, "fs/sample/file.c")])
def test_flags_are_replaced_at_the_site(kind: Kind, file: str) -> None:
    before = (TREE / file).read_text()
    for text, claim in claims_of(kind, file):
        changed = [
            (number, new)
            for number, (old, new) in enumerate(zip(before.splitlines(), text.splitlines(), strict=True), 1)
            if old != new
        ]
        ((number, line),) = changed
        assert claim.lines[0] <= number <= claim.lines[1]
        assert "GFP_KERNEL" in line


def test_a_hoisted_allocation_moves_under_the_lock_with_its_check() -> None:
    text, claim = claims_of(HOISTED, "drivers/sample/hoisted.c")[0]
    first, last = claim.lines
    lines = text.splitlines()
    assert lines[first - 2].startswith("\tspin_lock(&d->lock);")
    assert [line.strip() for line in lines[first - 1 : last + 2]] == [
        "p = kzalloc(4,",
        "GFP_KERNEL);",
        "if (!p)",
        "return -ENOMEM;",
    ]
    assert text.count("kzalloc(4,") == (TREE / claim.file).read_text().count("kzalloc(4,")


def test_a_scope_is_neither_opened_nor_closed() -> None:
    ((text, claim),) = claims_of(SCOPE, "fs/sample/file.c")
    region = "\n".join(text.splitlines()[claim.lines[0] - 1 : claim.lines[1]])
    assert "nofs = 0;" in region
    assert "memalloc" not in region


def test_the_evidence_names_lock_calls_and_reclaims_side() -> None:
    folder = Folder(TREE, "fs/sample")
    claim = next(c for c in said(NOFS, folder, "fs/sample/file.c").values() if c and c.depth == 1)
    steps = [re.sub(r"^fs/sample/(\w+\.c):\d+: ", r"\1 ", str(step)) for step in claim.why]
    assert steps == [
        "super.c reclaim enters sample_evict_inode() through evict_inode",
        "super.c sample_evict_inode() calls sample_forget()",
        "super.c sample_forget() takes sample_sb.tree_lock",
        "file.c above() takes &sb->tree_lock",
        "file.c above() calls below()",
        "file.c below() calls kmalloc() with GFP_NOFS",
    ]
