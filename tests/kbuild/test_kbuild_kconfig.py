"""Reading Kconfig files and giving the symbols values."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfpcheck.kbuild.evaluate import Evaluator, parse_expr
from gfpcheck.kbuild.kconfig import Kconfig, parse


def read(tmp_path: Path, text: str, **files: str) -> Kconfig:
    (tmp_path / "Kconfig").write_text(text)
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    return parse(tmp_path, {"SRCARCH": "x86", "ARCH": "x86"})


def values(kconfig: Kconfig, user: dict[str, str] | None = None, **forced: str) -> dict[str, str]:
    return Evaluator(kconfig, user or {}, forced).all_values()


def test_help_is_not_read_as_configuration(tmp_path: Path) -> None:
    text = "config A\n\tdef_bool y\n\thelp\n\t  config FAKE\n\n\t  if you like\n\nconfig B\n\tdef_bool y\n"
    assert set(read(tmp_path, text).symbols) == {"A", "B"}


def test_empty_help_ends_at_once(tmp_path: Path) -> None:
    assert set(read(tmp_path, "config A\n\tbool\n\thelp\nconfig B\n\tbool\n").symbols) == {"A", "B"}


def test_lines_are_continued_and_comments_dropped(tmp_path: Path) -> None:
    kconfig = read(tmp_path, '# comment\nconfig A\n\tbool "a # b" # why\n\tdepends on B && \\\n\t\tC\n')
    definition = kconfig.symbols["A"].definitions[0]
    assert definition.prompts == [""]
    assert [" ".join(text.split()) for text in definition.depends] == ["B && C"]


def test_sources_are_followed_once_and_missing_ones_ignored(tmp_path: Path) -> None:
    kconfig = read(
        tmp_path,
        'source "Kconfig.$(SRCARCH)"\nsource "Kconfig"\nsource "missing"\nosource "Kconfig.o*"\n',
        **{
            "Kconfig.x86": "config A\n\tbool\n",
            "Kconfig.one": "config B\n\tbool\n",
            "Kconfig.other": "config C\n\tbool\n",
        },
    )
    assert set(kconfig.symbols) == {"A", "B", "C"}
    assert kconfig.files == ["Kconfig", "Kconfig.x86", "Kconfig.one", "Kconfig.other"]


def test_prompt_and_dependencies_decide_whether_the_user_is_heard(tmp_path: Path) -> None:
    text = 'config A\n\tbool "a"\nconfig B\n\tbool "b"\n\tdepends on A\nconfig C\n\tbool\n\tdefault A\n'
    kconfig = read(tmp_path, text)
    assert values(kconfig, {"B": "y", "C": "y"}) == {}
    assert values(kconfig, {"A": "y", "B": "y"}) == {"A": "y", "B": "y", "C": "y"}
    assert values(kconfig, {"A": "y", "C": "n"}) == {"A": "y", "C": "y"}


def test_menus_and_ifs_put_conditions_on_what_is_inside(tmp_path: Path) -> None:
    text = (
        "menu M\n\tdepends on ON\nif ON2\nconfig A\n\tdef_bool y\nendif\nconfig B\n\tdef_bool y\nendmenu\n"
        "config C\n\tdef_bool y\nconfig ON\n\tbool\nconfig ON2\n\tbool\n"
    )
    kconfig = read(tmp_path, text)
    assert set(values(kconfig)) == {"C"}
    assert set(values(kconfig, ON="y")) == {"B", "C", "ON"}
    assert set(values(kconfig, ON="y", ON2="y")) == {"A", "B", "C", "ON", "ON2"}


def test_select_wins_over_user_and_dependencies_imply_does_not(tmp_path: Path) -> None:
    text = (
        "config A\n\tdef_bool y\n\tselect S if X\n\timply I\n"
        'config S\n\tbool "s"\n\tdepends on NEVER\nconfig I\n\tbool "i"\nconfig X\n\tbool\n'
    )
    kconfig = read(tmp_path, text)
    assert set(values(kconfig)) == {"A", "I"}
    assert set(values(kconfig, {"S": "n", "I": "n"}, X="y")) == {"A", "S", "X"}


def test_numbers_strings_and_comparisons(tmp_path: Path) -> None:
    text = (
        "config N\n\tint\n\tdefault 8 if BIG\n\tdefault 4\nconfig H\n\thex\n\tdefault 0x10\n"
        'config S\n\tstring\n\tdefault "x y"\nconfig E\n\tstring\n\tdefault ""\n'
        "config T\n\tdef_bool N > 3 && H = 0x10\n"
        'config U\n\tdef_bool S != "x y"\nconfig BIG\n\tbool\nconfig OUT\n\tstring\n\tdepends on BIG\n\tdefault ""\n'
    )
    assert values(read(tmp_path, text)) == {"N": "4", "H": "0x10", "S": "x y", "E": "", "T": "y"}


def test_a_choice_has_one_member_on(tmp_path: Path) -> None:
    text = (
        'choice\n\tprompt "which"\n\tdefault B\nconfig A\n\tbool "a"\nconfig B\n\tbool "b"\n'
        'config C\n\tbool "c"\n\tdepends on NEVER\nendchoice\nconfig AFTER\n\tdef_bool y\n'
    )
    kconfig = read(tmp_path, text)
    assert set(values(kconfig)) == {"B", "AFTER"}
    assert set(values(kconfig, {"A": "y"})) == {"A", "AFTER"}
    assert set(values(kconfig, {"B": "n"})) == {"A", "AFTER"}
    assert set(values(kconfig, {"C": "y"})) == {"B", "AFTER"}


def test_a_dependency_cycle_is_broken(tmp_path: Path) -> None:
    text = "config A\n\tdef_bool y\n\tdepends on B\nconfig B\n\tdef_bool y\n\tdepends on A\n"
    assert values(read(tmp_path, text)) == {}


def test_forced_values_win_over_everything(tmp_path: Path) -> None:
    kconfig = read(tmp_path, "config A\n\tdef_bool y\nconfig B\n\tdef_bool A\n")
    assert values(kconfig, A="n") == {}


def test_compiler_tests_count_as_passed(tmp_path: Path) -> None:
    assert values(read(tmp_path, "config A\n\tdef_bool $(cc-option,-mfoo $(inner,1))\n")) == {"A": "y"}


@pytest.mark.parametrize("text", ["", "&&", "(", "A &&", "!", ") A", "A = "])
def test_a_broken_expression_is_true(text: str) -> None:
    assert Evaluator(Kconfig(), {}, {"A": "y"}).test(text)


@given(st.text(alphabet="AB01 &|!()=<>\"'ymn", max_size=40))
def test_any_text_parses_as_expression(text: str) -> None:
    assert parse_expr(text)


_LINES = st.sampled_from(
    [
        *(
            "config A",
            "config B",
            "\tbool",
            '\tbool "p" if A',
            "\tint",
            "choice",
            "endchoice",
            "menu M",
            "endmenu",
            "if A",
        ),
        *("endif", "\thelp", "\t  text", "\tdepends on A && !B", "\tdefault B if", "\tselect", "\timply A if A", "\\"),
        "garbage =",
    ]
)


@given(lines=st.lists(_LINES, max_size=20))
def test_any_order_of_lines_is_survived(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    kconfig = read(tmp_path_factory.mktemp("k"), "\n".join(lines))
    assert set(values(kconfig, {"A": "y"})) <= {"A", "B", ""}
