"""gfpcheck.toml: the same settings as the command line, which wins over it."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from gfpcheck.findings import Confidence

NAME = "gfpcheck.toml"


class Config(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """Settings of a project. Paths are relative to the file that they stand in.

    `select`, `ignore`: rules. `rules`: directories with more rules. `models`: more model files.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = ""
    min_confidence: Confidence = Confidence.LOW
    rules: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    arch: str = ""
    jobs: int = 0


class ConfigError(Exception):
    """The file is wrong; the message names it and what is wrong."""


def load(path: Path) -> Config:
    """Read one configuration file. Raises ConfigError."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    _check_keys(path, data)
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from error
    here = path.parent
    return msgspec.structs.replace(
        config,
        rules=tuple(str(here / entry) for entry in config.rules),
        models=tuple(str(here / entry) for entry in config.models),
    )


def find(start: Path) -> Path | None:
    """The nearest gfpcheck.toml at or above `start`."""
    for directory in (start, *start.parents):
        candidate = directory / NAME
        if candidate.is_file():
            return candidate
    return None


def _check_keys(path: Path, data: dict[str, Any]) -> None:
    valid = [field.encode_name for field in msgspec.structs.fields(Config)]
    for key in data:
        if key not in valid:
            close = difflib.get_close_matches(key, valid, 1)
            hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(valid)}"
            raise ConfigError(f"{path}: unknown key {key!r}{hint}")
