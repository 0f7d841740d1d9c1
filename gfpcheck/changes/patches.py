"""Patches: a unified diff, what `git format-patch` writes, a series as it comes from a mailing list."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator, Sequence
from email.message import EmailMessage
from typing import NamedTuple

from gfpcheck.changes.git import git
from gfpcheck.changes.types import ChangeError, Side, concerns
from gfpcheck.workers import scratch

_MAIL = re.compile(rb"^From \S+.*\d\d:\d\d:\d\d.*\n(?=[A-Za-z-]+:)", re.MULTILINE)
_HEADERS = re.compile(rb"\A(?:From |[A-Za-z][A-Za-z-]*: )")
_DIFF = re.compile(r"^(?:diff --git |--- \S.*\n\+\+\+ \S)", re.MULTILINE)
_NAMED = re.compile(r"^(?:--- |\+\+\+ |rename from |rename to |copy from )(.+?)(?:\t.*)?$", re.MULTILINE)
_TAG = re.compile(r"\[[^\]]*?\b(?:(\d+)/(\d+))?\]")
_TAGS = re.compile(r"^\s*(?:(?:re|fwd?):\s*)*(?:\[[^\]]*\]\s*)*", re.IGNORECASE)


class Patch(NamedTuple):
    """One patch: what it is called, and its diff."""

    title: str
    diff: bytes


def read_patches(data: bytes, name: str) -> list[Patch]:
    """The patches in `data`, which the user knows as `name`, in the order in which they are to be applied.

    Mails without a diff (a cover letter, replies) are left out. Raises ChangeError for what is neither diff nor mail.
    """
    starts = [match.start() for match in _MAIL.finditer(data)]
    if starts and not data[: starts[0]].strip():
        mails = [
            data[start:end].partition(b"\n")[2] for start, end in zip(starts, [*starts[1:], len(data)], strict=True)
        ]
    elif _HEADERS.match(data):
        mails = [data.partition(b"\n")[2] if data.startswith(b"From ") else data]
    else:
        mails = []
    found = [patch for mail in mails if (patch := _from_mail(mail)) is not None] if mails else list(_plain(data, name))
    if not found and not mails:
        raise ChangeError(f"{name}: there is no patch in it")
    return [patch for _, patch in sorted(found, key=lambda each: each[0])]


def apply_patches(side: Side, patches: Sequence[Patch]) -> Iterator[tuple[Patch, Side]]:
    """The tree after each of `patches`, one applied on the other. Raises ChangeError for one that does not apply."""
    for patch in patches:
        side = _apply(side, patch)
        yield patch, side


def _plain(data: bytes, name: str) -> Iterator[tuple[int, Patch]]:
    if _DIFF.search(data.decode("utf-8", "surrogateescape")):
        yield 0, Patch(name, data)


def _from_mail(data: bytes) -> tuple[int, Patch] | None:
    """The patch of one mail with its number in the series, if it has one."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    text = _text(message)
    if not _DIFF.search(text):
        return None
    subject = " ".join(str(message["Subject"] or "").split())
    tag = _TAG.search(subject)
    number = int(tag[1]) if tag and tag[1] else 0
    return number, Patch(_TAGS.sub("", subject) or "a patch", text.encode("utf-8", "surrogateescape"))


def _text(message: EmailMessage) -> str:
    """The text of a mail, with what is attached to it."""
    parts = []
    for part in message.walk():
        if part.get_content_maintype() == "text":
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            parts.append(data.decode("utf-8", "surrogateescape").replace("\r\n", "\n"))
    return "\n".join(parts)


def _apply(side: Side, patch: Patch) -> Side:
    names = _named(patch.diff)
    with scratch() as folder:
        for path in names:
            data = side.read(path)
            if data is not None:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(data)
        try:
            git(folder, ["apply", "--whitespace=nowarn", "-p1", "-"], patch.diff, alone=True)
        except ChangeError as error:
            raise ChangeError(f"{patch.title!r} does not apply: {error}") from error
        replaced = dict(side.replaced)
        for path in filter(concerns, names):
            place = folder / path
            regular = place.is_file() and not place.is_symlink()
            replaced[path] = place.read_bytes() if regular else None
    return side._replace(name=patch.title, replaced=replaced)


def _named(diff: bytes) -> list[str]:
    """The files that a diff names, below the root."""
    found: dict[str, None] = {}
    for match in _NAMED.finditer(diff.decode("utf-8", "surrogateescape")):
        line, path = match[0], match[1].strip().strip('"')
        if path == "/dev/null":
            continue
        if line.startswith(("--- ", "+++ ")):
            _, slash, path = path.partition("/")  # a/ and b/, as git apply -p1 does
            if not slash:
                continue
        if path and not path.startswith("/") and ".." not in path.split("/"):
            found[path] = None
    return list(found)
