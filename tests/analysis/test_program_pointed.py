"""Which functions a call through a pointer means: of those that several modules store, the nearest."""

from pathlib import Path

from analysed import modules, program

from gfpcheck.analysis.program import Program
from gfpcheck.ir import Call

HEAD = """
struct obj;
struct ops { int (*grow)(struct obj *); int (*shrink)(struct obj *); };
struct obj { const struct ops *ops; };
typedef int (*each_t)(struct obj *);
int for_each(struct obj *o, each_t each);
int use(struct obj *o);
"""
MODULE = """
static int {name}_grow(struct obj *o) {{ return 0; }}
static const struct ops {name}_ops = {{ .grow = {name}_grow }};
"""
USE = "int {name}_use(struct obj *o) {{ return o->ops->grow(o); }}"


def meant(whole: Program, function: str) -> list[str]:
    """The names of the functions that the first call of `function` may reach."""
    func = next(func for func in whole.functions.values() if func.name == function)
    call = next(i for block in func.blocks for i in block.instrs if isinstance(i, Call))
    return [whole.functions[key].name for key in whole.callees(call, func)]


def texts(*names: str) -> dict[str, str]:
    """A module in a folder of its own for each name, with a caller of the pointer that all of them store."""
    return {f"fs__{n}__m": HEAD + MODULE.format(name=n) + USE.format(name=n) for n in names}


def test_a_module_calls_its_own(tmp_path: Path) -> None:
    whole = program(tmp_path, **texts("one", "two"))
    assert meant(whole, "one_use") == ["one_grow"]
    assert meant(whole, "two_use") == ["two_grow"]


def test_who_stores_none_may_call_any(tmp_path: Path) -> None:
    whole = program(tmp_path, **texts("one", "two"), fs__read=HEAD + USE.format(name="vfs"))
    assert meant(whole, "vfs_use") == ["one_grow", "two_grow"]


def test_any_is_too_many_where_the_own_ones_are_not(tmp_path: Path) -> None:
    many = {f"fs__m{n}__m": HEAD + MODULE.format(name=f"m{n}") for n in range(70)}
    whole = program(tmp_path, **texts("one"), **many, fs__read=HEAD + USE.format(name="vfs"))
    assert meant(whole, "one_use") == ["one_grow"]
    assert meant(whole, "vfs_use") == []
    vfs = next(func for func in whole.functions.values() if func.name == "vfs_use")
    assert all(whole.is_too_wide(call, vfs) for _, _, call in whole.calls(vfs))


def test_what_is_passed_is_meant_wherever_it_comes_from(tmp_path: Path) -> None:
    library = HEAD + "int for_each(struct obj *o, each_t each) { return each(o); }"
    own = "static int own(struct obj *o) { return 0; } int own_use(struct obj *o) { return for_each(o, own); }"
    other = HEAD + "static int other(struct obj *o) { return 0; } int x(struct obj *o) { return for_each(o, other); }"
    whole = program(tmp_path, fs__one__lib=library + own, fs__two__m=other)
    assert meant(whole, "for_each") == ["own", "other"]


def test_a_folder_that_another_one_builds_is_a_part_of_it(tmp_path: Path) -> None:
    part = {"fs__one__lib__m": HEAD + USE.format(name="lib") + MODULE.format(name="lib")}
    files = modules(tmp_path, **texts("one", "two"), **part)
    assert meant(Program(files), "lib_use") == ["lib_grow"]
    assert meant(Program(files, parts={"fs/one/lib": "fs/one"}), "lib_use") == ["lib_grow", "one_grow"]


def test_a_librarys_own_assignment_does_not_hide_its_users_tables(tmp_path: Path) -> None:
    library = HEAD.replace("const struct ops *ops", "struct ops ops") + (
        "static int drop(struct obj *o) { return -1; }"
        "void stop(struct obj *o) { o->ops.grow = drop; } int lib_use(struct obj *o) { return o->ops.grow(o); }"
    )
    users = {f"drivers__{n}__m": HEAD + MODULE.format(name=n) for n in ("one", "two")}
    assert meant(program(tmp_path, drivers__lib__m=library, **users), "lib_use") == ["drop", "one_grow", "two_grow"]


def test_nor_does_it_count_where_the_library_has_a_table(tmp_path: Path) -> None:
    library = (
        HEAD.replace("const struct ops *ops", "struct ops ops")
        + MODULE.format(name="lib")
        + ("int lib_use(struct obj *o) { return o->ops.grow(o); }")
    )
    whole = program(tmp_path, drivers__lib__m=library, drivers__one__m=HEAD + MODULE.format(name="one"))
    assert meant(whole, "lib_use") == ["lib_grow"]
