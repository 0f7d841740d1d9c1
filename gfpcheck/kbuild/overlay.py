"""Keeps the generated headers of an unconfigured tree in the cache directory.

`<cache>/overlay/<digest of the contents>/` holds the headers, laid out like a build directory.
`<cache>/overlay/<digest of the question>.json` remembers which contents answer a question and the
size and time of every file that they were made from, so that the next run only has to look.
Both are written under a temporary name and renamed: a reader never sees half of one.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from gfpcheck.kbuild.arch import Arch
from gfpcheck.kbuild.configure import Config, configure, read_config
from gfpcheck.kbuild.files import show
from gfpcheck.kbuild.generate import generate
from gfpcheck.kbuild.tree import Tree, home
from gfpcheck.kbuild.types import CacheError

_ROUNDING = 0.03
"""Seconds by which headers must be older than the run that reads them for it to be sure that they do not change."""


def overlay(tree: Tree, arch: Arch, folders: Collection[str], config: Path | None, cache_dir: Path) -> Path:
    """The folder of generated headers for `tree`; made if need be.

    The options are those of the file `config`, or chosen by gfpcheck when it is None, and the ones that `folders`
    ask for.
    CacheError when the cache directory cannot be written.
    """
    store = cache_dir / "overlay"
    question = _digest([_maker(), str(home(tree.root)), tree.release, arch.name, str(config or ""), *sorted(folders)])
    index = store / f"{question}.json"
    known = _known(index, tree.root)
    if known is not None and (store / known).is_dir():
        return store / known
    if config is not None and not folders:
        chosen = Config(read_config(config), [str(config)])
    else:
        chosen = configure(tree.root, arch, folders, config)
    files, inputs = generate(tree, arch, chosen.options)
    name = _digest([part for path in sorted(files) for part in (path, files[path])])
    try:
        store.mkdir(parents=True, exist_ok=True)
        if not (store / name).is_dir():
            _write_folder(store, name, files)
        _write_file(index, json.dumps({"contents": name, "inputs": _stats(tree.root, [*inputs, *chosen.inputs])}))
    except OSError as error:
        raise CacheError(
            f"cannot write generated headers to the cache directory {show(cache_dir)}: {error.strerror}; "
            "use a cache directory that can be written"
        ) from None
    return store / name


@functools.cache
def _maker() -> str:
    """A digest of the code and data that make overlays, so that no other version's are used."""
    folder = Path(__file__).parent
    files = sorted([*folder.glob("*.py"), *folder.glob("data/*.toml")])
    return _digest([part for file in files for part in (file.name, file.read_text("utf-8"))])


def _digest(parts: Collection[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _stats(root: Path, paths: Collection[str]) -> dict[str, list[int]]:
    """Size and modification time by path; [] for a file that does not exist."""
    found: dict[str, list[int]] = {}
    for path in sorted(set(paths)):
        try:
            status = (root / path).stat()
        except OSError:
            found[path] = []
        else:
            found[path] = [status.st_size, status.st_mtime_ns]
    return found


def _known(index: Path, root: Path) -> str | None:
    """The contents that an index names, unless one of the files they were made from has changed."""
    try:
        data = json.loads(index.read_text("utf-8"))
        contents, inputs = data["contents"], data["inputs"]
        if isinstance(contents, str) and isinstance(inputs, dict) and _stats(root, inputs) == inputs:
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
        time.sleep(_ROUNDING)
        try:
            temporary.rename(store / name)
        except OSError:
            # Another process may have been faster; its contents are the same.
            if not (store / name).is_dir():
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _write_file(path: Path, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
            stream.write(text)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)
