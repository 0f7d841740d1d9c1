"""The generated headers of an unconfigured tree, written to the cache directory.

`<cache>/overlay/<digest of the contents>/` holds the headers, laid out like a build directory.
`<cache>/overlay/<digest of the question>.json` remembers which contents answer a question and the
size and time of every file that they were made from, so that the next run only has to look.
Both are written under a temporary name and renamed: a reader never sees half of one.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path

import gfpcheck
from gfpcheck.kbuild import arch_headers, headers, syscalls, wrappers
from gfpcheck.kbuild.arch import Arch
from gfpcheck.kbuild.configure import configure
from gfpcheck.kbuild.tree import Tree


def overlay(tree: Tree, arch: Arch, folders: Collection[str], cache_dir: Path) -> Path:
    """The folder of generated headers for `tree` with the options of `folders` on; made if need be.

    OSError when the cache directory cannot be written.
    """
    store = cache_dir / "overlay"
    question = _digest([gfpcheck.__version__, str(tree.root), tree.release, arch.name, *sorted(folders)])
    index = store / f"{question}.json"
    known = _known(index, tree.root)
    if known is not None and (store / known).is_dir():
        return store / known
    files, inputs = generate(tree, arch, folders)
    name = _digest([part for path in sorted(files) for part in (path, files[path])])
    store.mkdir(parents=True, exist_ok=True)
    if not (store / name).is_dir():
        _write_folder(store, name, files)
    _write_file(index, json.dumps({"contents": name, "inputs": _stats(tree.root, inputs)}))
    return store / name


def generate(tree: Tree, arch: Arch, folders: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """The texts of all generated headers by path, and the files of the tree that they were made from."""
    inputs: list[str] = []

    def read(path: str) -> str:
        inputs.append(path)
        try:
            return (tree.root / path).read_text("utf-8", "replace")
        except OSError:
            return ""

    config = configure(tree.root, arch, folders)
    inputs += config.files
    generated = "include/generated/"
    files = {
        generated + "autoconf.h": headers.autoconf(config.values, config.kinds),
        generated + "bounds.h": headers.bounds(config.values),
        generated + "timeconst.h": headers.timeconst(int(config.values.get("HZ") or 100)),
        generated + "uapi/linux/version.h": headers.version_h(tree.version),
    }
    for name, text in headers.release_headers(tree.release, arch.srcarch).items():
        files[generated + name] = text
    for name in _EMPTY:
        files.setdefault(generated + name, "")
    asm = f"arch/{arch.srcarch}/include/generated/"
    for folder in ("asm", "uapi/asm"):
        names = wrappers.wrappers(tree.root, arch.srcarch, folder, read)
        for name in names.generic:
            files[f"{asm}{folder}/{name}"] = f"#include <asm-generic/{name}>\n"
        for name in names.generated:
            files[f"{asm}{folder}/{name}"] = _arch_header(name, tree.root, arch, read)
    return files, sorted(set(inputs))


# Constants for assembly code, and for C files that no finding can be in.
_EMPTY = (
    "asm-offsets.h",
    "rq-offsets.h",
    "vdso-offsets.h",
    "vdso32-offsets.h",
    "vdso64-offsets.h",
    "randstruct_hash.h",
)


def _arch_header(name: str, root: Path, arch: Arch, read: syscalls.Reader) -> str:
    """One of the headers that arch/*/include/asm/Kbuild lists as generated; empty if it is not known how."""
    text = syscalls.header(name, arch.srcarch, read)
    if text is not None:
        return text
    if name in ("cpucap-defs.h", "cpucaps.h"):
        guard = "__ASM_" + name.removesuffix(".h").replace("-", "_").upper() + "_H"
        return arch_headers.cpucaps(read(f"arch/{arch.srcarch}/tools/cpucaps"), guard)
    if name == "sysreg-defs.h":
        return arch_headers.sysregs(read(f"arch/{arch.srcarch}/tools/sysreg"))
    if name == "xen-hypercalls.h":
        folder = "include/xen/interface"
        return arch_headers.xen_hypercalls(
            read(f"{folder}/{p.name}") for p in sorted((root / folder).glob("xen*.h"))
        )
    return ""


def _digest(parts: Collection[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _stats(root: Path, paths: Collection[str]) -> dict[str, list[int]]:
    """Size and modification time by path; [] for a file that does not exist."""
    found: dict[str, list[int]] = {}
    for path in paths:
        try:
            status = os.stat(root / path)
        except OSError:
            found[path] = []
        else:
            found[path] = [status.st_size, status.st_mtime_ns]
    return found


def _known(index: Path, root: Path) -> str | None:
    """The contents that an index names, unless one of the files it was made from has changed."""
    try:
        data = json.loads(index.read_text("utf-8"))
        contents, inputs = data["contents"], data["inputs"]
        if isinstance(contents, str) and isinstance(inputs, Mapping) and _stats(root, inputs) == inputs:
            return contents
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return None


def _write_folder(store: Path, name: str, files: Mapping[str, str]) -> None:
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=store))
    try:
        for path, text in files.items():
            target = temporary / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8", "surrogateescape")
        temporary.chmod(0o755)
        # Another process may have been faster; its contents are the same.
        with contextlib.suppress(OSError):
            temporary.rename(store / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_file(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(text)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
