"""One model file: TOML text to checked entries.

A file has any of the tables `locks`, `scopes`, `allocators`, `queries`, `callbacks`, `task_states`, `workers`,
`transactions`, `frees` (keyed by function), `reclaim`, `entries`, `members`, `contracts` (keyed
"struct record.member"), `words`, `task_flags`, `transaction_types`, `lock_types` and `gfp` (`flags`, `required`,
`compound`, `constants`, `values`), and the lists `inner`, `queued`, `not_allocators`, `noreturn`, `steady`, `waits`,
`retry_waits`, `pool_returns`, `pool_keeps`, `last_references`, `system_calls`, `oom_path` and `opaque`. The value
of a key is an inline table, or an array of them: several operations, or one for each range of kernel versions. In a
gfpcheck.toml all of it stands below `models`.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

import msgspec

from gfpcheck.models.types import (
    Allocator,
    Callback,
    CallbackMember,
    Contract,
    EntryPoint,
    Free,
    LockKind,
    LockOp,
    ModelError,
    Query,
    ReclaimRoot,
    Scope,
    ScopeKind,
    TaskState,
    Transaction,
    Word,
    Worker,
    base_name,
)
from gfpcheck.models.versions import parse_range

IN_SETTINGS = "models"
"""The table of a gfpcheck.toml that holds models."""
FILES = "files"
"""The key in it that names further files."""

MAX_BYTES = 4 << 20
"""No model file is larger; one that is was named by mistake."""

_IDENTIFIER = re.compile(r"[A-Za-z_]\w*\Z", re.ASCII)
_PATH = re.compile(r"(\w[\w.+-]*/)*\w[\w.+-]*/?\Z", re.ASCII)
_MEMBER = re.compile(r"((struct|union) )?[A-Za-z_]\w*\.[A-Za-z_]\w*\Z", re.ASCII)
_TYPE = re.compile(r"((struct|union) )?[A-Za-z_]\w*\Z", re.ASCII)
_CONTRACT = re.compile(r"\d (struct )?\w+\.\w+( > (struct )?\w+\.\w+)*\Z", re.ASCII)
_LISTS = (
    *("not_allocators", "noreturn", "steady", "waits", "retry_waits"),
    *("pool_returns", "pool_keeps", "last_references", "system_calls", "oom_path"),
)
"""The lists of functions."""
_FORM_OF_MEMBER = 'of the form "struct record.member"'
_MAX_ARG = 31
_UNKNOWN_KEY = re.compile(r"Object contains unknown field `(\w+)`")
_UNKNOWN_VALUE = re.compile(r"Invalid enum value '(.*)' - at `\$\.(\w+)(?:\[\.\.\.\])?`")
_NUMBER = re.compile(r"\d+")

OF_MEMBER = (ReclaimRoot, EntryPoint, CallbackMember, Contract)
"""Entries that stand under a member, not under a function."""
OfMember = ReclaimRoot | EntryPoint | CallbackMember | Contract
Entry = LockOp | Scope | Allocator | Query | TaskState | Worker | Callback | Transaction | Free | OfMember
Struct = TypeVar("Struct", bound=msgspec.Struct)
Op = TypeVar(
    "Op",
    LockOp,
    Scope,
    Allocator,
    Query,
    TaskState,
    Worker,
    Callback,
    Transaction,
    Free,
    ReclaimRoot,
    EntryPoint,
    CallbackMember,
    Contract,
)


class ModelFile(msgspec.Struct):
    """The entries of one file, in its order."""

    path: Path
    text: str
    locks: dict[str, tuple[LockOp, ...]] = {}
    scopes: dict[str, tuple[Scope, ...]] = {}
    allocators: dict[str, tuple[Allocator, ...]] = {}
    queries: dict[str, tuple[Query, ...]] = {}
    task_states: dict[str, tuple[TaskState, ...]] = {}
    workers: dict[str, tuple[Worker, ...]] = {}
    callbacks: dict[str, tuple[Callback, ...]] = {}
    transactions: dict[str, tuple[Transaction, ...]] = {}
    frees: dict[str, tuple[Free, ...]] = {}
    reclaim: dict[str, tuple[ReclaimRoot, ...]] = {}
    entries: dict[str, tuple[EntryPoint, ...]] = {}
    members: dict[str, tuple[CallbackMember, ...]] = {}
    contracts: dict[str, tuple[Contract, ...]] = {}
    words: dict[str, Word] = {}
    lock_types: dict[str, str] = {}
    inner: tuple[str, ...] = ()
    queued: tuple[str, ...] = ()
    not_allocators: tuple[str, ...] = ()
    noreturn: tuple[str, ...] = ()
    steady: tuple[str, ...] = ()
    waits: tuple[str, ...] = ()
    retry_waits: tuple[str, ...] = ()
    opaque: tuple[str, ...] = ()
    pool_returns: tuple[str, ...] = ()
    pool_keeps: tuple[str, ...] = ()
    last_references: tuple[str, ...] = ()
    system_calls: tuple[str, ...] = ()
    oom_path: tuple[str, ...] = ()
    gfp_flags: tuple[str, ...] = ()
    gfp_required: tuple[str, ...] = ()
    gfp_compound: tuple[str, ...] = ()
    gfp_constants: tuple[str, ...] = ()
    gfp_values: dict[str, int] = {}
    task_flags: dict[str, dict[str, ScopeKind]] = {}
    transaction_types: dict[str, tuple[str, ...]] = {}

    def fail(self, entry: str, problem: str) -> NoReturn:
        """Raise the ModelError that names this file, the line of `entry` where it can be found, and the entry."""
        raise ModelError(f"{self.place(entry)}: {entry}: {problem}")

    def place(self, entry: str) -> str:
        """This file, with the line of `entry` where it can be found."""
        line = _line_of(self.text, entry)
        return f"{self.path}:{line}" if line else str(self.path)

    def names(self) -> Iterator[str]:
        """Everything that the file says something of: functions with their spellings, members, types, flags."""
        for field in msgspec.structs.fields(self):
            if field.name == "gfp_values":
                continue  # they are no claim about any source
            value = getattr(self, field.name)
            if isinstance(value, dict):
                yield from value
                for entry in value.values():
                    for op in entry if isinstance(entry, tuple) else ():
                        yield from getattr(op, "spelled", ())
            elif isinstance(value, tuple):
                yield from value
        for word in self.words.values():
            yield from (flag.name for flag in word.flags)


def read_model_file(path: Path) -> ModelFile:
    """Read and check one file by itself. Raises ModelError."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ModelError(f"{path}: cannot read the model file: {reason}") from None
    if len(data) > MAX_BYTES:
        raise ModelError(f"{path}: not a model file: larger than {MAX_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8")
        table = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ModelError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except (ValueError, RecursionError) as error:
        problem, _, at = str(error).partition(" (at ")
        number = _NUMBER.search(at)
        line = int(number[0]) if number else text.count("\n") + 1  # else it is the end of the document
        raise ModelError(f"{path}:{line}: not valid TOML: {problem}") from None
    if isinstance(table.get(IN_SETTINGS), dict):
        table = {key: value for key, value in table[IN_SETTINGS].items() if key != FILES}
    return _convert(ModelFile(path, text), table)


def _convert(file: ModelFile, table: dict[str, Any]) -> ModelFile:
    for key, value in table.items():
        if key == "locks":
            file.locks = _entries(file, key, value, LockOp)
        elif key == "scopes":
            file.scopes = _entries(file, key, value, Scope)
        elif key == "allocators":
            file.allocators = _entries(file, key, value, Allocator)
        elif key == "queries":
            file.queries = _entries(file, key, value, Query)
        elif key == "task_states":
            file.task_states = _entries(file, key, value, TaskState)
        elif key == "workers":
            file.workers = _entries(file, key, value, Worker)
        elif key == "callbacks":
            file.callbacks = _entries(file, key, value, Callback)
        elif key == "transactions":
            file.transactions = _entries(file, key, value, Transaction)
        elif key == "frees":
            file.frees = _entries(file, key, value, Free)
        elif key == "transaction_types":
            table = _table(file, key, value)
            file.transaction_types = {name: _names(file, name, names, _IDENTIFIER) for name, names in table.items()}
        elif key == "reclaim":
            file.reclaim = _entries(file, key, value, ReclaimRoot)
        elif key == "entries":
            file.entries = _entries(file, key, value, EntryPoint)
        elif key == "members":
            file.members = _entries(file, key, value, CallbackMember)
        elif key == "contracts":
            file.contracts = _entries(file, key, value, Contract)
        elif key == "words":
            file.words = {name: _word(file, name, body) for name, body in _table(file, key, value).items()}
        elif key == "lock_types":
            file.lock_types = _lock_types(file, value)
        elif key == "task_flags":
            file.task_flags = _task_flags(file, value)
        elif key in ("inner", "queued"):
            setattr(file, key, _names(file, key, value, _MEMBER))
        elif key in _LISTS:
            setattr(file, key, _names(file, key, value, _IDENTIFIER))
        elif key == "opaque":
            file.opaque = _names(file, key, value, _PATH)
        elif key == "gfp":
            _gfp(file, value)
        else:
            file.fail(key, "unknown table")
    return file


def _entries(file: ModelFile, section: str, value: Any, kind: type[Op]) -> dict[str, tuple[Op, ...]]:
    of_member = issubclass(kind, OF_MEMBER)
    entries: dict[str, tuple[Op, ...]] = {}
    for name, body in _table(file, section, value).items():
        if not of_member:
            _check_function(file, name, name)
        elif not _MEMBER.match(name):
            file.fail(name, f"is not {_FORM_OF_MEMBER}")
        parts = _parts(file, name, body)
        if of_member:
            record, _, member = name.rpartition(".")
            if any(key in part for part in parts for key in ("record", "member")):
                file.fail(name, "says its record and member in its name alone")
            parts = [{**part, "record": record, "member": member} for part in parts]
        entries[name] = tuple(_operation(file, name, part, kind) for part in parts)
    return entries


def _table(file: ModelFile, section: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        file.fail(section, "must be a table")
    return value


def _parts(file: ModelFile, name: str, body: Any) -> list[dict[str, Any]]:
    parts = body if isinstance(body, list) else [body]
    if not parts or not all(isinstance(part, dict) for part in parts):
        file.fail(name, "must be an inline table or an array of them")
    return parts


def _operation(file: ModelFile, name: str, part: dict[str, Any], kind: type[Op]) -> Op:
    op = _convert_entry(file, name, part, kind)
    try:
        parse_range(op.since, op.until)
    except ValueError as error:
        file.fail(name, str(error))
    for field, value in zip(op.__struct_encode_fields__, msgspec.structs.astuple(op), strict=True):
        if type(value) is int and not isinstance(op, Query) and not -1 <= value <= _MAX_ARG:
            file.fail(name, f"{field} = {value} is no argument index")
    if not isinstance(op, OF_MEMBER):
        for function in op.spelled:
            _check_function(file, name, function)
    if isinstance(op, Allocator):
        if bool(op.word) != (op.word_arg >= 0):
            file.fail(name, "a word of flags (word) stands in an argument (word_arg), and the other way round")
        if op.word and op.flags:
            file.fail(name, "has either fixed flags or a word of them")
    if isinstance(op, Scope):
        _check_scope(file, name, op)
    if isinstance(op, Transaction):
        _check_transaction(file, name, op)
    if isinstance(op, Callback):
        _check_member(file, name, op.member)
    if isinstance(op, CallbackMember):
        _check_member(file, name, op.unless)
        if (op.bit >= 0) != bool(op.flag) or (op.flag and not op.unless):
            file.fail(name, "a bit has a name (flag) and a member that it is in (unless)")
    if isinstance(op, EntryPoint):
        for function in op.through:
            _check_function(file, name, function)
    if isinstance(op, Contract):
        _check_contract(file, name, op)
    if isinstance(op, LockOp):
        for function in op.via:
            _check_function(file, name, function)
        _check_lock(file, name, op)
    return op


def _check_contract(file: ModelFile, name: str, contract: Contract) -> None:
    for path in (*contract.exclusive, *contract.shared):
        if not _CONTRACT.match(path):
            file.fail(name, f'{path!r} is not of the form "0 struct record.member > struct record.member"')


def _convert_entry(file: ModelFile, name: str, body: Any, kind: type[Struct]) -> Struct:
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        file.fail(name, _in_words(str(error), kind))


def _in_words(problem: str, kind: type[msgspec.Struct]) -> str:
    """What msgspec says, with what there is instead of an unknown key or value."""
    keys = [field.encode_name for field in msgspec.structs.fields(kind)]
    unknown = _UNKNOWN_KEY.fullmatch(problem)
    if unknown:
        close = difflib.get_close_matches(unknown[1], keys, 1)
        return (
            f"unknown key {unknown[1]!r}; {f'did you mean {close[0]!r}?' if close else 'there are ' + ', '.join(keys)}"
        )
    value = _UNKNOWN_VALUE.fullmatch(problem)
    if value:
        field = next(field for field in msgspec.structs.fields(kind) if field.encode_name == value[2])
        words = [word for part in (field.type, *get_args(field.type)) for word in get_args(part)]
        return f"{value[2]} = {value[1]!r}: one of {', '.join(str(word) for word in words if isinstance(word, str))}"
    return problem


def _check_function(file: ModelFile, entry: str, name: str) -> None:
    if not _IDENTIFIER.match(name):
        file.fail(entry, f"{name!r} is not the name of a C function")
    if base_name(name) != name:
        file.fail(entry, f"functions are looked up without the suffix: write {base_name(name)!r} for {name!r}")


def _check_member(file: ModelFile, entry: str, member: str) -> None:
    if member and not _MEMBER.match(member):
        file.fail(entry, f"{member!r} is not {_FORM_OF_MEMBER}")


def _check_lock(file: ModelFile, name: str, op: LockOp) -> None:
    if op.member and op.member != "*" and not _MEMBER.match(op.member):
        file.fail(name, f"member {op.member!r} is not {_FORM_OF_MEMBER}")
    if op.member and op.arg < 0:
        file.fail(name, "has a member but no argument that it is in (arg = -1)")
    if op.instance and op.arg >= 0:
        file.fail(name, "names one instance and an argument: set arg = -1")
    if op.when_arg >= 0 and op.when == "always":
        file.fail(name, "when_arg needs a `when` other than always")
    if op.try_ and op.does != "acquire":
        file.fail(name, "only an acquire can be a try")
    if op.gives_up and (op.does != "acquire" or op.try_ or op.when == "always"):
        file.fail(name, "only an acquire that waits, and may come back without the lock, gives up")
    if op.counter >= 0 and (op.does != "acquire" or op.when == "always"):
        file.fail(name, "only an acquire that may come back without the lock has a counter")
    if op.token >= 0 and op.does != "release":
        file.fail(name, "only a release takes a token")


def _check_scope(file: ModelFile, name: str, op: Scope) -> None:
    if bool(op.kind) == (op.mask_arg >= 0):
        file.fail(name, "a scope has a kind, or an argument with the task's flags (mask_arg)")
    if op.mask_arg >= 0 and op.does == "open":
        file.fail(name, "only a function that closes scopes takes the task's flags (mask_arg)")


def _check_transaction(file: ModelFile, name: str, op: Transaction) -> None:
    if (op.type_arg >= 0 and op.does != "start") or (op.types and op.type_arg < 0):
        file.fail(name, "only a start has a type, which one of its arguments (type_arg) says")
    if (op.flags and op.does != "start") or (op.type_flags and not op.flags):
        file.fail(name, "only a start gives a transaction its flags, and those of its type (type_flags)")
    for member in (op.flags, op.type_flags):
        if member:
            _check_member(file, name, member)


def _word(file: ModelFile, name: str, body: Any) -> Word:
    word = _convert_entry(file, name, body, Word)
    for flag in word.flags:
        if not _IDENTIFIER.match(flag.name):
            file.fail(name, f"{flag.name!r} is not the name of a flag")
        if not 0 < flag.value < 1 << 64:
            file.fail(flag.name, f"value = {flag.value} has no bit that could be set")
    return word


def _lock_types(file: ModelFile, value: Any) -> dict[str, str]:
    kinds = get_args(LockKind)
    for name, kind in _table(file, "lock_types", value).items():
        if not _TYPE.match(name):
            file.fail(name, "is not the name of a C type")
        if kind not in kinds:
            file.fail(name, f"unknown kind {kind!r}; one of {', '.join(kinds)}")
    return dict(value)


def _task_flags(file: ModelFile, value: Any) -> dict[str, dict[str, ScopeKind]]:
    kinds = get_args(ScopeKind)
    for member, flags in _table(file, "task_flags", value).items():
        if not _MEMBER.match(member):
            file.fail(member, f"is not {_FORM_OF_MEMBER}")
        for name, kind in _table(file, member, flags).items():
            if not _IDENTIFIER.match(name):
                file.fail(member, f"{name!r} is not the name of a flag")
            if kind not in kinds:
                file.fail(name, f"unknown kind {kind!r}; one of {', '.join(kinds)}")
    return {member: dict(flags) for member, flags in value.items()}


def _gfp(file: ModelFile, value: Any) -> None:
    for key, names in _table(file, "gfp", value).items():
        if key == "values":
            file.gfp_values = _values(file, names)
            continue
        if key not in ("flags", "required", "compound", "constants"):
            file.fail(key, "unknown list in the table gfp")
        setattr(file, f"gfp_{key}", _names(file, key, names, _IDENTIFIER))


def _values(file: ModelFile, value: Any) -> dict[str, int]:
    values = _table(file, "values", value)
    for name, number in values.items():
        if not _IDENTIFIER.match(name) or type(number) is not int or not 0 <= number < 1 << 32:
            file.fail(name, f"{name} = {number!r} is no flag of 32 bits")
    return values


def _names(file: ModelFile, key: str, value: Any, form: re.Pattern[str]) -> tuple[str, ...]:
    if not isinstance(value, list):
        file.fail(key, "must be an array of names")
    seen: set[str] = set()
    for name in value:
        if not isinstance(name, str) or not form.match(name):
            file.fail(key, f"{name!r} is not a name of the right form")
        if name in seen:
            file.fail(name, f"stands twice in {key}")
        seen.add(name)
    return tuple(value)


def _line_of(text: str, entry: str) -> int:
    """The 1-based line that defines or names `entry`, or 0."""
    quoted = re.escape(entry)
    definition = rf'^\s*\[*(?:[\w-]+\.)*"?{quoted}"?\]*\s*(=|$|#)'
    for form in (definition, rf'[{{,]\s*"?{quoted}"?\s*=', rf'"{quoted}"'):
        found = re.search(form, text, re.MULTILINE)
        if found:
            return text.count("\n", 0, found.start() + len(found[0]) - len(found[0].lstrip())) + 1
    return 0
