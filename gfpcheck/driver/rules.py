"""Finding, loading and selecting rules."""

from __future__ import annotations

import difflib
import importlib.util
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from gfpcheck.driver.options import RunError
from gfpcheck.findings import Finding
from gfpcheck.rule_api import Function, Rule

BUILTIN = Path(__file__).parent.parent / "builtin_rules"


def all_rules(directories: Sequence[Path] = ()) -> tuple[type[Rule], ...]:
    """The built-in rules and those of `directories`, sorted by id.

    Raises RunError for a directory or module that cannot be loaded, and for an id or name used twice.
    """
    found: dict[str, tuple[type[Rule], Path]] = {}
    for directory in dict.fromkeys((BUILTIN, *directories)):
        before = len(found)
        for path in _modules(directory):
            for rule in _rules_in(_load(path)):
                for known, place in found.values():
                    if rule.id == known.id or rule.name == known.name:
                        raise RunError(f"rule {rule.id} {rule.name} in {path} clashes with {known.id} in {place}")
                found[rule.id] = (rule, path)
        if len(found) == before:
            raise RunError(f"rule directory {directory}: there is no rule in it")
    return tuple(rule for _, (rule, _) in sorted(found.items()))


def _modules(directory: Path) -> list[Path]:
    try:
        return sorted(p for p in directory.iterdir() if p.suffix == ".py" and not p.name.startswith("_"))
    except OSError as error:
        raise RunError(f"rule directory {directory}: {error.strerror or error}") from error


def _load(path: Path) -> ModuleType:
    if path.parent == BUILTIN:
        return importlib.import_module(f"gfpcheck.builtin_rules.{path.stem}")
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
    return [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module.__name__
    ]


def select(rules: Iterable[type[Rule]], chosen: Sequence[str], ignored: Sequence[str]) -> tuple[type[Rule], ...]:
    """The rules to run. `chosen` and `ignored` hold ids, prefixes of ids ("GFP1"), names, or "all".

    With nothing chosen, the rules that are on by default. Raises RunError for an unknown word, and if none is left.
    """
    available = tuple(rules)
    for word in (*chosen, *ignored):
        if not any(_matches(rule, word) for rule in available):
            words = [w for rule in available for w in (rule.id, rule.name)]
            close = difflib.get_close_matches(word, words, 1, 0.75)
            hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(rule.id for rule in available)}"
            raise RunError(f"no rule is called {word!r}; {hint}")
    wanted = [r for r in available if (any(_matches(r, word) for word in chosen) if chosen else r.default)]
    left = tuple(rule for rule in wanted if not any(_matches(rule, word) for word in ignored))
    if not left:
        raise RunError("no rule is left: everything selected is ignored")
    return left


def apply(rule: type[Rule], function: Function) -> list[Finding]:
    """What a rule finds in a function. Raises whatever the rule raises, TypeError if it yields anything else."""
    found: list[Finding] = []
    each: object
    for each in rule().check(function):
        if not isinstance(each, Finding):
            raise TypeError(f"it yields {type(each).__name__}, not Finding")
        found.append(each)
    return found


def _matches(rule: type[Rule], word: str) -> bool:
    return word == "all" or word == rule.name or (word != "" and rule.id.startswith(word.upper()))
