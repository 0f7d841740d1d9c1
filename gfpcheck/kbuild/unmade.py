"""What a package's `configure` has yet to make: until then nobody knows its flags, and some headers are not there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from gfpcheck.kbuild.files import show

_MADE = ("Kbuild", "Makefile")
_SCRIPTS = ("configure", "configure.ac", "configure.in")


def unmade(folders: Iterable[Path]) -> str:
    """What is missing where a Kbuild or Makefile of `folders`, or of one above that builds them, is there as a template
    alone, and what makes it, as half a sentence; empty if nothing is."""
    for folder in folders:
        template = _template(folder)
        if template is not None:
            made = template.with_suffix("").name
            script = next(
                (above for above in template.parents if any((above / name).is_file() for name in _SCRIPTS)), None
            )
            how = f"run configure in {show(script)} first" if script else "configure the package first"
            return f"{show(template)} has not been made into a {made} yet: {how}"
    return ""


def _template(folder: Path) -> Path | None:
    """The template of the nearest Makefile at or above `folder`; of two, Kbuild's. None if there is a real one."""
    for above in (folder, *folder.parents):
        if any((above / name).is_file() for name in _MADE):
            return None
        for name in _MADE:
            if (above / f"{name}.in").is_file():
                return _builder(above / f"{name}.in")
    return None


def _builder(template: Path) -> Path:
    """A Kbuild that is to be made above says more of the flags than the folder's own Makefile."""
    for above in template.parents:
        if (above / "Kbuild.in").is_file():
            return above / "Kbuild.in"
        if not (above / "Makefile.in").is_file():
            break
    return template
