"""`gfpcheck demand` on a folder in which each type of transactions takes memory in another way."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import HERE, Run, golden

MODEL = ("--model", HERE / "minitrans/trans.toml")


def found(command: Run, *args: str | Path) -> dict[str, Any]:
    """The survey's transactions by type."""
    result = command("demand", "-q", *MODEL, "--format", "json", *args)
    assert (result.code, result.err) == (0, "")
    survey = json.loads(result.out)
    assert survey["losses"] == []
    return {each["type"]: each for each in survey["transactions"]}


@pytest.fixture
def types(command: Run, tree: Path) -> dict[str, Any]:
    return found(command, tree / "fs/minitrans")


def fates(transaction: Any) -> dict[str, str]:
    return {each["object"] or each["size"]["text"]: each["fate"] for each in transaction["allocations"]}


@pytest.mark.parametrize(("options", "name"), [(("-v",), "demand.txt"), (("--format", "csv"), "demand.csv")])
def test_the_output_is_as_written_down(command: Run, tree: Path, options: tuple[str, ...], name: str) -> None:
    result = command("demand", "-q", *MODEL, *options, tree / "fs/minitrans")
    assert (result.code, result.err) == (0, "")
    assert result.out == golden(name)


def test_a_type_is_what_the_start_is_given(types: dict[str, Any]) -> None:
    """A member's name, whichever a variable or a caller chooses, or a number's."""
    assert {name: [start["function"] for start in each["starts"]] for name, each in types.items()} == {
        "MT_HT_DIR": ["mt_rename"],
        "MT_HT_INODE": ["mt_write_inode"],
        "tr_create": ["mt_create"],
        "tr_defer": ["mt_defer"],
        "tr_fast": ["mt_slow_and_fast"],
        "tr_levels": ["mt_grow"],
        "tr_list": ["mt_sync"],
        "tr_mkdir": ["mt_create"],
        "tr_mode": ["mt_slow_and_fast"],
        "tr_roll": ["mt_move"],
        "tr_small": ["mt_small"],
        "tr_super": ["mt_super"],
        "tr_try": ["mt_try"],
        "tr_walk": ["mt_walk"],
    }


def test_start_and_commit_belong_to_it(types: dict[str, Any]) -> None:
    """32 bytes, and four pages that outlive it."""
    small = types["tr_small"]
    amount = {"objects": 2, "bytes": 32, "pages": 4, "unsized": 0}
    assert small["least"] == small["bounded"] == small["once"] == amount
    assert small["kept"] == {"objects": 1, "bytes": 0, "pages": 4, "unsized": 0}
    assert [each["function"] for each in small["allocations"]] == ["mt_alloc", "mt_commit"]
    assert fates(small)["struct mt_trans"] == "freed"


def test_what_a_wrapper_does_belongs_to_its_callers(types: dict[str, Any]) -> None:
    create = types["tr_create"]
    assert [each["function"] for each in create["allocations"]] == ["mt_alloc", "mt_commit", "mt_log", "mt_create"]
    assert create["bounded"]["bytes"] == 32 + 2 * 96 + 501
    assert create["least"]["bytes"] == 32 + 96 + 501
    assert create["kept"]["bytes"] == 2 * 96


def test_how_much_is_said_where_a_wrapper_of_an_allocator_is_called(types: dict[str, Any]) -> None:
    (cursor,) = [each for each in types["tr_create"]["allocations"] if each["call"] == "mt_get"]
    assert (cursor["size"]["size"], cursor["object"], cursor["fate"]) == (501, "struct mt_cursor", "freed")
    assert not [each for each in types["tr_create"]["allocations"] if each["function"] == "mt_get"]


def test_a_loop_over_a_list_has_no_bound(types: dict[str, Any]) -> None:
    (loop,) = types["tr_list"]["loops"]
    assert (loop["function"], loop["condition"]) == ("mt_sync", "!list_empty(&mp->dirty)")
    assert loop["takes"] == {"objects": 1, "bytes": 96, "pages": 0, "unsized": 0}
    assert types["tr_list"]["bounded"]["bytes"] == 32
    assert types["tr_list"]["once"]["bytes"] == 32 + 96
    inside = [(each["function"], each["outside"]) for each in types["tr_list"]["allocations"] if each["loops"] == [0]]
    assert inside == [("mt_log", False)]
    assert not loop["inside"]


def test_a_loop_that_counts_is_bounded_and_one_around_the_transaction_is_none_of_it(types: dict[str, Any]) -> None:
    levels = types["tr_levels"]
    assert levels["loops"] == []
    assert levels["bounded"]["bytes"] == 32 + 9 * 96
    assert levels["least"]["objects"] == 2
    assert {each["function"]: each["rounds"] for each in levels["allocations"]} == {
        "mt_alloc": 1,
        "mt_commit": 1,
        "mt_log": 9,
    }


def test_a_transaction_goes_on_after_a_roll(types: dict[str, Any]) -> None:
    roll = types["tr_roll"]
    assert roll["bounded"]["pages"] == 2 * 4
    assert roll["bounded"]["unsized"] == 1
    (name,) = [each for each in roll["allocations"] if each["function"] == "mt_move"]
    assert (name["size"]["how"], name["size"]["why"], name["fate"]) == ("unbounded", "parameter size", "freed")


def test_a_second_try_is_one_round_more(types: dict[str, Any]) -> None:
    assert types["MT_HT_INODE"]["least"]["bytes"] == 4096 + 4
    assert types["MT_HT_INODE"]["bounded"]["bytes"] == 2 * 4096 + 4


def test_a_pointer_of_which_nothing_is_known_is_named(types: dict[str, Any]) -> None:
    (pointer,) = types["MT_HT_DIR"]["pointers"]
    assert pointer.endswith("mt_rename(): fill")
    assert fates(types["MT_HT_DIR"])["struct mt_item"] == "kept"
    assert types["MT_HT_DIR"]["least"]["bytes"] == 4 + 96


def test_the_longest_chain_ends_in_an_allocator(types: dict[str, Any]) -> None:
    steps = [step.rpartition(" ")[2] for step in types["tr_roll"]["chain"]]
    assert steps == ["mt_move", "mt_roll", "mt_commit", "mt_log", "kmem_cache_alloc()"]


def test_what_a_type_can_count_to_is_no_bound(types: dict[str, Any]) -> None:
    """One less than 255 is none either."""
    (loop,) = types["tr_walk"]["loops"]
    assert (loop["function"], loop["condition"]) == ("mt_walk", "level >= 0")
    assert loop["takes"]["bytes"] == 96
    assert types["tr_walk"]["bounded"]["bytes"] == 32


def test_what_the_constants_passed_exclude_is_not_counted(types: dict[str, Any]) -> None:
    assert types["tr_mode"]["bounded"] == {"objects": 3, "bytes": 32 + 8192, "pages": 4, "unsized": 0}
    assert types["tr_fast"]["bounded"] == {"objects": 3, "bytes": 32 + 96, "pages": 4, "unsized": 0}
    assert "mt_log_mode" not in {each["function"] for each in types["tr_fast"]["allocations"]}
    assert "mt_log" not in {each["function"] for each in types["tr_mode"]["allocations"]}


def test_what_a_flag_asks_for_counts_where_it_is_set(types: dict[str, Any]) -> None:
    """By the type, or by what is done in the transaction."""
    assert types["tr_small"]["bounded"]["bytes"] == 32
    assert types["tr_defer"]["bounded"]["bytes"] == 32 + 96
    assert types["tr_super"]["bounded"]["bytes"] == 32 + 2 * 96
    assert types["tr_roll"]["bounded"]["bytes"] == 2 * (32 + 96)


def test_a_lock_that_could_be_taken_is_no_error(types: dict[str, Any]) -> None:
    assert types["tr_try"]["least"] == types["tr_try"]["bounded"]
    assert types["tr_try"]["bounded"] == {"objects": 3, "bytes": 32 + 96, "pages": 4, "unsized": 0}


def test_totals_add_up(command: Run, tree: Path) -> None:
    survey = json.loads(command("demand", "-q", *MODEL, "--format", "json", tree / "fs").out)
    totals, types = survey["totals"], survey["transactions"]
    assert totals["transactions"] == len(types) >= 8
    assert totals["starts"] == sum(len(each["starts"]) for each in types)
    assert totals["allocations"] == sum(len(each["allocations"]) for each in types)
    assert totals["allocations"] == sum(totals["fates"].values()) == sum(totals["sizes"].values())
    table = command("demand", "-q", *MODEL, "--format", "csv", tree / "fs").out
    assert len(list(csv.DictReader(io.StringIO(table)))) == totals["allocations"]


def test_the_number_of_jobs_and_the_store_change_nothing(command: Run, tree: Path) -> None:
    args = (*MODEL, "--format", "json", tree / "fs")
    one, two = (command("demand", "--no-cache", f"-j{n}", *args) for n in (1, 2))
    kept = [command("demand", *args) for _ in range(2)]
    assert one.out == two.out == kept[0].out == kept[1].out


def test_where_no_transaction_is_started_that_is_said(command: Run, tree: Path) -> None:
    result = command("demand", "-q", tree / "fs/minires")
    assert (result.code, result.err) == (0, "")
    assert result.out == "no function in these files starts a transaction that is known\n"


def test_no_such_path_is_said(command: Run, tree: Path) -> None:
    result = command("demand", "-q", tree / "fs/nothing")
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
