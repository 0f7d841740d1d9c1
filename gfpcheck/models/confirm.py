"""Model entries against a kernel tree: names, numbers of arguments, types, return conventions, members.

`check(models, trees)` gives one line for each thing that the trees do not confirm.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import get_args

from gfpcheck.kbuild.kernel import data_file
from gfpcheck.models.declarations import Function, Tree
from gfpcheck.models.types import Allocator, EntryPoint, GivesUp, LockOp, Models, Scope

LOCK_TYPES = {
    "spin": r"(raw_)?spinlock_t \*",
    "raw_spin": r"raw_spinlock_t \*",
    "rwlock": r"rwlock_t \*",
    "seqlock": r"seq(lock|count)_t \*",
    "bit_spin": r"unsigned long \*|struct hlist_bl_head \*",
    "local_lock": r"local_lock_t (__percpu )?\*",
    "mutex": r"struct mutex \*",
    "rwsem": r"struct rw_semaphore \*",
    "percpu_rwsem": r"struct percpu_rw_semaphore \*",
    "semaphore": r"struct semaphore \*",
    "rt_mutex": r"struct rt_mutex \*",
    "ww_mutex": r"struct ww_mutex \*",
    "srcu": r"struct srcu_struct \*",
    "bit_sleep": r"(volatile )?(unsigned long|void) \*",
}
"""What the parameter that is the lock itself looks like, by kind."""

MEMBER_TYPES = {
    "spin": r"spinlock_t",
    "bit_spin": r"struct rhash_lock_head",
    "mutex": r"struct mutex",
    "rwsem": r"struct rw_semaphore",
    "bit_sleep": r"unsigned long",
}

LEADS_TO = {
    ("struct page", "struct folio"),
    ("struct dentry", "struct inode"),
    ("struct dentry", "struct super_block"),
    ("struct file", "struct super_block"),
    ("struct vfsmount", "struct super_block"),
    ("struct vm_area_struct", "struct vma_lock"),
    ("struct sock", "socket_lock_t"),
    ("struct super_block", "struct bgl_lock"),
}
"""Owners (parameter, record) from which the lock is reached by more than one step."""

PSEUDO = {"rcu_trace"}
"""Instances that are no variables."""

RETURNS = {
    "zero": r"int|vm_fault_t|bool",
    "nonzero": r"int|bool",
    "nonnull": r".*\*",
    "not_error": r".*\*",
    "error": r".*\*",
}
DEPTH = 2
FAR = {
    "sb_bread",  # grow_dev_page() in 6.1
    "sb_bread_unmovable",
    "__bread",
    "__getblk",
    "getblk_unmovable",
    "sb_getblk",
    "new_inode",  # lsm_inode_alloc() in security/security.c, in 6.1
    "iget_locked",
    "inode_init_always",
    "get_user_pages",  # the page fault
    "ioremap",  # get_vm_area_caller()
    "proc_create",  # __proc_create()
    "crypto_alloc_shash",  # crypto_alloc_tfmmem()
    "debugfs_create_file",  # the lookup: d_alloc()
}
"""Allocators whose flags stand further down than DEPTH calls; read by hand."""

FAILURES: Mapping[str, tuple[str, ...]] = {
    "*": ("null", "err_ptr", "never"),
    "bool": ("false",),
    "void": ("never",),
    "unsigned long": ("null", "count"),
    "depot_stack_handle_t": ("null",),
}
"""What failure may look like, by the return type; anything else is a number."""

FUNCTION_POINTER = re.compile(
    r"\(\s*\*|_func_t|_handler_t|_callback_t|_fn_t|_complete_t|_completion_t|_poll_fn \*|_comp_handler\b"
)
"""Parameters that take a function: spelled out, or by one of the kernel's typedefs."""

QUALIFIERS = re.compile(
    r"\b(extern|static|inline|noinline|notrace|asmlinkage|const|volatile|__\w+(\([^()]*\))?)(?=\W|$)"
)
_INTEGER = re.compile(r"0[xX][0-9a-fA-F]+|[1-9][0-9]*|0")
FREEZE_NAMES = re.compile(r"sb_writers_name\b[^;]*;", re.DOTALL)


def check(models: Models, tree: Tree, others: tuple[Tree, ...] = ()) -> list[str]:
    """What `tree` does not confirm. A spelling may be confirmed by one of `others` alone."""
    trees = (tree, *others)
    problems: list[str] = []
    problems += _locks(models, tree, trees)
    problems += _functions(models, tree, trees)
    problems += _members(models, tree, trees)
    problems += _words(models, trees)
    problems += [f"steady {name}: unknown" for name in models.steady if not any(each.has(name) for each in trees)]
    problems += [f"opaque {path}: unknown" for path in models.opaque if not (tree.root / path).exists()]
    for section, names in (
        ("pool_returns", models.pool_returns),
        ("pool_keeps", models.pool_keeps),
        ("last_references", models.last_references),
    ):
        problems += [f"{section} {name}: unknown" for name in names if not any(each.has(name) for each in trees)]
    problems += [f"waits {name}: unknown" for name in models.waits if not any(each.has(name) for each in trees)]
    problems += [f"oom_path {name}: unknown" for name in models.oom_path if tree.is_kernel and not tree.has(name)]
    problems += [f"retry_waits {name}: unknown" for name in models.retry_waits if not tree.has(name)]
    problems += [f"noreturn {name}: unknown" for name in models.noreturn if not any(each.has(name) for each in trees)]
    problems += [f"gfp {name}: unknown" for name in models.gfp_flags if not any(name in each.macros for each in trees)]
    problems += [f"gfp {name}: required, unknown" for name in models.gfp_required if name not in tree.macros]
    problems += [f"gfp {name}: no single name of it" for name in models.gfp_compound if name not in models.gfp_flags]
    problems += [f"constant {name}: unknown" for name in models.constants if name not in tree.macros]
    for path in models.task_flags:
        record, _, member = path.rpartition(".")
        problems += [] if tree.member(record, member) else [f"task_flags: no member {path}"]
    return problems


def _exists(name: str, spelled: tuple[str, ...], tree: Tree, trees: tuple[Tree, ...]) -> bool:
    return tree.has(name) if name not in spelled else any(each.has(name) for each in trees)


def _locks(models: Models, tree: Tree, trees: tuple[Tree, ...]) -> Iterator[str]:
    for name, ops in models.locks.items():
        for op in ops:
            if not _exists(name, op.spelled, tree, trees):
                yield f"{name}: not in the tree"
                continue
            said = next((way for way in get_args(GivesUp) if way in name), None)
            if op.does == "acquire" and op.gives_up != said:
                yield f"{name}: gives_up = {op.gives_up!r}, by its name it is {said!r}"
            functions = tree.named(name)
            kept = name in op.spelled or f" {name}(" in _own_headers()
            if not functions and name in tree.macros and not kept:
                left = tree.leaves(name)
                if not left & {*op.spelled, *op.via}:
                    yield f"{name}: the macro leaves none of {', '.join((*op.spelled, *op.via)) or 'its spellings'}"
            for function in functions:
                for problem in _lock(op, function, tree, models):
                    yield f"{name}: {problem} ({function.file})"


@cache
def _own_headers() -> str:
    """The headers of gfpcheck's that stand before the kernel's, and make functions of macros."""
    folder = Path(data_file("wrappers"))
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.h")))


def _lock(op: LockOp, function: Function, tree: Tree, models: Models) -> Iterator[str]:
    params = function.params
    for field in ("arg", "when_arg", "token"):
        number = getattr(op, field)
        if number >= len(params):
            yield f"{field} = {number}, but there are {len(params)} parameters"
            return
    if op.token >= 0 and not re.match(r"unsigned long\b", params[op.token]):
        yield f"token is {params[op.token]!r}"
    if op.arg >= 0:
        yield from _lock_argument(op, _type(params[op.arg]), tree, models)
    elif op.instance and op.instance not in PSEUDO and not _defined(op.instance, tree):
        yield f"no variable {op.instance}"
    said = _type(params[op.when_arg]) if op.when_arg >= 0 else _return(function)
    if op.when == "always":
        if op.does == "acquire" and said == "bool":
            yield "returns bool, and counts as always successful"
    elif not re.fullmatch(RETURNS[op.when], said):
        yield f"when = {op.when!r}, but it is {said!r}"


def _lock_argument(op: LockOp, given: str, tree: Tree, models: Models) -> Iterator[str]:
    if op.member == "*":
        if given != "spinlock_t **":
            yield f"the lock's pointer is {given!r}"
    elif not op.member:
        expected = LOCK_TYPES.get(op.kind)
        is_own = models.lock_types.get(given.removesuffix(" *")) == op.kind
        if expected and not is_own and not re.fullmatch(expected, given):
            yield f"kind {op.kind}, but the argument is {given!r}"
    else:
        record, _, member = op.member.rpartition(".")
        owner = given.removesuffix(" *").removeprefix("const ")
        same = tree.structs.get(owner) == tree.structs.get(record)  # by its typedef
        if owner != record and not (same and owner in tree.structs) and (owner, record) not in LEADS_TO:
            yield f"{op.member} is not in {given!r}"
        if op.kind == "freeze":
            path = tree.root / "fs/super.c"
            names = FREEZE_NAMES.search(path.read_text(encoding="utf-8") if path.is_file() else "")
            if not names or f'"{member}"' not in names[0]:
                yield f"no freeze level {member!r}"
        elif not any(_is_lock(text, op.kind, models) for text in tree.member(record, member)):
            yield f"{op.member} is {tree.member(record, member)}"


def _is_lock(declaration: str, kind: str, models: Models) -> bool:
    """True if a member that is declared so can be a lock of this kind."""
    own = (type_ for type_, is_kind in models.lock_types.items() if is_kind == kind)
    forms = [MEMBER_TYPES.get(kind, ""), *map(re.escape, own)]
    return any(re.match(rf"{form}\b", declaration) for form in forms)


def _functions(models: Models, tree: Tree, trees: tuple[Tree, ...]) -> Iterator[str]:
    for name, scope in models.scopes.items():
        if not _exists(name, scope.spelled, tree, trees):
            yield f"{name}: not in the tree"
        for function in tree.named(name):
            if scope.mask_arg >= 0:
                if scope.mask_arg >= len(function.params):
                    yield f"{name}: mask_arg = {scope.mask_arg}, but there are {len(function.params)} parameters"
                continue
            said = _token(scope, function)
            others = {
                _token(other, each)
                for partner, other in models.scopes.items()
                if (other.kind, other.does) == (scope.kind, "close" if scope.does == "open" else "open")
                for each in tree.named(partner)
            }
            if said != "unsigned int" and said not in others:
                yield f"{name}: the token is {said!r}"
    for name, entry in models.allocators.items():
        if not _exists(name, entry.spelled, tree, trees):
            yield f"{name}: not in the tree"
        for function in tree.named(name):
            for problem in _allocator(entry, function):
                yield f"{name}: {problem} ({function.file})"
        has_body = (tree.is_kernel and tree.has(name)) or any(function.body for function in tree.named(name))
        if entry.flags and has_body and name not in FAR and name not in entry.spelled:
            yield from (f"{name}: {flag} is nowhere in it" for flag in _missing_flags(name, entry.flags, tree))
    for name in models.not_allocators:
        if name.startswith("trace_") and any(_is_event(name.removeprefix("trace_"), each) for each in trees):
            continue
        found = [function for each in trees for function in each.named(name)]
        if not any(_type(param) == "gfp_t" for function in found for param in function.params):
            yield f"{name}: no function with a gfp_t parameter"
    for name, query in models.queries.items():
        if not _exists(name, query.spelled, tree, trees):
            yield f"{name}: not in the tree"
        for function in tree.named(name):
            if not re.fullmatch(r"int|bool|unsigned int", _return(function)):
                yield f"{name}: it returns {_return(function)!r}"
    for name, state in models.task_states.items():
        if not _exists(name, state.spelled, tree, trees):
            yield f"{name}: not in the tree"
        for function in tree.named(name):
            given = _type(function.params[state.arg]) if 0 <= state.arg < len(function.params) else ""
            if state.arg >= 0 and not re.fullmatch(r"(unsigned )?(int|long)", given):
                yield f"{name}: the task's state is {given!r}"
            if state.when != "always" and not re.fullmatch(RETURNS[state.when] + "|long", _return(function)):
                yield f"{name}: when = {state.when!r}, but it is {_return(function)!r}"
    yield from _transactions(models, tree, trees)
    for name, free in models.frees.items():
        if not _exists(name, free.spelled, tree, trees):
            yield f"{name}: not in the tree"
        for function in tree.named(name):
            for number, kind in (
                (free.arg, r"const void \*|void .*\*|struct \w+ \*|unsigned long"),
                (free.cache_arg, r"struct \w+ \*"),
            ):
                given = _type(function.params[number]) if number < len(function.params) else "not there"
                if number >= 0 and not re.fullmatch(kind, given):
                    yield f"{name}: argument {number} is {given!r}"
    for name, worker in models.workers.items():
        if not _exists(name, worker.spelled, tree, trees):
            yield f"{name}: not in the tree"
        for function in tree.named(name):
            given = _type(function.params[worker.arg]) if 0 <= worker.arg < len(function.params) else ""
            if worker.arg >= 0 and not re.fullmatch(r"struct (delayed_|kthread_)?work(_struct)? \*", given):
                yield f"{name}: the work item is {given!r}"
    for name, callback in models.callbacks.items():
        if not _exists(name, callback.spelled, tree, trees):
            yield f"{name}: not in the tree"
        for function in tree.named(name):
            given = function.params[callback.arg] if callback.arg < len(function.params) else ""
            record, _, member = callback.member.rpartition(".")
            if not (_type(given) == f"{record} *" if record else FUNCTION_POINTER.search(given)):
                yield f"{name}: argument {callback.arg} is {given!r}"
            if record and not tree.member(record, member):
                yield f"{name}: no member {callback.member}"


def _token(scope: Scope, function: Function) -> str:
    """The type of the scope's token in a function that opens or closes it."""
    if scope.does == "open":
        return _return(function)
    return _type(function.params[scope.arg]) if scope.arg < len(function.params) else ""


def _transactions(models: Models, tree: Tree, trees: tuple[Tree, ...]) -> Iterator[str]:
    for name, each in models.transactions.items():
        if not _exists(name, each.spelled, tree, trees):
            yield f"{name}: not in the tree"
        for function in tree.named(name) if each.type_arg >= 0 else ():
            given = _type(function.params[each.type_arg]) if each.type_arg < len(function.params) else "not there"
            if not re.fullmatch(r"int" if each.types else r"struct \w+ \*", given):
                yield f"{name}: the type is {given!r}"
        for member in filter(None, (each.flags, each.type_flags)):
            record, _, last = member.rpartition(".")
            if not tree.member(record, last):
                yield f"{name}: no member {member}"
    for names in models.transaction_types.values():
        for number, name in enumerate(names):
            if not any(body.strip() == str(number) for each in trees for _, body in each.macros.get(name, ())):
                yield f"transaction_types: {name} is not {number}"


def _missing_flags(name: str, expression: str, tree: Tree) -> list[str]:
    """The flags that stand in no body near the function's."""
    text = "\n".join(tree.reach(name, DEPTH))
    words = frozenset(re.findall(r"~?\b__GFP_\w+|\bGFP_\w+", text))
    if "~__GFP_FS" in words:
        words |= {"GFP_NOFS"}
    return [flag for flag in re.split(r"\s*\|\s*", expression) if flag not in words]


def _allocator(entry: Allocator, function: Function) -> Iterator[str]:
    params = function.params
    flags = [index for index, param in enumerate(params) if _type(param) == "gfp_t"]
    if entry.word:
        given = _type(params[entry.word_arg]) if entry.word_arg < len(params) else "not there"
        if not re.fullmatch(r"(unsigned )?(int|long)|u?int\d+_t|[us]\d+", given):
            yield f"word_arg = {entry.word_arg} is {given}"
    elif bool(flags) == bool(entry.flags):
        yield "has flags of its own and a gfp_t parameter" if flags else "has neither flags nor a gfp_t parameter"
    for field, kind in (
        ("object_arg", r"unsigned( int)?|size_t"),
        ("name_arg", r"(const )?char \*"),
        ("size_arg", r"size_t|unsigned( int| long)?|int|u32"),
        ("count_arg", r"size_t"),
        ("order_arg", r"unsigned( int)?|int"),
        ("pool_arg", r"mempool_t \*|struct bio_set \*"),
        ("drops_arg", r"struct (xarray|ma_state) \*"),
    ):
        number = getattr(entry, field)
        if number >= len(params):
            yield f"{field} = {number}, but there are {len(params)} parameters"
        elif number >= 0 and not re.fullmatch(kind, _type(params[number])):
            yield f"{field} is {params[number]!r}"
    if 0 <= entry.order_arg < len(params) and "order" not in params[entry.order_arg]:
        yield f"order_arg is {params[entry.order_arg]!r}"
    said = _return(function)
    if entry.fails not in FAILURES.get("*" if said.endswith("*") else said, ("errno", "count")):
        yield f"fails = {entry.fails!r}, but it returns {said!r}"


def _contracts(models: Models, tree: Tree) -> Iterator[str]:
    for name, contract in models.contracts.items():
        found = tree.member(contract.record, contract.member)
        if not found:
            yield f"contracts {name}: not in the tree"
        for number, path, _ in contract.held():
            for text in found:
                params = text.partition(f"{contract.member})")[2].split(",")
                if not (number < len(params) and re.search(rf"\b{re.escape(path[0][0])}\b.*\*", params[number])):
                    yield f"contracts {name}: parameter {number} of {text!r} is no {path[0][0]}"
            for record, member in path:
                if not tree.member(record, member):
                    yield f"contracts {name}: no member {record}.{member}"


def _members(models: Models, tree: Tree, trees: tuple[Tree, ...]) -> Iterator[str]:
    for entry in models.entry_points:
        yield from _entry(entry, tree, trees)
    for root in models.reclaim_roots:
        name = f"{root.record}.{root.member}"
        found = tree.member(root.record, root.member)
        if not found:
            yield f"reclaim {name}: not in the tree"
        for text in found:
            params = text.partition(f"{root.member})")[2].split(",")
            if root.owns >= 0 and not (root.owns < len(params) and "*" in params[root.owns]):
                yield f"reclaim {name}: does not own parameter {root.owns} of {text!r}"
            kind = r"\*" if root.mask_member else r"\bgfp_t\b"
            if root.mask >= 0 and not (root.mask < len(params) and re.search(kind, params[root.mask])):
                yield f"reclaim {name}: parameter {root.mask} of {text!r} has no flags"
        for said in (root.mask_member, root.nonzero, root.refused):
            record, _, inside = said.rpartition(".")
            if inside and not tree.member(record, inside):
                yield f"reclaim {name}: no member {said}"
        if root.kept_by and not tree.has(root.kept_by):
            yield f"reclaim {name}: {root.kept_by} is not in the tree"
    for name, member in models.members.items():
        if not tree.member(member.record, member.member):
            yield f"members {name}: not in the tree"
        record, _, exception = member.unless.rpartition(".")
        if exception and not tree.member(record, exception):
            yield f"members {name}: no member {member.unless}"
        if member.flag and not _has_bit(member.flag, member.bit, tree):
            yield f"members {name}: {member.flag} is not bit {member.bit}"
    yield from _contracts(models, tree)
    for section, names in (("inner", models.inner), ("queued", models.queued)):
        for name in names:
            record, _, inside = name.rpartition(".")
            if not any(each.member(record, inside) for each in trees) and not _generated(name, trees):
                yield f"{section} {name}: not in the tree"
    for name in models.lock_types:
        if not any(_is_type(name, each) for each in trees) and not _generated(name, trees):
            yield f"lock_types {name}: not in the tree"


def _entry(entry: EntryPoint, tree: Tree, trees: tuple[Tree, ...]) -> Iterator[str]:
    """What is not so of a method by which tasks come in: it is there, and the functions on the way are; the last, or
    one that it calls, calls it."""
    name = f"entries {entry.record}.{entry.member}"
    if not any(each.member(entry.record, entry.member) for each in trees):
        yield f"{name}: not in the tree"
    missing = [function for function in entry.through if not tree.has(function)]
    yield from (f"{name}: {function}: not in the tree" for function in missing)
    if tree.is_kernel and not missing:
        text = "\n".join(tree.reach(entry.through[-1], DEPTH))
        if not re.search(rf"(->|\.){entry.member}\b", text):
            yield f"{name}: {entry.through[-1]} does not call it"


def _has_bit(flag: str, bit: int, tree: Tree) -> bool:
    """True if the tree defines `flag` as that bit: as a macro, or in an enumeration of include/linux."""
    form = re.compile(rf"\b{flag}(?:\s*=|[ \t])\s*\(*(?:__force \w+\))?\s*(BIT\((\d+)\)|1U? << (\d+)|0x[0-9a-fA-F]+)")
    found = {
        int(match[2] or match[3]) if match[2] or match[3] else int(match[1], 16).bit_length() - 1
        for path in (tree.root / "include/linux").glob("*.h")
        for match in form.finditer(path.read_text(encoding="utf-8", errors="replace"))
    }
    return found == {bit}


def _words(models: Models, trees: tuple[Tree, ...]) -> Iterator[str]:
    for word in models.words.values():
        for flag in word.flags:
            bodies = {body.strip().strip("()") for tree in trees for _, body in tree.macros.get(flag.name, ())}
            values = {int(body, 0) for body in bodies if _INTEGER.fullmatch(body)}
            if not bodies:
                yield f"{flag.name}: not in the tree"
            elif values and values != {flag.value}:
                yield f"{flag.name}: value = {flag.value:#x}, but it is {', '.join(map(hex, sorted(values)))}"


def _is_event(name: str, tree: Tree) -> bool:
    pattern = re.compile(rf"\b(TRACE_EVENT\w*\(|DEFINE_\w*EVENT\w*\((\w+,)?)\s*{name}\b|\bDEFINE_ALLOC_EVENT\({name}\)")
    events = (tree.root / "include/trace/events").glob("*.h")
    return any("gfp_t" in text and pattern.search(text) for text in (path.read_text() for path in events))


def _generated(name: str, trees: tuple[Tree, ...]) -> bool:
    """True for the sequence counters with a lock, which one macro defines: include/linux/seqlock*.h."""
    kind = re.match(r"(?:struct )?seqcount_(\w+?)(_t|\.seqcount)?$", name)
    texts = [path.read_text() for tree in trees for path in (tree.root / "include/linux").glob("seqlock*.h")]
    return bool(kind) and any(re.search(rf"\bSEQCOUNT_LOCKNAME\({kind[1]},", text) for text in texts if kind)


def _is_type(name: str, tree: Tree) -> bool:
    if name in tree.structs:
        return True
    headers = (tree.root / "include/linux").glob("*lock*.h")
    pattern = re.compile(rf"\b(typedef\b[^;]*|}}\s*){name}\s*;")
    more = [*headers, tree.root / "include/linux/seqlock.h", tree.root / "include/asm-generic/qspinlock_types.h"]
    return any(pattern.search(path.read_text()) for path in more if path.exists())


def _defined(variable: str, tree: Tree) -> bool:
    pattern = re.compile(rf"\bDEFINE_\w+\((?:[\w ]+,\s*)?{variable}\b")
    places: Mapping[str, str] = {
        "rtnl_mutex": "net/core/rtnetlink.c",
        "genl_mutex": "net/netlink/genetlink.c",
        "console_sem": "kernel/printk/printk.c",
        "cpu_hotplug_lock": "kernel/cpu.c",
        "radix_tree_preloads": "lib/radix-tree.c",
    }
    path = tree.root / places.get(variable, "")
    return path.is_file() and bool(pattern.search(path.read_text(encoding="utf-8")))


def _type(param: str) -> str:
    """A parameter's type without its name and its qualifiers: `struct mutex *`."""
    text = re.sub(r"\[\w*\]$", "", _plain(param))
    text = re.sub(r"\bunsigned (?!int\b|long\b|char\b|short\b)", "unsigned int ", text)
    match = re.match(r"((?:struct |union |enum |unsigned )?\w+(?: long| int)?)[ *]*", text)
    if not match:
        return text
    stars = "*" * match[0].count("*")
    return f"{match[1]} {stars}" if stars else match[1]


def _return(function: Function) -> str:
    return _plain(function.ret)


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", QUALIFIERS.sub("", text)).strip()
