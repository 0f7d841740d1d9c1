"""The base class of rules."""

from __future__ import annotations

import inspect
import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from gfpcheck.findings import Finding, Level, RuleInfo
from gfpcheck.rule_api.facts import Function

ID_FORM = re.compile(r"[A-Z][A-Z0-9_-]*[0-9]+")
NAME_FORM = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
API_VERSION = (1, 2)
"""Version of the rule API: the second number grows when something is added, the first when something goes."""
HEADINGS = ("## What it finds", "## Why it is a bug", "## Bad", "## Good", "## How it is decided")


class Rule(ABC):
    """A rule: metadata, documentation, and a check.

    `id` is stable for ever; `name` is kebab-case and reads well after "allow"; `level` is that of its
    findings. The documentation is the docstring of the module, in Markdown, with the headings of
    `HEADINGS`. `api` is the first number of the API version that it is written for. `every_function`: `check` is called
    for functions that allocate nothing and do nothing to scopes, too. `deadlocks`: what it finds may end in a deadlock
    over the locks that its findings name, of which a scenario can be drawn. Functions are looked at by several
    processes, so a rule can remember nothing from one to the next. Incomplete metadata is an error when the
    class is made.
    """

    id: ClassVar[str]
    name: ClassVar[str]
    family: ClassVar[str]
    level: ClassVar[Level]
    summary: ClassVar[str]
    default: ClassVar[bool] = True
    api: ClassVar[int] = 1
    every_function: ClassVar[bool] = False
    deadlocks: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if inspect.isabstract(cls):
            return
        for attribute in ("id", "name", "family", "level", "summary"):
            if not getattr(cls, attribute, ""):
                raise TypeError(f"rule {cls.__name__} lacks {attribute!r}")
        if not ID_FORM.fullmatch(cls.id):
            raise TypeError(f"rule {cls.__name__}: {cls.id!r} is not an id like GFP101")
        if not NAME_FORM.fullmatch(cls.name):
            raise TypeError(f"rule {cls.__name__}: {cls.name!r} is not kebab-case")
        if cls.api != API_VERSION[0]:
            here = ".".join(map(str, API_VERSION))
            raise TypeError(f"rule {cls.__name__} is written for rule API {cls.api}, and this gfpcheck has {here}")
        text = cls.documentation()
        for heading in HEADINGS:
            if heading not in text:
                raise TypeError(f"rule {cls.__name__}: its documentation lacks the heading {heading!r}")

    @classmethod
    def documentation(cls) -> str:
        """The rule's documentation in Markdown."""
        return inspect.cleandoc(sys.modules[cls.__module__].__doc__ or "")

    @classmethod
    def anchor(cls) -> str:
        """The rule's place on the page of all rules."""
        return cls.id.lower()

    @classmethod
    def info(cls, page: str = "") -> RuleInfo:
        """The metadata as reporters want it; `page` is the address of the page of all rules, if it has one."""
        uri = f"{page}#{cls.anchor()}" if page else ""
        return RuleInfo(cls.id, cls.name, cls.family, cls.level, cls.summary, cls.documentation(), cls.default, uri)

    @abstractmethod
    def check(self, function: Function) -> Iterator[Finding]:
        """The findings in `function`."""
