"""Statements: one function's body becomes a control-flow graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from gfpcheck.frontend import kinds, libclang
from gfpcheck.frontend.decls import Decls
from gfpcheck.frontend.lowering import UNKNOWN
from gfpcheck.frontend.places import Home
from gfpcheck.frontend.scan import for_clauses, statement_words
from gfpcheck.frontend.scopes import Scopes
from gfpcheck.frontend.tree import Node, Tree
from gfpcheck.ir.types import (
    Assign,
    Block,
    Const,
    Deref,
    Expr,
    Field,
    Goto,
    Index,
    Jump,
    Loc,
    Return,
    Stop,
    Switch,
    Var,
)

_ASM_QUALIFIERS = 4  # asm volatile inline goto (


@dataclass(slots=True, eq=False)
class _SwitchCases:
    """The labels met so far in the innermost switch."""

    cases: list[tuple[int, int, int]] = field(default_factory=list)
    default: int = -1


@dataclass(slots=True, eq=False)
class _Exit:
    """Where `break` or `continue` goes, and how many cleanups stay in force there."""

    target: int
    depth: int


class Body(Scopes):
    """Lowers one function body."""

    def __init__(self, decls: Decls, home: Home, start: tuple[int, int], void: bool) -> None:
        super().__init__(decls, home, start)
        self._breaks: list[_Exit] = []
        self._continues: list[_Exit] = []
        self._switches: list[_SwitchCases] = []
        self._void = void
        self._labels: dict[int, int] = {}  # a label's identity -> its block
        self._label_names: dict[bytes, list[int]] = {}
        self._taken: list[int] = []  # blocks of the labels whose address is taken

    def lower(self, tree: Tree, last: Loc) -> tuple[Block, ...]:
        """The blocks of a function whose body is `tree` and whose closing brace is at `last`."""
        for label in tree.labels:
            key = label.cursor.data1
            self._labels[key] = block = self.out.block()
            self._label_names.setdefault(self.decls.spelling(label.cursor).encode(), []).append(block)
        if tree.labels and tree.attributed:
            self.find_label_cleanups(tree.root, [])
        self._taken = [self._label_of(node.kids[0]) for node in tree.addressed if node.kids]
        self._compound(tree.root)
        return self.out.finish(Return(None, last))

    def statement(self, node: Node) -> None:
        """Lowers one statement or expression statement."""
        lower = _STATEMENTS.get(node.kind)
        if lower:
            lower(self, node)
        elif kinds.FIRST_EXPR <= node.kind <= kinds.LAST_EXPR:
            self.effect(node)

    # --- scopes ---

    def _compound(self, node: Node) -> None:
        depth = len(self.cleanups)
        for kid in node.kids:
            self.statement(kid)
        self.close(depth, node)

    def statement_expression(self, node: Node, used: bool) -> Expr:
        kids = node.kids[0].kids if node.kids else []
        depth = len(self.cleanups)
        value: Expr = UNKNOWN
        for kid in kids[:-1]:
            self.statement(kid)
        if kids:
            last = kids[-1]
            while last.kind == kinds.LABEL_STMT and last.kids:
                self.out.start(self._labels[last.cursor.data1])
                last = last.kids[-1]
            if used and kinds.FIRST_EXPR <= last.kind <= kinds.LAST_EXPR:
                value = self.value(last)
                if len(self.cleanups) > depth:
                    value = self.out.hold(value, self.loc(last))
            else:
                self.statement(last)
        self.close(depth, node)
        return value

    # --- branches ---

    def _if(self, node: Node) -> None:
        out = self.out
        after = out.block()
        while True:  # along else if, which may be long
            cond, then, *rest = node.kids
            true = out.block()
            false = out.block() if rest else after
            self.condition(cond, true, false)
            out.start(true)
            self.statement(then)
            out.jump(after)
            if not rest:
                break
            out.start(false)
            if rest[0].kind != kinds.IF_STMT:
                self.statement(rest[0])
                break
            node = rest[0]
        out.start(after)

    def _switch(self, node: Node) -> None:
        out = self.out
        loc = self.loc(node)
        value = self.value(node.kids[0])
        head = out.end(Stop())
        cases = _SwitchCases()
        after = out.block()
        self._switches.append(cases)
        self._breaks.append(_Exit(after, len(self.cleanups)))
        self.statement(node.kids[-1])
        self._breaks.pop()
        self._switches.pop()
        out.start(after)
        default = after if cases.default < 0 else cases.default
        if isinstance(value, Const):
            hit = (target for low, high, target in cases.cases if low <= value.value <= high)
            out.patch(head, Jump(next(hit, default)))
        else:
            out.patch(head, Switch(value, tuple(cases.cases), default, loc))

    def _case(self, node: Node) -> None:
        block = self.out.block()
        self.out.start(block)
        while True:  # case 1: case 2: ... nest
            if node.kind == kinds.CASE_STMT:
                bounds = [libclang.evaluate(kid.cursor) for kid in node.kids[:-1]]
                if bounds and None not in bounds:
                    self._switches[-1].cases.append((bounds[0] or 0, bounds[-1] or 0, block))
            else:
                self._switches[-1].default = block
            if not node.kids or node.kids[-1].kind not in (kinds.CASE_STMT, kinds.DEFAULT_STMT):
                break
            node = node.kids[-1]
        if node.kids:
            self.statement(node.kids[-1])

    # --- loops ---

    def _loop(self, body: Node, after: int, again: int) -> None:
        """A loop's body: `break` goes to `after`, `continue` to `again`."""
        depth = len(self.cleanups)
        self._breaks.append(_Exit(after, depth))
        self._continues.append(_Exit(again, depth))
        self.statement(body)
        self._continues.pop()
        self._breaks.pop()

    def _while(self, node: Node) -> None:
        out = self.out
        head, body, after = out.block(), out.block(), out.block()
        out.start(head)
        self.condition(node.kids[0], body, after)
        out.start(body)
        self._loop(node.kids[-1], after, head)
        out.jump(head)
        out.start(after)

    def _do(self, node: Node) -> None:
        out = self.out
        body, again, after = out.block(), out.block(), out.block()
        out.start(body)
        self._loop(node.kids[0], after, again)
        out.start(again)
        self.condition(node.kids[-1], body, after)
        out.start(after)

    def _for(self, node: Node) -> None:
        out = self.out
        depth = len(self.cleanups)
        init, cond, step = self._clauses(node)
        if init:
            self.statement(init)
        head, body, again, after = out.block(), out.block(), out.block(), out.block()
        out.start(head)
        if cond:
            self.condition(cond, body, after)
        out.start(body)
        self._loop(node.kids[-1], after, again)
        out.start(again)
        if step:
            self.effect(step)
        out.jump(head)
        out.start(after)
        self.close(depth, node)

    def _clauses(self, node: Node) -> list[Node | None]:
        """(init, condition, step) of a `for`: libclang lists those that are there without saying which."""
        parts = node.kids[:-1]
        written = [True, True, True]
        if len(parts) < len(written):
            found = for_clauses(*self.places.spelling(node.cursor))
            if found is not None and sum(found) == len(parts):
                written = found
        rest = iter(parts)
        return [next(rest, None) if there else None for there in written]

    # --- jumps ---

    def _break(self, node: Node) -> None:
        self._leave(node, self._breaks)

    def _continue(self, node: Node) -> None:
        self._leave(node, self._continues)

    def _nothing(self, node: Node) -> None:
        """An empty statement."""

    def _leave(self, node: Node, exits: list[_Exit]) -> None:
        if exits:
            to = exits[-1]
            if len(self.cleanups) > to.depth:
                self.run_cleanups(to.depth, self.loc(node))
            self.out.jump(to.target)

    def _label_of(self, node: Node) -> int:
        """The block of the label that a LabelRef names."""
        return self._labels[self._lib.clang_getCursorReferenced(node.cursor).data1]

    def _label(self, node: Node) -> None:
        self.out.start(self._labels[node.cursor.data1])
        for kid in node.kids:
            self.statement(kid)

    def _goto(self, node: Node) -> None:
        key = self._lib.clang_getCursorReferenced(node.kids[0].cursor).data1
        if self.cleanups:
            there = self.label_cleanups.get(key, ())
            depth = 0
            for here, kept in zip(self.cleanups, there, strict=False):
                if here is not kept:
                    break
                depth += 1
            self.run_cleanups(depth, self.loc(node))
        self.out.jump(self._labels[key])

    def _indirect_goto(self, node: Node) -> None:
        for kid in node.kids:
            self.effect(kid)
        self.out.end(Goto(tuple(self._taken)) if self._taken else Stop())

    def _return(self, node: Node) -> None:
        loc = self.loc(node)
        value: Expr | None = None
        if node.kids:
            if self._void:
                self.effect(node.kids[0])
            else:
                value = self.value(node.kids[0])
        if self.cleanups:
            if value is not None:
                value = self.out.hold(value, loc)
            self.run_cleanups(0, loc)
        self.out.end(Return(value, loc))

    def _attributed(self, node: Node) -> None:
        for kid in node.kids:
            self.statement(kid)

    def _asm(self, node: Node) -> None:
        """Operands that are objects may be written to; `asm goto` may jump to any label it names."""
        for kid in node.kids:
            value = self.value(kid)
            if kid.kind != kinds.UNEXPOSED_EXPR and isinstance(value, (Var, Field, Deref, Index)):
                self.out.emit(Assign(value, UNKNOWN, self.loc(node)))
        if self._label_names:
            targets = self._asm_labels(node)
            if targets:
                after = self.out.block()
                self.out.end(Goto((after, *targets)))
                self.out.start(after)

    def _asm_labels(self, node: Node) -> list[int]:
        """libclang does not list an asm's labels: they are found in its text, in the macro or where it is used."""
        text, offset = self.places.spelling(node.cursor)
        words = statement_words(text, offset)
        if b"goto" not in words[:_ASM_QUALIFIERS]:
            return []
        used = self.places.offset(node.cursor, self.home)
        if used >= 0 and self.places.in_macro(node.cursor):
            words += statement_words(self.home.text.data, used)
        named = [block for word in dict.fromkeys(words) for block in self._label_names.get(word, ())]
        return named or [block for blocks in self._label_names.values() for block in blocks]


# Not bound to an instance: that would be a cycle for each function, and workers do not collect cycles.
_STATEMENTS: dict[int, Callable[[Body, Node], None]] = {
    kinds.COMPOUND_STMT: Body._compound,
    kinds.DECL_STMT: Body.declarations,
    kinds.IF_STMT: Body._if,
    kinds.SWITCH_STMT: Body._switch,
    kinds.CASE_STMT: Body._case,
    kinds.DEFAULT_STMT: Body._case,
    kinds.WHILE_STMT: Body._while,
    kinds.DO_STMT: Body._do,
    kinds.FOR_STMT: Body._for,
    kinds.GOTO_STMT: Body._goto,
    kinds.INDIRECT_GOTO_STMT: Body._indirect_goto,
    kinds.CONTINUE_STMT: Body._continue,
    kinds.BREAK_STMT: Body._break,
    kinds.RETURN_STMT: Body._return,
    kinds.ASM_STMT: Body._asm,
    kinds.LABEL_STMT: Body._label,
    kinds.UNEXPOSED_STMT: Body._attributed,
    kinds.NULL_STMT: Body._nothing,
}
