"""What a rule is told about the allocation scopes that a function opens and closes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gfpcheck.findings import Place
from gfpcheck.rule_api.locks import Scope


@dataclass(frozen=True, slots=True)
class ScopeLeak:
    """A scope that the function opens and that is still open where it returns, though nobody has the token.

    `scope` says where it was opened, `name` is the function called there, or empty if the code sets the bit in the
    task's flags itself. `returns` are the places where the function returns with it. `restored`: on another path the
    function closes it.
    """

    scope: Scope
    name: str
    returns: tuple[Place, ...]
    restored: bool


@dataclass(frozen=True, slots=True)
class Ending:
    """What is known, on some paths, of a call that closes a scope.

    `verdict` says what it is given: "right", the token of the innermost open scope of its kind; "unknown"; "constant",
    no token at all; "kind", the token of another kind of scope; "order", that of a scope in which another one of its
    kind is still open; "twice", that of a scope which is closed already. `opened` is where the token's scope was
    opened, `inner` where the one that is still open in it was, `made_for` the kind of scope that the token belongs to.
    """

    verdict: Literal["right", "unknown", "constant", "kind", "order", "twice"]
    opened: Place | None = None
    inner: Place | None = None
    made_for: str = ""


@dataclass(frozen=True, slots=True)
class ScopeEnd:
    """A call that closes a scope of `kind`, by itself or below: `name` is the function called, `endings` what is known
    of it, path by path."""

    name: str
    kind: str
    place: Place
    endings: tuple[Ending, ...]
