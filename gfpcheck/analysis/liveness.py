"""Facts about the shape of one function: block order, loop heads, live variables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from gfpcheck.analysis.paths import members_in, names_in
from gfpcheck.ir import Addr, Assign, Block, Branch, Call, Expr, Func, Return, Switch, Temp, Var, successors


class Flow(NamedTuple):
    """`order` is a reverse postorder of the reachable blocks and `position` its inverse; `heads` are the targets of
    back edges, `loops` the blocks of the loop that each of them, (from, to), closes, `repeated` the blocks of any
    loop, and `reads` the (record, member) pairs that each of them reads; `live` gives for each block the locals and
    temporaries whose value at its start is used later, and all parameters: what was learnt of them is what a
    summary's outcomes depend on; `pointers` are the locals and parameters of a pointer type."""

    order: tuple[int, ...]
    position: dict[int, int]
    heads: frozenset[int]
    loops: dict[tuple[int, int], frozenset[int]]
    repeated: frozenset[int]
    reads: dict[int, frozenset[tuple[str, str]]]
    live: tuple[frozenset[Expr], ...]
    pointers: frozenset[Expr]


def flow_of(func: Func) -> Flow:
    order = reverse_postorder(func)
    position = {block: number for number, block in enumerate(order)}
    before: dict[int, list[int]] = {}
    for block in order:
        for target in successors(func.blocks[block].term):
            before.setdefault(target, []).append(block)
    loops: dict[tuple[int, int], frozenset[int]] = {}
    for block in order:
        for target in successors(func.blocks[block].term):
            if position[target] <= position[block]:
                loops[block, target] = _loop(block, target, before)
    repeated = frozenset[int]().union(*loops.values())
    reads = {
        block: frozenset(pair for expr in _read_in(func.blocks[block]) for pair in members_in(expr))
        for block in repeated
    }
    params = {param.name for param in func.params}
    pointers = frozenset[Expr](
        Var(name, "p" if name in params else "l") for name, type_ in func.types.items() if type_.endswith("*")
    )
    heads = frozenset(target for _, target in loops)
    return Flow(order, position, heads, loops, repeated, reads, _live_in(func, order), pointers)


def _loop(last: int, head: int, before: dict[int, list[int]]) -> frozenset[int]:
    """The blocks of the loop that the edge from `last` back to `head` closes."""
    found = {head, last}
    pending = [last] if last != head else []
    while pending:
        for block in before.get(pending.pop(), ()):
            if block not in found:
                found.add(block)
                pending.append(block)
    return frozenset(found)


def _read_in(block: Block) -> Iterator[Expr]:
    """What a block computes with and decides by."""
    for instr in block.instrs:
        if isinstance(instr, Assign):
            yield instr.src
    if isinstance(block.term, Branch):
        yield block.term.cond
    elif isinstance(block.term, Switch):
        yield block.term.value


def reverse_postorder(func: Func) -> tuple[int, ...]:
    """The blocks that can be reached, each before its successors but for back edges."""
    seen = {0}
    postorder: list[int] = []
    stack: list[tuple[int, Iterator[int]]] = [(0, iter(successors(func.blocks[0].term)))]
    while stack:
        block, targets = stack[-1]
        for target in targets:
            if target not in seen:
                seen.add(target)
                stack.append((target, iter(successors(func.blocks[target].term))))
                break
        else:
            postorder.append(block)
            stack.pop()
    return tuple(reversed(postorder))


def _is_local(name: Expr) -> bool:
    return isinstance(name, Temp) or (isinstance(name, Var) and name.kind in "lp")


def _live_in(func: Func, order: tuple[int, ...]) -> tuple[frozenset[Expr], ...]:
    uses: dict[int, set[Expr]] = {}
    kills: dict[int, set[Expr]] = {}
    always: set[Expr] = {Var(param.name, "p") for param in func.params}
    for number in order:
        used = uses.setdefault(number, set())
        killed = kills.setdefault(number, set())

        def use(expr: Expr, used: set[Expr] = used, killed: set[Expr] = killed) -> None:
            used |= {name for name in names_in(expr) if name not in killed}

        for instr in func.blocks[number].instrs:
            if isinstance(instr, Assign):
                use(instr.src)
                if _is_local(instr.dst):
                    killed.add(instr.dst)
                else:
                    use(instr.dst)
            else:
                _use_call(instr, use, always)
                killed.add(Temp(instr.dst))
        term = func.blocks[number].term
        read = term.cond if isinstance(term, Branch) else term.value if isinstance(term, Switch | Return) else None
        if read is not None:
            use(read)
    live: list[set[Expr]] = [set() for _ in func.blocks]
    changed = True
    while changed:
        changed = False
        for number in reversed(order):
            out: set[Expr] = set()
            for target in successors(func.blocks[number].term):
                out |= live[target]
            new = uses[number] | (out - kills[number])
            if new != live[number]:
                live[number] = new
                changed = True
    return tuple(frozenset(names | always) for names in live)


def _use_call(call: Call, use: Callable[[Expr], None], always: set[Expr]) -> None:
    use(call.callee)
    for argument in call.args:
        use(argument)
        if isinstance(argument, Addr) and isinstance(argument.base, Var) and argument.base.kind in "lp":
            always.add(argument.base)
