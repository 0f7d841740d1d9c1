"""FORMAT.md, the description of model files, has everything that there is, and its examples are right."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Literal, get_args, get_origin

import msgspec
import pytest

import gfpcheck.models
from gfpcheck.models import load
from gfpcheck.models.parse import ModelFile
from gfpcheck.models.types import (
    Allocator,
    Callback,
    CallbackMember,
    Contract,
    EntryPoint,
    Free,
    LockOp,
    Query,
    ReclaimRoot,
    Scope,
    TaskState,
    Transaction,
    Word,
    WordFlag,
    Worker,
)

PAGE = (Path(gfpcheck.models.__file__).parent / "FORMAT.md").read_text()
SECTIONS = dict(re.findall(r"(?ms)^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE))
EXAMPLES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
EVERYWHERE = {"since", "until", "spelled", "note"}
IN_THE_NAME = {"record", "member"}
TABLES: dict[str, tuple[type[msgspec.Struct], ...]] = {
    "locks": (LockOp,),
    "scopes": (Scope,),
    "allocators": (Allocator,),
    "words": (Word, WordFlag),
    "callbacks": (Callback,),
    "members": (CallbackMember,),
    "contracts": (Contract,),
    "task_states": (TaskState,),
    "workers": (Worker,),
    "transactions": (Transaction,),
    "frees": (Free,),
    "queries": (Query,),
    "reclaim": (ReclaimRoot,),
    "entries": (EntryPoint,),
}


def keys(text: str) -> set[str]:
    """The keys that the list items of a section describe."""
    heads = re.findall(r"(?m)^\* ((?:`\w+`(?:, )?)+):", text)
    return {key for head in heads for key in re.findall(r"`(\w+)`", head)}


def words(field: msgspec.structs.FieldInfo) -> set[str]:
    """The strings that a field may be."""
    types = [field.type, *get_args(field.type)]
    return {word for each in types if get_origin(each) is Literal for word in get_args(each)}


@pytest.mark.parametrize("table", TABLES)
def test_every_key_and_value_is_described(table: str) -> None:
    text = SECTIONS[f"[{table}]"]
    fields = [field for kind in TABLES[table] for field in msgspec.structs.fields(kind)]
    left_out = EVERYWHERE | (IN_THE_NAME if table in ("members", "contracts", "reclaim", "entries") else set())
    assert keys(text) == {field.encode_name for field in fields} - left_out
    for field in fields:
        described = PAGE if field.name == "context" else text
        assert {word for word in words(field) if word and f'"{word}"' not in described} == set(), field.name


def test_what_all_entries_have_is_described() -> None:
    assert keys(SECTIONS["Entries"]) == EVERYWHERE


def test_every_table_and_list_is_described() -> None:
    names = {field.name for field in msgspec.structs.fields(ModelFile)} - {"path", "text"}
    lists = keys(SECTIONS["Functions that end or do not change"])
    gfp = {f"gfp_{key}" for key in keys(SECTIONS["[gfp]"])}
    others = {"lock_types", "inner", "queued", "not_allocators", "task_flags", "transaction_types"}
    assert names == set(TABLES) | lists | gfp | others
    assert "[task_flags]" in SECTIONS
    for name in ("inner", "queued", "not_allocators"):
        assert f"`{name}` is a list of" in PAGE


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_the_examples_are_models(tmp_path: Path, number: int) -> None:
    (tmp_path / "myfs.toml").write_text("")
    example = tmp_path / "example.toml"
    example.write_text(EXAMPLES[number])
    if not isinstance(tomllib.loads(EXAMPLES[number]).get("models"), list):
        load((6, 12), [example])
