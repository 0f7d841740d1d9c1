"""gfpcheck.toml: the same settings as the command line, which wins over it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from gfpcheck.findings import Confidence, Level
from gfpcheck.models import FILES
from gfpcheck.triage import UnknownKeyError, check_keys

NAME = "gfpcheck.toml"
URL = r"^https?://[^\s#]+$"
FOLLOW = 1
"""How many files away from the paths functions are looked into."""
Threshold = Literal["error", "warning", "note", "never"]


class PathTable(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """Settings for some files: `paths` are files, folders or patterns with "*"."""

    paths: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    ignore: tuple[str, ...] = ()
    min_confidence: Confidence | None = None
    levels: dict[str, Level] = {}


class Config(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """Settings of a project. Paths in it are relative to the file that they stand in.

    `select`, `ignore`: rules. `rules`: directories with more rules. `rules_page`: the address of their
    page. `models`: more model files; or a table of models
    like such a file, and with further `files`. `levels`: by rule. `per_path`: what is different for some files; of
    several that concern a file, the last one counts. `baseline`, `suppressions`: files.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: Threshold = "warning"
    min_confidence: Confidence = Confidence.MEDIUM
    rules: tuple[str, ...] = ()
    rules_page: Annotated[str, msgspec.Meta(pattern=URL)] = ""
    models: tuple[str, ...] = ()
    arch: str | None = None
    jobs: Annotated[int, msgspec.Meta(ge=0)] = 0
    follow: Annotated[int, msgspec.Meta(ge=0)] = FOLLOW
    levels: dict[str, Level] = {}
    per_path: tuple[PathTable, ...] = ()
    baseline: str | None = None
    suppressions: tuple[str, ...] = ()


class ConfigError(Exception):
    """The file is wrong; the message names it and what is wrong."""


def settings(named: Path | None, paths: Sequence[Path]) -> tuple[Config, Path | None]:
    """The settings for a run over `paths`, and the file they come from.

    That is `named`, else the nearest gfpcheck.toml at or above the first path, else at or above the
    current directory. Raises ConfigError.
    """
    if named is not None:
        return load(named), named
    here = Path.cwd()
    path = find(here / paths[0]) or find(here)
    if path is None:
        return Config(), None
    return load(path), path


def rule_directories(config: Config, path: Path | None, named: Path | None) -> tuple[Path, ...]:
    """The rule directories of settings that came from `path`; `named` is the file that the user named, if any.

    Rules are programs: to analyse somebody's tree must not mean to run what lies in it. So they are those of a file
    that the user named or stands below; ConfigError if another file has some.
    """
    here = Path.cwd()
    if config.rules and path is not None and named is None and path.parent not in (here, *here.parents):
        raise ConfigError(f"{path} names rules, which are programs; to run them, say --config {path}")
    return tuple(map(Path, config.rules))


def load(path: Path) -> Config:
    """Read one configuration file. Raises ConfigError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        check_keys(data, Config)
        for table in data.get("per-path", ()):
            check_keys(table, PathTable, "per-path")
    except UnknownKeyError as error:
        raise ConfigError(f"{path}: {error}") from error
    except TypeError:
        pass  # no table at all, as is said below
    tables = data.get("models")
    has_models = isinstance(tables, dict) and bool(tables.keys() - {FILES})
    if isinstance(tables, dict):
        data["models"] = tables.get(FILES, [])
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from error
    here = path.parent
    # A model file of its own: the loader of models finds the table in it.
    itself = (str(path),) if has_models else ()
    return msgspec.structs.replace(
        config,
        rules=tuple(str(here / entry) for entry in config.rules),
        models=(*(str(here / entry) for entry in config.models), *itself),
        baseline=None if config.baseline is None else str(here / config.baseline),
        suppressions=tuple(str(here / entry) for entry in config.suppressions),
        per_path=tuple(_absolute(table, here) for table in config.per_path),
    )


def _absolute(table: PathTable, folder: Path) -> PathTable:
    """With patterns that are absolute paths: those of the tree's files are."""
    top = os.path.realpath(folder)
    return msgspec.structs.replace(table, paths=tuple(os.path.normpath(f"{top}/{path}") for path in table.paths))


def find(start: Path) -> Path | None:
    """The nearest gfpcheck.toml at or above `start`, symbolic links resolved where that is possible."""
    try:
        start = start.resolve()
    except (OSError, RuntimeError, ValueError):
        return None  # what is wrong with the path is said where it is opened
    for directory in (start, *start.parents):
        candidate = directory / NAME
        try:
            if candidate.is_file():
                return candidate
        except OSError:
            continue
    return None
