"""`gfpcheck inventory` on a folder with one of everything."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, golden


def taken(command: Run, *args: str | Path) -> Any:
    """The inventory as JSON."""
    result = command("inventory", "-q", "--format", "json", *args)
    assert (result.code, result.err) == (0, "")
    return json.loads(result.out)


def at(inventory: Any, function: str) -> list[Any]:
    return [each for each in inventory["requirements"] if each["function"] == function]


@pytest.mark.parametrize(("options", "name"), [(("-v",), "inventory.txt"), (("--format", "csv"), "inventory.csv")])
def test_the_output_is_as_written_down(command: Run, tree: Path, options: tuple[str, ...], name: str) -> None:
    result = command("inventory", "-q", *options, tree / "fs/minires")
    assert (result.code, result.err) == (0, "")
    assert result.out == golden(name)


def test_each_function_is_of_its_kind(command: Run, tree: Path) -> None:
    found = {each["function"]: each["kind"] for each in taken(command, tree / "fs/minires")["requirements"]}
    assert found == {
        "res_item_alloc": "explicit",
        "res_copy": "explicit",
        "res_some": "explicit",
        "res_any": "explicit",
        "res_giving": "explicit",
        "res_perhaps": "explicit",
        "res_add": "helper",
        "res_sure": "helper",
        "res_read": "helper",
        "res_alloc": "loop",
        "res_small": "small",
    }


def test_sizes_are_bounded_by_types_and_comparisons(command: Run, tree: Path) -> None:
    inventory = taken(command, tree / "fs/minires")
    sizes = {name: at(inventory, name)[0]["size"] for name in ("res_copy", "res_some", "res_any", "res_item_alloc")}
    assert [(size["how"], size["size"]) for size in sizes.values()] == [
        ("bound", 65535 * 8),
        ("bound", 32 * 24),
        ("unbounded", None),
        ("cache", 24),
    ]
    assert sizes["res_any"]["why"] == "parameter number"


def test_totals_add_up(command: Run, tree: Path) -> None:
    inventory = taken(command, tree / "fs")
    totals, found = inventory["totals"], inventory["requirements"]
    assert totals["all"] == len(found) > 10
    for part in ("kinds", "subsystems", "sizes"):
        assert sum(totals[part].values()) == len(found), part
    assert sum(totals["locks"].values()) == sum(max(1, len({held["cls"] for held in r["locks"]})) for r in found)
    assert len(inventory["mentions"]) == sum(inventory["mentioned"].values())


def test_each_mention_is_accounted_for(command: Run, tree: Path) -> None:
    source = tree / "fs/minires/reserve.c"
    inventory = taken(command, tree / "fs/minires")
    lines = source.read_text().splitlines()
    written = [number for number, line in enumerate(lines, 1) for _ in range(line.count("__GFP_NOFAIL"))]
    assert [mention["line"] for mention in inventory["mentions"]] == written
    fates = {lines[mention["line"] - 1].strip(): mention["fate"] for mention in inventory["mentions"]}
    assert fates["gfp |= __GFP_NOFAIL;"] == "handed on"
    assert fates["return res_refusing(GFP_KERNEL | __GFP_NOFAIL);"] == "passed on"
    assert fates["return kmalloc(8, GFP_KERNEL | __GFP_NOFAIL);"] == "dead"


def test_the_number_of_jobs_and_the_store_change_nothing(command: Run, tree: Path) -> None:
    one, two = (command("inventory", "--no-cache", f"-j{n}", "--format", "json", tree / "fs") for n in (1, 2))
    kept = [command("inventory", "--format", "json", tree / "fs") for _ in range(2)]
    assert one.out == two.out == kept[0].out == kept[1].out


def test_what_lines_above_do_changes_no_key(command: Run, tree: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    assert command("inventory", "-q", "--format", "json", "-o", old, tree / "fs/minires").out == ""
    source = tree / "fs/minires/reserve.c"
    source.write_text(source.read_text().replace("#define RES_MOST", "\n\n\n#define RES_MOST"))
    again = taken(command, "--diff", old, tree / "fs/minires")
    assert (again["added"], again["removed"], again["changed"]) == ([], [], [])


def test_diff_tells_what_has_come_gone_and_changed(command: Run, tree: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    command("inventory", "-q", "--format", "json", "-o", old, tree / "fs/minires")
    source = tree / "fs/minires/reserve.c"
    text = source.read_text().replace("GFP_NOFS | __GFP_NOFAIL", "GFP_NOIO | __GFP_NOFAIL")
    text = text.replace("return sb_bread(sb, block);", "return NULL;")
    source.write_text(f"{text}\nvoid *res_more(void)\n{{\n\treturn kmalloc(8, RES_SURELY);\n}}\n")
    found = taken(command, "--diff", old, tree / "fs/minires")
    assert found["added"] == ["explicit fs/minires/reserve.c res_more kmalloc 8"]
    assert [each["function"] for each in found["removed"]] == ["res_read"]
    assert [(each["key"].split()[2], each["what"]) for each in found["changed"]] == [("res_some", ["flags"])]
    assert found["compared_with"] == "6.12.0"
    table = command("inventory", "-q", "--format", "csv", "--diff", old, tree / "fs/minires").out
    changes = {row["function"]: row["change"] for row in csv.DictReader(io.StringIO(table)) if row["change"]}
    assert changes == {"res_more": "added", "res_read": "removed", "res_some": "changed (flags)"}
    shown = command("inventory", "-q", "--diff", old, tree / "fs/minires").out
    assert "== added since Linux 6.12.0 (1)" in shown
    assert "== in both: 9 the same, 1 not" in shown


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "No such file or directory"),
        (b"{", "not an inventory"),
        (b'{"schema_version": 1, "findings": []}', "not an inventory"),
        (b"\xff\xfe", "not an inventory"),
        (b'{"schema_version": 2, "kernel": "", "requirements": []}', "version 2 of the format"),
    ],
)
def test_what_is_no_inventory_is_said(
    command: Run, tree: Path, tmp_path: Path, content: bytes | None, problem: str
) -> None:
    old = tmp_path / "old.json"
    if content is not None:
        old.write_bytes(content)
    result = command("inventory", "-q", "--diff", old, tree / "fs/minires")
    assert (result.code, result.out) == (2, "")
    assert problem in result.err
    assert len(result.err.splitlines()) == 1


def test_a_place_that_cannot_be_written_is_said_first(command: Run, tree: Path) -> None:
    result = command("inventory", "-o", tree / "no/such/place", tree / "fs/minires")
    assert (result.code, result.out) == (2, "")
    assert "cannot write" in result.err


def test_a_broken_file_is_named_and_the_rest_is_listed(command: Run, tree: Path) -> None:
    (tree / "fs/minires/reserve.c").write_bytes(
        b"#include <linux/slab.h>\n/* \xff __GFP_NOFAIL */\nvoid *good(void)\n{\n"
        b"\treturn kmalloc(8, GFP_KERNEL | __GFP_NOFAIL);\n}\nint bad(void)\n{\n\treturn nowhere;\n}\n"
    )
    inventory = taken(command, tree / "fs/minires")
    assert [each["function"] for each in inventory["requirements"]] == ["good"]
    assert [mention["fate"] for mention in inventory["mentions"]] == ["comment", "listed"]
    assert any("fs/minires/reserve.c:9" in loss for loss in inventory["losses"])
