"""What the name of a function means in a file."""

from pathlib import Path

import pytest
from analysed import program


@pytest.mark.parametrize("name", ["part.h", "part.inc", "part.c"])
@pytest.mark.parametrize("words", ["static", "static inline"])
def test_what_is_included_is_meant_by_whoever_includes_it(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / name).write_text(f"{words} int helper(int x) {{ return x + 1; }}\n")
    whole = program(tmp_path, a=f'#include "{name}"\nint f(void) {{ return helper(1); }}\n')
    assert whole.find("helper", "a.c") == f"{name}:helper"


def test_a_static_function_of_another_file_is_not_meant(tmp_path: Path) -> None:
    whole = program(
        tmp_path, a="int helper(int); int f(void) { return helper(1); }", b="static int helper(int x) { return x; }"
    )
    assert whole.find("helper", "a.c") is None


def test_its_own_comes_first(tmp_path: Path) -> None:
    (tmp_path / "part.h").write_text(
        "static int helper(int x) { return x + 1; }\nstatic int g(void) { return helper(2); }\n"
    )
    whole = program(
        tmp_path,
        a='#include "part.h"\nint f(void) { return helper(g()); }',
        b="static int helper(int x) { return x; } int h(void) { return helper(1); }",
    )
    assert whole.find("helper", "a.c") == "part.h:helper"
    assert whole.find("helper", "b.c") == "b.c:helper"


def test_of_two_that_are_included_somewhere_neither_is_guessed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.h").write_text("static int helper(int x) { return x + 1; }\n")
    whole = program(
        tmp_path,
        a='#include "one.h"\nint f(void) { return helper(1); }',
        b='#include "two.h"\nint g(void) { return helper(1); }',
    )
    assert whole.find("helper", "a.c") is None
