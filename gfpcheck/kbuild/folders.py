"""What the Makefiles on the way to a C file say of it: its extra flags, and whether it is built at all."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from gfpcheck.kbuild.flags import parse_arguments
from gfpcheck.kbuild.makefile import Makefile, read_makefile

_BLANK = "\x1f"
_INCLUDED = re.compile(r'^\s*#\s*include\s*"([^"\n]+\.c)"', re.MULTILINE)


class Folders:
    """The Makefiles below `root`, read when needed under one configuration.

    `root` is the tree, or the folder of an out-of-tree module. `tree` is the kernel's source and
    `build` its build directory (often the same). `options` as in a .config, without CONFIG_.
    """

    def __init__(self, root: Path, tree: Path, build: Path, options: Mapping[str, str], srcarch: str) -> None:
        self.root = root
        self.tree = tree
        self.build = build
        self.options = options
        self.srcarch = srcarch
        self._makefiles: dict[str, Makefile | None] = {}
        self._flags: dict[str, tuple[str, ...]] = {}
        self._top: Makefile | None = None
        self._owners: dict[str, str | None] = {}
        self._included: dict[str, dict[str, str]] = {}

    def makefile(self, folder: str) -> Makefile | None:
        """The Kbuild or Makefile of a folder (relative to the root, "" for the root itself)."""
        if folder in self._makefiles:
            return self._makefiles[folder]
        made: Makefile | None = None
        # The top Makefile of a kernel is no Kbuild file.
        names = ("Kbuild",) if not folder and self.root == self.tree else ("Kbuild", "Makefile")
        for name in names:
            try:
                text = (self.root / folder / name).read_text("utf-8", "replace")
            except OSError:
                continue
            made = read_makefile(text, self.options, self._variables(folder), self._include)
            break
        self._makefiles[folder] = made
        return made

    def _include(self, name: str) -> str | None:
        """The text of a file that a Makefile includes, None unless it lies below the root."""
        path = Path(os.path.normpath(self.tree / name.replace(_BLANK, " ")))
        if not path.is_relative_to(self.root):
            return None
        try:
            return path.read_text("utf-8", "replace")
        except OSError:
            return None

    def _variables(self, folder: str) -> dict[str, str]:
        inside = self.root == self.tree
        source = folder or "." if inside else str(self.root / folder)
        values = {
            "src": source,
            "obj": source,
            "srctree": "." if inside else str(self.tree),
            "objtree": "." if inside else str(self.build),
            "abs_srctree": str(self.tree),
            "abs_objtree": str(self.build),
            "srcroot": "." if inside else str(self.root),
            "SRCARCH": self.srcarch,
            "ARCH": self.srcarch,
            "M": "" if inside else str(self.root),
            "KBUILD_EXTMOD": "" if inside else str(self.root),
            "PWD": str(self.root),
            "KERNELRELEASE": "kernel",
            "BITS": "64" if self.options.get("64BIT") == "y" else "32",
        }
        # make cannot have blanks in paths; here they must survive the splitting into words.
        return {name: value.replace(" ", _BLANK) for name, value in values.items()}

    def owner(self, rel: str) -> str | None:
        """The nearest folder at or above a file whose Makefile lists objects, or includes one that is in between."""
        folder = rel.rpartition("/")[0]
        if folder not in self._owners:
            self._owners[folder] = self._find_owner(folder)
        return self._owners[folder]

    def _find_owner(self, start: str) -> str | None:
        fragments: list[str] = []
        for folder in [start, *_above(start)]:
            makefile = self.makefile(folder)
            if makefile is None and fragments:
                # Some Makefiles list the objects of their neighbours (drivers/gpu/drm/amd).
                for path in sorted((self.root / folder).glob("*/Makefile")):
                    other = f"{folder}/{path.parent.name}".lstrip("/")
                    if self._includes(other, fragments):
                        return other
            elif makefile is not None and not makefile.fragment:
                return folder
            elif makefile is not None:
                fragments.append(folder)
        return fragments[0] if fragments else None

    def _includes(self, folder: str, fragments: list[str]) -> bool:
        """Whether the Makefile of `folder` includes that of one of the `fragments`."""
        makefile = self.makefile(folder)
        paths = {os.path.relpath(self.tree / name, self.root) for name in makefile.included} if makefile else set()
        return any(f"{fragment}/{name}" in paths for fragment in fragments for name in ("Kbuild", "Makefile"))

    def flags(self, rel: str) -> tuple[str, ...]:
        """The arguments that Makefiles add for one file.

        Include paths given for a single file go to all files of the folder, so that more of them
        have equal arguments.
        """
        owner = self.owner(rel)
        if owner is None:
            return ()
        makefile = self.makefile(owner)
        assert makefile is not None
        common = self._flags.get(owner)
        if common is None:
            words: list[str] = []
            for parent in reversed([owner, *_above(owner)]):
                above = self.makefile(parent)
                words += above.subdir_flags if above else []
            words += makefile.flags
            common = self._convert(words)
            for name in sorted(makefile.file_flags):
                extra = (flag for flag in self._convert(makefile.file_flags[name]) if flag.startswith("-I"))
                common += tuple(flag for flag in extra if flag not in common)
            self._flags[owner] = common
        own = makefile.file_flags.get(_object(rel, owner)) or makefile.file_flags.get(Path(rel).stem + ".o") or []
        return common + tuple(flag for flag in self._convert(own) if flag not in common)

    def _convert(self, words: list[str]) -> tuple[str, ...]:
        words = [word.replace(_BLANK, " ") for word in words]
        found = parse_arguments(["cc", *words], str(self.tree), "")
        if self.build == self.tree:
            return found
        # A relative path means the build directory as well: generated headers lie there.
        both = parse_arguments(["cc", *words], str(self.build), "")
        return found + tuple(flag for flag in both if flag.startswith("-I") and flag not in found)

    def is_module(self, rel: str) -> bool:
        """Whether the file is built as part of a module."""
        owner = self.owner(rel)
        makefile = self.makefile(owner) if owner is not None else None
        return makefile is not None and _object(rel, owner or "") in makefile.modules

    def why_not(self, rel: str, asked: str) -> str:
        """Why a file is not built, or "". Conditions at or above the folder `asked` are not looked at."""
        owner = self.owner(rel)
        if owner is None:
            return ""
        makefile = self.makefile(owner)
        assert makefile is not None
        name = _object(rel, owner)
        if name in makefile.named:
            if name not in makefile.selected and not makefile.open:
                return _because(makefile.named[name])
        elif not makefile.open and makefile.named and not self._named_above(rel, owner):
            by = self._includer(rel)
            if not by and any((self.root / rel).parent.glob("Makefile.*")):
                # Listed in a fragment that other folders include (virt/kvm/Makefile.kvm).
                return ""
            return f"part of {by}, which includes it" if by else f"no Makefile names {Path(name).name}"
        return self._gate(owner, asked)

    def _named_above(self, rel: str, owner: str) -> bool:
        for folder in _above(owner):
            makefile = self.makefile(folder)
            if makefile is not None and (_object(rel, folder) in makefile.selected or makefile.open):
                return True
        return False

    def _gate(self, folder: str, asked: str) -> str:
        """Why none of the Makefiles above leads to `folder`; what leads to `asked` itself is not looked at."""
        prefix = f"{asked}/" if asked else ""
        while folder != asked and folder.startswith(prefix):
            own = self.makefile(folder)
            if own is None or own.fragment:
                folder = _above(folder)[0]
                continue
            reason, parent = self._led_to(folder)
            if reason:
                return reason
            folder = parent
        return ""

    def _led_to(self, folder: str) -> tuple[str, str]:
        """("", the folder above whose Makefile leads to `folder`), or (why none does, "")."""
        nearest: str | None = None
        for parent in _above(folder):
            makefile = self.makefile(parent)
            if makefile is None or not parent:
                continue
            name = folder[len(parent) + 1 :] + "/"
            if parent == f"arch/{self.srcarch}":
                # Its Makefile adds to what its Kbuild file says, with paths from the top.
                makefile, name = self._arch_makefile(makefile, folder, name)
            if name in makefile.named and name not in makefile.selected and not makefile.open:
                return _because(makefile.named[name]), ""
            if name in makefile.named or makefile.open:
                return "", parent
            nearest = parent if nearest is None and makefile.named else nearest
        return (f"no Makefile leads to {folder}", "") if nearest is not None else ("", "")

    def _arch_makefile(self, kbuild: Makefile, folder: str, name: str) -> tuple[Makefile, str]:
        """Whichever of arch/*/Kbuild and arch/*/Makefile names `folder`, and the name that it has there."""
        if name in kbuild.named:
            return kbuild, name
        top = f"arch/{self.srcarch}"
        if self._top is None:
            text = (self.root / top / "Makefile").read_text("utf-8", "replace")
            self._top = read_makefile(text, self.options, self._variables(top))
            self._top.open = False
        return self._top, f"{folder}/"

    def _includer(self, rel: str) -> str:
        """The C file of the same folder that includes this one."""
        folder = str(PurePosixPath(rel).parent)
        if folder not in self._included:
            found: dict[str, str] = {}
            for path in sorted((self.root / folder).glob("*.[ch]")):
                try:
                    text = path.read_text("utf-8", "replace")
                except OSError:
                    continue
                for name in _INCLUDED.findall(text):
                    found.setdefault(PurePosixPath(name).name, path.name)
            self._included[folder] = found
        return self._included[folder].get(PurePosixPath(rel).name, "")


def _above(folder: str) -> list[str]:
    """The folders above, nearest first, the root ("") last."""
    if not folder:
        return []
    return ["" if str(parent) == "." else str(parent) for parent in PurePosixPath(folder).parents]


def _object(rel: str, owner: str) -> str:
    """The name of a C file's object as the Makefile of `owner` has it."""
    name = rel.removeprefix(f"{owner}/") if rel.startswith(f"{owner}/") or not owner else os.path.relpath(rel, owner)
    return f"{name[:-2]}.o"


def _because(option: str) -> str:
    return f"CONFIG_{option} is off" if option else "not built in this configuration"
