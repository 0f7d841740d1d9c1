"""What a Kbuild Makefile says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfpcheck.kbuild.makefile import read_makefile

VARIABLES = {"src": "fs/demo", "srctree": ".", "BITS": "64"}


def selected(text: str, **options: str) -> set[str]:
    return read_makefile(text, options, VARIABLES).selected


def test_objects_follow_their_option() -> None:
    text = "obj-$(CONFIG_A) += a.o\nobj-y += b.o c/\nobj-$(CONFIG_N)+= n.o\n"
    assert selected(text, N="n") == {"b.o", "c/"}
    assert selected(text, A="y") == {"a.o", "b.o", "c/"}


def test_a_module_is_built_and_marked() -> None:
    made = read_makefile("obj-$(CONFIG_A) += a.o\na-y := one.o\nobj-y += b.o\n", {"A": "m"}, VARIABLES)
    assert made.selected == {"a.o", "one.o", "b.o"}
    assert made.modules == {"a.o", "one.o"}


def test_parts_of_a_composite_are_off_with_it_and_say_why() -> None:
    made = read_makefile(
        "obj-$(CONFIG_A) += a.o\na-y := one.o two.o\na-$(CONFIG_B) += three.o\n", {"B": "y"}, VARIABLES
    )
    assert made.selected == set()
    assert made.named == {"a.o": "A", "one.o": "A", "two.o": "A", "three.o": "B"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("obj-y := $(addprefix lib/, a.o b.o)\n", {"lib/a.o", "lib/b.o"}),
        ("obj-y := process_$(BITS).o\n", {"process_64.o"}),
        ("VERSIONS := 1 2\nobj-y := $(VERSIONS:%=data/v%.o)\n", {"data/v1.o", "data/v2.o"}),
        ("LIST = a.c\nobj-y := $(LIST:.c=.o)\n", {"a.o"}),
        ("obj-$(subst m,y,$(CONFIG_M)) += sub/\n", {"sub/"}),
        ("list-y := a.o\nobj-y += $(list-y)\n", {"a.o"}),
        ("obj-y := a.o \\\n\tb.o\n", {"a.o", "b.o"}),
        ("obj-y := a.o # b.o\n", {"a.o"}),
        ("obj-y := a.o\nobj-y := b.o\n", {"b.o"}),
        ("obj-$(CONFIG_Y)+= a.o\n", {"a.o"}),
        ("ifdef CONFIG_Y\nobj-y += a.o\nelse\nobj-y += b.o\nendif\n", {"a.o"}),
        ("ifndef CONFIG_Y\nobj-y += a.o\nelse ifeq ($(CONFIG_M),m)\nobj-y += b.o\nendif\n", {"b.o"}),
        ("ifeq ($(CONFIG_Y)$(CONFIG_X),y)\n\tobj-y += a.o\nendif\n", {"a.o"}),
        ("ifneq ($(CONFIG_X),)\nobj-y += a.o\nendif\nobj-y += c.o\n", {"c.o"}),
        ("obj-y += a.o\ntarget: a.o\n\tobj-y += recipe.o\n", {"a.o"}),
    ],
)
def test_lists(text: str, expected: set[str]) -> None:
    assert selected(text, Y="y", M="m") == expected


def test_flags_are_split_and_expanded() -> None:
    made = read_makefile(
        "ccflags-y += -I $(src) '-DNAME=\"a b\"'\n"
        "subdir-ccflags-$(CONFIG_Y) := -DSUB\nCFLAGS_one.o := -DONE\n"
        "ccflags-$(CONFIG_X) += -DX\n",
        {"Y": "y"},
        VARIABLES,
    )
    assert made.flags == ["-I", "fs/demo", '-DNAME="a b"']
    assert made.subdir_flags == ["-DSUB"]
    assert made.file_flags == {"one.o": ["-DONE"]}


def test_included_files_are_read_in_place() -> None:
    files = {
        "fs/demo/../other/Makefile": "OTHER := $(PREFIX)/x.o\ninclude missing\n",
        "fs/demo/more": "obj-y += more.o\n",
    }
    text = "PREFIX = ../other\ninclude $(src)/../other/Makefile $(src)/more\nobj-y += $(OTHER)\n"
    made = read_makefile(text, {}, VARIABLES, files.get)
    assert made.selected == {"../other/x.o", "more.o"}
    assert made.included == list(files)
    assert made.open
    assert not read_makefile("include $(src)/more\n", {}, VARIABLES, files.get).open
    assert not read_makefile("ifdef CONFIG_N\ninclude missing\nendif\nobj-y += a.o\n", {}, VARIABLES).open


def test_files_that_include_themselves_are_survived() -> None:
    made = read_makefile("include self\n", {}, VARIABLES, lambda _: "include self\nobj-y += a.o\n")
    assert made.selected == {"a.o"}


def test_includes_and_wildcards_leave_the_list_open() -> None:
    assert read_makefile("include other\nobj-y += a.o\n", {}, VARIABLES).open
    assert read_makefile("obj-y += $(wildcard *.o)\n", {}, VARIABLES).open
    assert read_makefile("FILES = a.o\n", {}, VARIABLES).fragment
    assert not read_makefile("obj-$(CONFIG_A) += a.o\n", {}, VARIABLES).open


@given(st.text(alphabet="objy-=+:$(){}CONFIG_ab .,#\\\n\tifeqnd'\"", max_size=200))
def test_any_text_is_survived(text: str) -> None:
    made = read_makefile(text, {"A": "y"}, VARIABLES)
    assert made.modules <= made.selected
