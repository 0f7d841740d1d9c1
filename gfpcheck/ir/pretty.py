"""The IR as text, one line an instruction: for tests and for looking at what the frontend made."""

from __future__ import annotations

from gfpcheck.ir.types import (
    Addr,
    Assign,
    Bin,
    Block,
    Branch,
    Call,
    Const,
    Deref,
    Expr,
    Field,
    Func,
    Goto,
    Index,
    Instr,
    Jump,
    Return,
    Str,
    Switch,
    Temp,
    Term,
    Un,
    Var,
)


def expr(value: Expr) -> str:
    """An expression in C-like spelling; `%3` is a temporary, `?` an unknown value."""
    if isinstance(value, Var):
        return value.name
    if isinstance(value, Const):
        return value.text or str(value.value)
    if isinstance(value, Temp):
        return f"%{value.id}"
    if isinstance(value, Field):
        if isinstance(value.base, Deref):
            return f"{_operand(value.base.base)}->{value.member}"
        return f"{_operand(value.base)}.{value.member}"
    if isinstance(value, Deref):
        return f"*{_operand(value.base)}"
    if isinstance(value, Addr):
        return f"&{_operand(value.base)}"
    if isinstance(value, Index):
        return f"{_operand(value.base)}[{expr(value.index)}]"
    if isinstance(value, Bin):
        return f"{_operand(value.left)} {value.op} {_operand(value.right)}"
    if isinstance(value, Un):
        return f"{value.op}{_operand(value.operand)}"
    if isinstance(value, Str):
        return f'"{value.value}"'
    return "?"


def _operand(value: Expr) -> str:
    return f"({expr(value)})" if isinstance(value, (Bin, Un, Deref, Addr)) else expr(value)


def instr(value: Instr) -> str:
    """One instruction."""
    if isinstance(value, Assign):
        return f"{expr(value.dst)} = {expr(value.src)}"
    return _call(value)


def _call(call: Call) -> str:
    result = f"%{call.dst} = " if call.dst >= 0 else ""
    notes = [note for note in (call.macro, f"gfp {call.gfp}" if call.gfp >= 0 else "") if note]
    if call.cleanup:
        notes.append("cleanup")
    arguments = ", ".join(expr(argument) for argument in call.args)
    return f"{result}{_operand(call.callee)}({arguments})" + (f"  [{', '.join(notes)}]" if notes else "")


def term(value: Term) -> str:
    """One terminator."""
    if isinstance(value, Jump):
        return f"goto {value.target}"
    if isinstance(value, Branch):
        return f"if {expr(value.cond)} goto {value.then} else {value.other}"
    if isinstance(value, Switch):
        cases = "".join(
            f" {low}: {target}," if low == high else f" {low}..{high}: {target}," for low, high, target in value.cases
        )
        return f"switch {expr(value.value)} {{{cases} default: {value.default} }}"
    if isinstance(value, Goto):
        return "goto any of " + ", ".join(map(str, value.targets))
    if isinstance(value, Return):
        return "return" if value.value is None else f"return {expr(value.value)}"
    return "stop"


def blocks(values: tuple[Block, ...]) -> str:
    """Blocks, each with its number."""
    text = []
    for number, block in enumerate(values):
        text.append(f"{number}:")
        text += [f"  {instr(item)}" for item in block.instrs]
        text.append(f"  {term(block.term)}")
    return "\n".join(text)


def func(value: Func) -> str:
    """A whole function, with its head."""
    params = ", ".join(f"{param.type} {param.name}".rstrip() for param in value.params)
    words = [word for word, on in (("static", value.static), ("inline", value.inline)) if on]
    head = " ".join([*words, value.ret, f"{value.name}({params})"])
    notes = f"  # {', '.join(value.annotations)}" if value.annotations else ""
    return f"{head}{notes}\n{blocks(value.blocks)}"
