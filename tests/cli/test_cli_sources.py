"""C that is wrong or extreme: the rest is analysed, the loss is counted, and named with -v."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from fixtures_harness import HOSTILE

from .cli_run import ANNOUNCED, Cli, Result, built_folder

HEADERS = "#include <linux/slab.h>\n#include <linux/spinlock.h>\n"
HAZARD = """
void *{name}(spinlock_t *lock)
{{
	void *p;

	spin_lock(lock);
	p = kmalloc(8, GFP_KERNEL);
	spin_unlock(lock);
	return p;
}}
"""


def folder(tree: Path, **files: str | bytes) -> Path:
    """A folder of the tree with these C files."""
    return built_folder(tree, "odd", files)


def hazards(run: Result) -> list[str]:
    """The functions with findings, in order, out of --format json."""
    return [finding["properties"]["function"] for finding in json.loads(run.out)["findings"]]


def losses(run: Result) -> list[str]:
    return [f"{loss['what']}: {loss['why']}" for loss in json.loads(run.out)["losses"]]


def hazard(name: str) -> str:
    return HAZARD.format(name=name)


def test_a_syntax_error_in_the_middle(cli: Cli, tree: Path) -> None:
    broken = HEADERS + hazard("before") + "\nint broken(void)\n{\n\treturn 1 +;\n}\n" + hazard("after")
    place = folder(tree, broken=broken)
    run = cli(place)
    assert run.code == 1
    assert "  in before():\n" in run.out
    assert "  in after():\n" in run.out
    assert run.out.endswith("Not everything was looked at: 1 loss, 1 in parsing (-v names them)\n")
    line = broken[: broken.index("1 +;")].count("\n") + 1
    verbose = cli(place, "-v")
    assert verbose.out.endswith(f"1 in parsing:\n  fs/odd/broken.c:{line}: expected expression\n")
    assert cli(place, "--strict", "-q").code == 2


def test_a_header_that_does_not_exist(cli: Cli, tree: Path) -> None:
    run = cli(folder(tree, a=HEADERS + '#include "none.h"\n' + hazard("f")), "--format", "json")
    assert (run.code, hazards(run)) == (1, ["f"])
    assert losses(run) == ["fs/odd/a.c:3: 'none.h' file not found"]


def test_nothing_that_can_be_analysed(cli: Cli, tree: Path) -> None:
    place = folder(tree, a="int f( {\n", b="}\n")
    run = cli(place)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(f"{ANNOUNCED}gfpcheck: none of the 2 files can be analysed: fs/odd/a.c:1: ")
    run = cli(place / "b.c")
    assert run.code == 2
    assert run.err.startswith(f"{ANNOUNCED}gfpcheck: the file cannot be analysed: fs/odd/b.c:1: ")


def test_an_empty_file_is_no_failure(cli: Cli, tree: Path) -> None:
    run = cli(folder(tree, empty=""))
    assert (run.code, run.err) == (0, ANNOUNCED)
    assert run.out.startswith("No findings in 1 file")


@pytest.mark.parametrize("fmt", ["text", "sarif"])
def test_not_utf8(cli: Cli, tree: Path, fmt: str) -> None:
    text = HEADERS + hazard("f").replace(
        "kmalloc(8, GFP_KERNEL);", 'kmalloc(sizeof("J\xf6rg \xff\xfe"), GFP_KERNEL); /* \xe9 */'
    )
    place = folder(tree, latin=text.encode("latin-1"))
    run = cli(place, "--format", fmt)  # its output is decoded as UTF-8, strictly
    assert run.code == 1
    assert "fs/odd/latin.c" in run.out
    assert "GFP101" in run.out


def test_a_terminal_that_knows_ascii_alone(cli: Cli, tree: Path) -> None:
    place = folder(tree, a=HEADERS + hazard("f").replace("8,", 'sizeof("\u00f6\u4e2d"),'))
    run = cli(place, env={"PYTHONIOENCODING": "ascii", "LC_ALL": "C"})
    assert run.code == 1
    assert run.out.isascii()
    assert "[GFP101 sleeping-alloc-in-atomic]" in run.out


def test_hostile_files_together(cli: Cli, tree: Path) -> None:
    place = tree / "fs/hostile"
    shutil.copytree(HOSTILE, place)
    run = cli(place, "-v", "--format", "sarif", "-j", "2")
    assert run.code == 1
    [invocation] = json.loads(run.out)["runs"][0]["invocations"]
    lost = {note["properties"]["what"].split(":")[0] for note in invocation["toolExecutionNotifications"]}
    assert "fs/hostile/syntax_error.c" in lost
    assert "fs/hostile/crlf.c" not in lost
    assert "Not everything was looked at: " in run.err
    assert "fs/hostile/syntax_error.c:" in run.err


# --- by size -----------------------------------------------------------------------------


def test_a_function_of_ten_thousand_lines(cli: Cli, tree: Path) -> None:
    lines = "".join(f"\ta[{number}] = a[{number + 1}] + {number};\n" for number in range(10_000))
    long = hazard("long_one").replace("\tspin_lock(", f"\tint *a = (int *)lock;\n\n{lines}\tspin_lock(")
    run = cli(folder(tree, long=HEADERS + long), "--format", "json")
    assert (run.code, hazards(run), losses(run)) == (1, ["long_one"], [])


def test_a_function_that_is_too_much_work_is_given_up_on(cli: Cli, tree: Path) -> None:
    variables = range(2_000)
    body = "".join(
        f"\tif (a[{n}])\n\t\tspin_lock(&l[{n}]);\n\tif (a[{n}])\n\t\tspin_unlock(&l[{n}]);\n" for n in variables
    )
    wide = f"void wide(int *a, spinlock_t *l)\n{{\n{body}\tkfree(kmalloc(8, GFP_KERNEL));\n}}\n"
    run = cli(folder(tree, wide=HEADERS + wide + hazard("other")), "--format", "json")
    assert "other" in hazards(run)
    assert run.code == 1


def test_deep_nesting_that_the_parser_refuses(cli: Cli, tree: Path) -> None:
    depth = 1_000
    place = folder(
        tree,
        parentheses=f"{HEADERS}int f(int x)\n{{\n\treturn {'(' * depth}x{')' * depth};\n}}\n{hazard('g')}",
        calls=f"int c(int);\nint f(int x)\n{{\n\treturn {'c(' * depth}x{')' * depth};\n}}\n",
        blocks=f"int f(int x)\n{{\n{'{' * depth}x++;{'}' * depth}\n\treturn x;\n}}\n",
        fine=HEADERS + hazard("fine"),
    )
    run = cli(place, "--format", "json")
    assert run.code == 1
    assert "fine" in hazards(run)
    lost = {loss.split(":")[0] for loss in losses(run)}
    assert lost == {f"fs/odd/{name}.c" for name in ("parentheses", "calls", "blocks")}


def test_deep_nesting_that_is_no_problem(cli: Cli, tree: Path) -> None:
    depth = 1_000
    chains = {
        "sum": "\tx = x" + " + x" * depth + ";\n",
        "logic": "\tif (x" + " && x" * depth + ")\n\t\treturn NULL;\n",
        "choice": "\tx = " + "x ? 1 : " * depth + "2;\n",
        "ifs": "\t" + "if (x) " * depth + "x++;\n",
        "parentheses": "\tx = " + "(" * 200 + "x" + ")" * 200 + ";\n",
    }
    files = {
        name: HEADERS + hazard(name).replace("lock)\n", "lock, int x)\n").replace("\tspin_lock(", f"{text}\tspin_lock(")
        for name, text in chains.items()
    }
    run = cli(folder(tree, **files), "--format", "json", "-j", "2")
    assert (sorted(hazards(run)), losses(run)) == (sorted(chains), [])


def test_a_file_that_kills_the_process_that_reads_it(cli: Cli, tree: Path) -> None:
    deadly = f"int f(int x)\n{{\n\treturn x{' + x' * 100_000};\n}}\n"
    place = folder(tree, deadly=deadly, a=HEADERS + hazard("a"), z=HEADERS + hazard("z"))
    run = cli(place, "--format", "json", "-j", "2")
    assert (run.code, hazards(run)) == (1, ["a", "z"])
    assert losses(run) == ["fs/odd/deadly.c:0: the process that read it died"]
    alone = cli(place / "deadly.c")
    assert (alone.code, alone.out) == (2, "")
    reason = "the file cannot be analysed: fs/odd/deadly.c:0: the process that read it died"
    assert alone.err == f"{ANNOUNCED}gfpcheck: {reason}\n"
