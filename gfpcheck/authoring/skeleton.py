"""A new rule: a module that works, fixtures that its tests pass, a header that makes them compile anywhere."""

from __future__ import annotations

import re
from pathlib import Path

from gfpcheck.driver.options import RunError
from gfpcheck.driver.rules import RESERVED
from gfpcheck.rule_api.rule import ID_FORM, NAME_FORM

_TEMPLATES = Path(__file__).parent / "templates"
_MAX_NAME = 60


def new_rule(folder: Path, ident: str | None) -> list[Path]:
    """Write the skeleton of the rule that `folder`, which is made, is named after; the files, in the order to read.

    `ident` None: made of the name's initials. Raises RunError for a name or id that no rule may have, or if the folder
    exists; OSError if it cannot be written.
    """
    name = folder.name
    if not NAME_FORM.fullmatch(name) or len(name) > _MAX_NAME:
        raise RunError(f"{name!r} cannot be the name of a rule: lower-case words with hyphens, as in nofail-under-lock")
    ident = ident or _initials(name)
    if not ID_FORM.fullmatch(ident):
        raise RunError(f"{ident!r} cannot be the id of a rule: capitals and a number, as in MY001")
    if ident.startswith(RESERVED):
        raise RunError(f"{ident!r} cannot be the id of your rule: ids that begin with GFP are gfpcheck's own")
    module = name.replace("-", "_")
    words = {
        "ID": ident,
        "NAME": name,
        "MODULE": module,
        "CLASS": "".join(word.capitalize() for word in name.split("-")),
    }
    targets = {
        "rule.py.in": folder / f"{module}.py",
        "fixtures.c.in": folder / "fixtures" / f"{module}.c",
        "kernel.h.in": folder / "fixtures" / "kernel.h",
    }
    try:
        folder.mkdir()
    except FileExistsError:
        raise RunError(f"{folder} exists already") from None
    (folder / "fixtures").mkdir()
    for template, target in targets.items():
        text = (_TEMPLATES / template).read_text(encoding="utf-8")
        target.write_text(re.sub(r"@([A-Z]+)@", lambda word: words[word[1]], text), encoding="utf-8")
    return list(targets.values())


def _initials(name: str) -> str:
    words = name.split("-")
    letters = "".join(word[0] for word in words) if len(words) > 1 else name[:4]
    letters = letters.upper()
    return "OWN001" if letters.startswith(RESERVED) else f"{letters}001"
