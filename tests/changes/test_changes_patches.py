"""Patches from files and mails, and what they make of a tree."""

from __future__ import annotations

import base64
import quopri
from pathlib import Path

import pytest

from gfpcheck.changes import ChangeError, Patch, Side, apply_patches, read_patches

from .repository import Repository

DIFF = """\
--- a/src/a.c
+++ b/src/a.c
@@ -1,4 +1,4 @@
 int a(void)
 {
-\treturn 1;
+\treturn 2;
 }
"""
AFTER = b"int a(void)\n{\n\treturn 2;\n}\n"


def _mail(subject: str, body: bytes, encoding: str = "8bit") -> bytes:
    head = f"From: A <a@example.org>\nSubject: {subject}\nContent-Transfer-Encoding: {encoding}\n"
    return head.encode() + b"Content-Type: text/plain; charset=UTF-8\n\n" + body + b"\n"


def _mbox(*mails: bytes) -> bytes:
    return b"".join(b"From git@z Thu Jan  1 00:00:00 1970\n" + mail for mail in mails)


def _applied(root: Path, *patches: Patch) -> list[dict[str, bytes | None]]:
    return [dict(side.replaced) for _, side in apply_patches(Side(root, "before", {}), patches)]


def test_a_plain_diff(repository: Repository) -> None:
    patches = read_patches(DIFF.encode(), "x.diff")
    assert [patch.title for patch in patches] == ["x.diff"]
    assert _applied(repository.root, *patches) == [{"src/a.c": AFTER}]


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("8bit", DIFF.encode()),
        ("quoted-printable", quopri.encodestring(DIFF.encode())),
        ("base64", base64.encodebytes(DIFF.encode())),
        ("8bit", DIFF.replace("\n", "\r\n").encode()),
    ],
)
def test_a_mail_however_it_is_encoded(repository: Repository, encoding: str, body: bytes) -> None:
    (patch,) = read_patches(_mail("[PATCH v2 1/1] fs: fix  it", body, encoding), "-")
    assert patch.title == "fs: fix it"
    assert _applied(repository.root, patch) == [{"src/a.c": AFTER}]


def test_a_series_in_its_own_order_without_cover_letter_and_replies(repository: Repository) -> None:
    second = DIFF.replace("return 1", "return 2").replace("+\treturn 2", "+\treturn 3")
    cover = _mail("[PATCH 0/2] Two things", b" src/a.c | 4 ++--\n")
    reply = _mail("Re: [PATCH 1/2] One", b"Looks good\n> +\treturn 2;\n")
    data = _mbox(cover, _mail("[PATCH 2/2] Two", second.encode()), _mail("[PATCH 1/2] One", DIFF.encode()), reply)
    patches = read_patches(data, "series.mbox")
    assert [patch.title for patch in patches] == ["One", "Two"]
    assert _applied(repository.root, *patches)[-1] == {"src/a.c": AFTER.replace(b"2", b"3")}


def test_what_git_format_patch_writes(repository: Repository) -> None:
    repository.write("src/a.c", AFTER.decode())
    repository.write("src/name with blank.c", "int n;\n")
    repository.commit("Return two")
    text = repository.git("format-patch", "--stdout", "-1")
    repository.git("checkout", "--quiet", "HEAD~1")
    (patch,) = read_patches(text.encode(), "0001-x.patch")
    assert patch.title == "Return two"
    assert _applied(repository.root, patch) == [{"src/a.c": AFTER, "src/name with blank.c": b"int n;\n"}]


def test_a_rename(repository: Repository) -> None:
    repository.git("mv", "src/a.c", "src/b.c")
    diff = repository.git("diff", "--cached", "-M").encode()
    repository.git("reset", "--quiet", "--hard")
    (replaced,) = _applied(repository.root, Patch("move", diff))
    assert replaced == {"src/a.c": None, "src/b.c": Repository.before.encode()}


def test_a_patch_that_does_not_apply_says_why(repository: Repository) -> None:
    patch = Patch("fix it", DIFF.replace("return 1", "return 7").encode())
    with pytest.raises(ChangeError) as error:
        _applied(repository.root, patch)
    assert str(error.value) == "'fix it' does not apply: patch failed: src/a.c:1"


def test_a_patch_for_a_file_that_is_not_there(repository: Repository) -> None:
    with pytest.raises(ChangeError, match=r"'p' does not apply: src/z\.c"):
        _applied(repository.root, Patch("p", DIFF.replace("a.c", "z.c").encode()))


@pytest.mark.parametrize("path", ["../outside.c", "/etc/outside.c", ".git/hooks/x.c", "src/../../outside.c"])
def test_a_patch_cannot_reach_outside(repository: Repository, path: str) -> None:
    new = f"diff --git a/{path} b/{path}\nnew file mode 100644\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+int x;\n"
    with pytest.raises(ChangeError):
        _applied(repository.root, Patch("p", new.encode()))
    assert not (repository.root.parent / "outside.c").exists()


def test_a_link_made_by_a_patch_is_not_followed(repository: Repository) -> None:
    new = "diff --git a/l.c b/l.c\nnew file mode 120000\n--- /dev/null\n+++ b/l.c\n@@ -0,0 +1 @@\n+/etc/passwd\n"
    (replaced,) = _applied(repository.root, Patch("p", (new + "\\ No newline at end of file\n").encode()))
    assert replaced == {"l.c": None}


@pytest.mark.parametrize("data", [b"", b"hello\n", b"\xff\xfe\x00"])
def test_no_patch_at_all(data: bytes) -> None:
    with pytest.raises(ChangeError, match="x: there is no patch in it"):
        read_patches(data, "x")


def test_a_cover_letter_by_itself() -> None:
    assert read_patches(_mail("[PATCH 0/3] Cover", b"nothing yet\n"), "x") == []


def test_bytes_that_are_no_utf8_are_kept(repository: Repository) -> None:
    (repository.root / "src/a.c").write_bytes(b"/* \xe9 */\n" + Repository.before.encode())
    diff = DIFF.replace("@@ -1,4 +1,4 @@\n", "@@ -1,5 +1,5 @@\n /* \udce9 */\n").encode("utf-8", "surrogateescape")
    (patch,) = read_patches(_mail("[PATCH] latin", diff), "-")
    assert _applied(repository.root, patch) == [{"src/a.c": b"/* \xe9 */\n" + AFTER}]
