"""Where rules come from: the package, installed packages, directories. A rule seen twice is an error."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from gfpcheck.driver.options import RunError
from gfpcheck.findings import Finding
from gfpcheck.rule_api import Function, Rule

BUILTIN = Path(__file__).parent.parent / "builtin_rules"
GROUP = "gfpcheck.rules"
"""The entry points by which installed packages bring rules: each names a module, or a package of modules."""

OWN = "gfpcheck"
"""The place of the built-in rules."""
RESERVED = "GFP"
"""Ids that begin so belong to the built-in rules."""


class Known(NamedTuple):
    """A rule and the place that it came from, for the user: "gfpcheck", a file, a package with its version."""

    rule: type[Rule]
    place: str


def known_rules(directories: Sequence[Path] = ()) -> tuple[Known, ...]:
    """The built-in rules, those of installed packages and those of `directories`, sorted by id.

    Raises RunError for a directory, package or module that cannot be loaded or holds no rule, for an id or name used
    twice, and for an id that is reserved.
    """
    found: dict[str, Known] = {}
    for known in _everywhere(directories):
        for other in found.values():
            if known.rule.id == other.rule.id or known.rule.name == other.rule.name:
                raise RunError(f"rule {_shown(known)} clashes with {_shown(other)}")
        if known.place != OWN and known.rule.id.startswith(RESERVED):
            raise RunError(f"rule {_shown(known)}: ids that begin with GFP are gfpcheck's own")
        found[known.rule.id] = known
    return tuple(known for _, known in sorted(found.items()))


def all_rules(directories: Sequence[Path] = ()) -> tuple[type[Rule], ...]:
    """As `known_rules`, the rules alone."""
    return tuple(known.rule for known in known_rules(directories))


def apply(rule: type[Rule], function: Function) -> list[Finding]:
    """What a rule finds in a function. Raises whatever the rule raises, TypeError if it yields anything else."""
    found: list[Finding] = []
    each: object
    for each in rule().check(function):
        if not isinstance(each, Finding):
            raise TypeError(f"it yields {type(each).__name__}, not Finding")
        found.append(each)
    return found


def package_places() -> tuple[Path, ...]:
    """The folders of the installed packages that bring rules, or the files of single modules; after `known_rules`."""
    names = {point.value.strip().partition(".")[0] for point in entry_points(group=GROUP)}
    files = [Path(file) for name in sorted(names) if (file := getattr(sys.modules.get(name), "__file__", None))]
    return tuple(file.parent if file.name == "__init__.py" else file for file in files)


def rule_modules(directory: Path) -> list[Path]:
    """The modules of a rule directory, sorted. Raises RunError."""
    try:
        return sorted(p for p in directory.iterdir() if p.suffix == ".py" and not p.name.startswith("_"))
    except OSError as error:
        raise RunError(f"rule directory {directory}: {error.strerror or error}") from error


def _shown(known: Known) -> str:
    return f"{known.rule.id} {known.rule.name} in {known.place}"


def _everywhere(directories: Sequence[Path]) -> Iterator[Known]:
    for path in rule_modules(BUILTIN):
        for rule in _rules_in(importlib.import_module(f"gfpcheck.builtin_rules.{path.stem}")):
            yield Known(rule, OWN)
    for point in sorted(entry_points(group=GROUP), key=lambda point: (point.name, point.value)):
        yield from _installed(point)
    seen = {BUILTIN.resolve()}
    for directory in directories:
        real = directory.resolve()
        if real in seen:
            continue
        seen.add(real)
        own = [Known(rule, str(path)) for path in rule_modules(directory) for rule in _rules_in(_load(path))]
        if not own:
            raise RunError(f"rule directory {directory}: there is no rule in it")
        yield from own


def _installed(point: EntryPoint) -> list[Known]:
    """The rules that an entry point names."""
    package = f"package {point.dist.name} {point.dist.version}" if point.dist else f"entry point {point.name}"
    try:
        module = importlib.import_module(point.value.strip())
        modules = [module]
        for each in pkgutil.iter_modules(getattr(module, "__path__", ())):
            if not each.name.startswith("_"):
                modules.append(importlib.import_module(f"{module.__name__}.{each.name}"))
    except (Exception, SystemExit) as error:  # somebody else's code may raise anything
        raise RunError(f"{package}, rules from {point.value}: {type(error).__name__}: {error}") from error
    own = [Known(rule, f"{package} ({module.__name__})") for module in modules for rule in _rules_in(module)]
    if not own:
        raise RunError(f"{package}, rules from {point.value}: there is no rule in it")
    return own


def _load(path: Path) -> ModuleType:
    name = f"gfpcheck_rules:{path.absolute()}"  # unlike any other's: a rule finds its documentation by it
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RunError(f"rule module {path} cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's module may raise anything
        raise RunError(f"rule module {path}: {type(error).__name__}: {error}") from error
    return module


def _rules_in(module: ModuleType) -> list[type[Rule]]:
    values = dict.fromkeys(value for value in vars(module).values() if isinstance(value, type))
    return [
        value
        for value in values
        if issubclass(value, Rule) and value.__module__ == module.__name__ and not inspect.isabstract(value)
    ]
