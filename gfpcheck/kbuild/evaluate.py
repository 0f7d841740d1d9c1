"""Gives every Kconfig symbol a value, the way `make olddefconfig` would.

Differences, all deliberate: tristate is bool (built in, never a module), a value may be forced past
its dependencies, and a dependency cycle is broken rather than refused.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping

from gfpcheck.kbuild.kconfig import Choice, Context, Definition, Kconfig, Symbol
from gfpcheck.recursion import deep_recursion

_RECURSION = 50_000
"""Frames of Python: symbols depend on each other in chains of some hundred."""

Expr = str | tuple["str", "Expr"] | tuple["str", "Expr", "Expr"]
"""A symbol or literal as text, ("!", e), or (operator, left, right). Literals start with a double quote."""

_TOKEN = re.compile(r'\s*(&&|\|\||!=|<=|>=|[=<>!()]|"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[\w./-]+)')
_RELATIONS = ("=", "!=", "<", "<=", ">", ">=")


def unquote(text: str) -> str:
    """The value of a quoted string; any other text as it is."""
    if len(text) < 2 or text[0] not in "\"'" or text[-1] != text[0]:
        return text
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def parse_expr(text: str) -> Expr:
    """Parse a Kconfig expression; what cannot be understood counts as true ("y")."""
    tokens = _TOKEN.findall(text)
    if not tokens:
        return "y"
    parser = _Parser(tokens)
    with contextlib.suppress(IndexError):
        return parser.disjunction()
    return "y"


class _Parser:
    """Recursive descent over the tokens of one expression; IndexError where an operand is missing."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def disjunction(self) -> Expr:
        left = self.conjunction()
        while self.peek() == "||":
            self.at += 1
            left = ("||", left, self.conjunction())
        return left

    def conjunction(self) -> Expr:
        left = self.relation()
        while self.peek() == "&&":
            self.at += 1
            left = ("&&", left, self.relation())
        return left

    def relation(self) -> Expr:
        left = self.atom()
        if self.peek() in _RELATIONS:
            operator = self.peek()
            self.at += 1
            return (operator, left, self.atom())
        return left

    def atom(self) -> Expr:
        token = self.tokens[self.at]
        self.at += 1
        if token == "!":
            return ("!", self.atom())
        if token == "(":
            inner = self.disjunction()
            self.at += 1
            return inner
        if token[0] in "\"'":
            return '"' + unquote(token)
        if token[0] in "&|=<>!)":
            raise IndexError
        return token


class Evaluator:
    """Values of all symbols under user choices (`user`), fixed values (`forced`), and options that count
    as selected by something (`selected`)."""

    def __init__(
        self,
        kconfig: Kconfig,
        user: Mapping[str, str],
        forced: Mapping[str, str],
        selected: Collection[str] = (),
    ) -> None:
        self.symbols = kconfig.symbols
        self.user = user
        self.forced = forced
        self.selected = selected
        self._values: dict[str, str] = dict(forced)
        self._busy: set[str] = set()
        self._parsed: dict[str, Expr] = {}
        self._contexts: dict[Context, bool] = {}
        self._chosen: dict[Choice, str] = {}
        self._selectors: dict[str, list[tuple[str, Definition, str]]] = {}
        self._impliers: dict[str, list[tuple[str, Definition, str]]] = {}
        for symbol in self.symbols.values():
            for definition in symbol.definitions:
                for target, condition in definition.selects:
                    self._selectors.setdefault(target, []).append((symbol.name, definition, condition))
                for target, condition in definition.implies:
                    self._impliers.setdefault(target, []).append((symbol.name, definition, condition))

    def all_values(self) -> dict[str, str]:
        """name -> value for every symbol that has one: "y", a number, or a string; what is off is left out."""
        with deep_recursion(_RECURSION):
            values = {name: self.value(name) for name in self.symbols}
            empty = {name for name, value in values.items() if not value and not self._empty_string(name)}
        values.update(self.forced)
        return {name: value for name, value in values.items() if value != "n" and name not in empty}

    def _empty_string(self, name: str) -> bool:
        """Whether the symbol is a string that is in reach, so that it has a value even when that is empty."""
        symbol = self.symbols[name]
        return symbol.kind == "string" and any(self.reachable(definition) for definition in symbol.definitions)

    def value(self, name: str) -> str:
        """The symbol's value: "y"/"n", or the text of an int, hex or string ("" when it has none)."""
        known = self._values.get(name)
        if known is not None:
            return known
        symbol = self.symbols.get(name)
        if symbol is None:
            # "y", "n", "m", a number, or an option of another architecture.
            return "y" if name == "m" else name if name in ("y", "n") or name[:1].isdigit() or name[:1] == "-" else "n"
        if name in self._busy:
            return "n"
        self._busy.add(name)
        try:
            value = self._bool(symbol) if symbol.kind in ("bool", "") else self._text(symbol)
        finally:
            self._busy.discard(name)
        self._values[name] = value
        return value

    def _text(self, symbol: Symbol) -> str:
        if symbol.name in self.user and self._visible(symbol):
            return self.user[symbol.name]
        for definition in symbol.definitions:
            if definition.defaults and self.reachable(definition):
                for value, condition in definition.defaults:
                    if self.test(condition):
                        return self._operand(self._parse(value))
        return ""

    def _bool(self, symbol: Symbol) -> str:
        if symbol.choice is not None and symbol.name not in self._selectors:
            return "y" if self._choose(symbol.choice) == symbol.name else "n"
        if symbol.name in self.selected and any(self.reachable(d) for d in symbol.definitions):
            return "y"
        if self._triggered(self._selectors.get(symbol.name, [])):
            return "y"
        user = self.user.get(symbol.name)
        if user is not None and self._visible(symbol):
            return "n" if user == "n" else "y"
        for definition in symbol.definitions:
            if definition.defaults and self.reachable(definition):
                for value, condition in definition.defaults:
                    if self.test(condition):
                        if self.test(value):
                            return "y"
                        break
        if symbol.name in self._impliers and any(self.reachable(d) for d in symbol.definitions):
            return "y" if self._triggered(self._impliers[symbol.name]) else "n"
        return "n"

    def _triggered(self, sources: list[tuple[str, Definition, str]]) -> bool:
        return any(
            self.value(name) == "y" and self.reachable(definition) and self.test(condition)
            for name, definition, condition in sources
        )

    def _visible(self, symbol: Symbol) -> bool:
        return any(
            self.test(prompt) and self.reachable(definition)
            for definition in symbol.definitions
            for prompt in definition.prompts
        )

    def _choose(self, choice: Choice) -> str:
        """The member of a choice that is on, or "" when the whole choice is out of reach."""
        known = self._chosen.get(choice)
        if known is not None:
            return known
        self._chosen[choice] = ""
        if not self.reachable(choice):
            return ""
        members = [m for m in choice.members if self._visible(self.symbols[m])]
        visible = [m for m in members if self.user.get(m) != "n"] or members
        wanted = [m for m in visible if self.user.get(m, "n") != "n"]
        defaults = [value for value, condition in choice.defaults if value in visible and self.test(condition)]
        self._chosen[choice] = (wanted[-1:] or defaults[:1] or visible[:1] or [""])[0]
        return self._chosen[choice]

    def reachable(self, definition: Definition) -> bool:
        """Whether the entry's own `depends on` and those around it hold."""
        return all(self.test(text) for text in definition.depends) and self._open(definition.context)

    def _open(self, context: Context) -> bool:
        known = self._contexts.get(context)
        if known is None:
            known = (context.parent is None or self._open(context.parent)) and all(
                self.test(text) for text in context.depends
            )
            self._contexts[context] = known
        return known

    def _parse(self, text: str) -> Expr:
        expr = self._parsed.get(text)
        if expr is None:
            expr = self._parsed[text] = parse_expr(text)
        return expr

    def test(self, text: str) -> bool:
        """Whether an expression holds; the empty one does."""
        return not text or self._true(self._parse(text))

    def _true(self, expr: Expr) -> bool:
        if isinstance(expr, str):
            return expr[1:] == "y" if expr[:1] == '"' else self.value(expr) == "y"
        operator = expr[0]
        if operator == "!":
            return not self._true(expr[1])
        assert len(expr) == 3
        if operator == "&&":
            return self._true(expr[1]) and self._true(expr[2])
        if operator == "||":
            return self._true(expr[1]) or self._true(expr[2])
        return _compare(operator, self._operand(expr[1]), self._operand(expr[2]))

    def _operand(self, expr: Expr) -> str:
        if not isinstance(expr, str):
            return "y" if self._true(expr) else "n"
        if expr[:1] == '"':
            return expr[1:]
        if expr in self.symbols or expr in self.forced:
            return self.value(expr)
        return "y" if expr == "m" else expr


def _compare(operator: str, left: str, right: str) -> bool:
    try:
        difference = int(left, 0) - int(right, 0)
    except ValueError:
        difference = (left > right) - (left < right)
    return {
        "=": difference == 0,
        "!=": difference != 0,
        "<": difference < 0,
        "<=": difference <= 0,
        ">": difference > 0,
        ">=": difference >= 0,
    }[operator]
