"""The shape of a finding and of a whole report."""

from __future__ import annotations

import enum
import hashlib
import re
from typing import Any

import msgspec


class Level(enum.StrEnum):
    """How bad a rule's findings are, as SARIF names it."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """The worse, the higher."""
        return {"note": 0, "warning": 1, "error": 2}[self.value]


class Confidence(enum.StrEnum):
    """How sure the analysis is that the finding is true."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """The surer, the higher."""
        return {"low": 0, "medium": 1, "high": 2}[self.value]


class Place(msgspec.Struct, frozen=True, order=True):
    """A place in a source file: path relative to the tree's root, 1-based line, 1-based column
    in bytes (0: the whole line), and the function that it lies in."""

    file: str
    line: int
    col: int = 0
    function: str = ""


class Step(msgspec.Struct, frozen=True):
    """One annotated place of the path that proves a finding.

    `kind` is one of "acquire", "enter" (a context or scope), "call", "allocation", "loop", "reclaim"; in a scenario
    also "entry" (a task comes in), "wait" (for a lock) and "oom".
    `depth` is the call depth, 0 in the function of the primary place.
    `essential` steps are the ones without which the finding cannot be understood.
    """

    place: Place
    text: str
    kind: str
    depth: int = 0
    essential: bool = False


class Entry(msgspec.Struct, frozen=True, order=True):
    """A finding as a baseline remembers it."""

    file: str
    rule: str
    function: str
    fingerprint: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule} in {self.function}()" if self.function else f"{self.file}: {self.rule}"


class Suppression(msgspec.Struct, frozen=True):
    """Why a finding is accepted. `kind`: "inSource" (a comment) or "external" (a file of suppressions), as SARIF says;
    `where`: the place of the comment, or the file."""

    kind: str
    reason: str
    where: str


class Task(msgspec.Struct, frozen=True):
    """One task of a scenario: `name` as the thread has it ("taskA"), `role` in the deadlock, `steps` in the order in
    which they happen, and the same as the lines of a drawing, `drawn`."""

    name: str
    role: str
    steps: tuple[Step, ...]
    drawn: tuple[str, ...]


class Scenario(msgspec.Struct, frozen=True):
    """The deadlock that a finding may end in, drawn as the thread "How to handle TIF_MEMDIE stalls?" does.

    `lock` is the class of the lock that one task holds and another waits for. `others` are the next best victims, in
    words, `rest` the number of further places that wait for such a lock. `mortal` counts the places that take one and
    are no victims: a fatal signal ends the wait, or it is a trylock. `problem` says what was not found; it is empty if
    there are all three tasks.
    """

    lock: str
    tasks: tuple[Task, ...]
    others: tuple[str, ...] = ()
    rest: int = 0
    mortal: int = 0
    problem: str = ""


class Finding(msgspec.Struct, frozen=True):
    """One hazard.

    `message` is one sentence without the rule's id. `flow` is the path in execution order; for
    rules with two sides the other side follows in `other`. `subject` holds what the fingerprint
    is made of, beside the rule: names of functions, lock classes, allocators; never a line number.
    `properties` go to JSON and SARIF as they are: function, gfp, locks, depth, ... With `suppressions` it is shown
    because that was asked for, and counts for nothing. `baseline`, if the run has one: "new", or "unchanged" if the
    baseline has it too. `scenario` is there if it was asked for.
    """

    rule: str
    level: Level
    confidence: Confidence
    place: Place
    message: str
    flow: tuple[Step, ...]
    subject: tuple[str, ...]
    other: tuple[Step, ...] = ()
    properties: dict[str, Any] = {}
    suppressions: tuple[Suppression, ...] = ()
    baseline: str = ""
    scenario: Scenario | None = None

    @property
    def counts(self) -> bool:
        """False for what is known and accepted: it is no reason to fail."""
        return not self.suppressions and self.baseline != "unchanged"

    @property
    def meeting(self) -> Place:
        """Where the path of the finding ends: at the allocation, if it has a path."""
        return self.flow[-1].place if self.flow else self.place

    @property
    def fingerprint(self) -> str:
        """What names the hazard whatever line it stands on."""
        return fingerprint(self.rule, self.subject)

    def entries(self) -> list[Entry]:
        """The finding as a baseline remembers it, and those at other places that it stands for."""
        own = Entry(self.place.file, self.rule, self.place.function, self.fingerprint)
        others = self.properties.get("members", ())
        return [own, *(Entry(each["file"], self.rule, each["function"], each["fingerprint"]) for each in others)]

    @property
    def sort_key(self) -> tuple[str, int, int, str, str]:
        """The order of a report."""
        return (self.place.file, self.place.line, self.place.col, self.rule, self.message)


def fingerprint(rule: str, subject: tuple[str, ...]) -> str:
    """32 hex digits that name a hazard whatever line it stands on."""
    text = "\0".join((rule, *subject))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def names_rule(word: str, rule: str, name: str) -> bool:
    """True if a user who says `word` means this rule, among others: by its id, the beginning of that, its name, or
    "all"."""
    return word == "all" or word == name or (word != "" and rule.startswith(word.upper()))


class RuleInfo(msgspec.Struct, frozen=True):
    """What a reporter needs to know of a rule. `help` is Markdown; `help_uri` is where the same can be read, or ""."""

    id: str
    name: str
    family: str
    level: Level
    summary: str
    help: str
    default: bool = True
    help_uri: str = ""


class Loss(msgspec.Struct, frozen=True, order=True):
    """Something that was not looked at. `phase`: "plan", "parse", "lower", "follow", "analysis", "rule"."""

    phase: str
    what: str
    why: str

    @property
    def header(self) -> str:
        """The header that is not there, if an #include of it is what was lost; else empty."""
        found = re.fullmatch(r"'(.+)' file not found", self.why)
        return found[1] if found else ""


class Report(msgspec.Struct, frozen=True):
    """Everything that one run has to say.

    `root` is the absolute path of the tree (source lines are read from there); `counts` are named totals ("files",
    "functions", "allocation sites", "unresolved calls", ...) in printing order. `files` are the C files analysed;
    `absent` is what the baseline has and is not found any more, though that was looked for; `recorded` is what a new
    one shall have. `replaced` holds the contents of files that are not those on disk; one that is not there has none.
    """

    version: str
    root: str
    setup: str
    arch: str
    kernel: str
    findings: tuple[Finding, ...]
    rules: tuple[RuleInfo, ...]
    losses: tuple[Loss, ...]
    counts: dict[str, int]
    command_line: str = ""
    exit_code: int = 0
    files: tuple[str, ...] = ()
    absent: tuple[Entry, ...] = ()
    recorded: tuple[Entry, ...] = ()
    show_known: bool = False
    replaced: dict[str, bytes | None] = {}
