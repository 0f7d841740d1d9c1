"""Functions found in text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gfpcheck.symbols import definitions


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("int a(void)\n{\n}\n", ["a"]),
        ("int a(void) {\n}\n", ["a"]),
        ("struct b *\na(struct b *b,\n  int c)\n{\n}\n", ["a"]),
        ("static int a(void)\n{\n}\nint b(void)\n{\n}\n", ["b"]),
        ("static inline\nint a(void)\n{\n}\n", []),
        ("int __init a(void)\n{\n}\n", ["a"]),
        ("__printf(2, 3)\nvoid a(int b, const char *c, ...)\n{\n}\n", ["a"]),
        ("void a(struct b *b) __must_hold(&b->lock)\n{\n}\n", ["a"]),
        ("int a(b, c)\n\tint b;\n\tint c;\n{\n}\n", []),  # nobody writes these any more
        ("/* int old(void)\n */\nint a(void)\n{\n}\n", ["a"]),
        ("#if defined(B)\nint a(void)\n#else\nint a(int b)\n#endif\n{\n}\n", ["a"]),
        ("#define B(c) \\\n\tif (c) {\n\nint a(void)\n{\n}\n", ["a"]),
        ("struct ops b = {\n};\nint c[] =\n{\n};\n", []),
        ("struct b\n{\n};\n", []),
        ("EXPORT_SYMBOL(z);\n\nint a(void)\n{\n}\n", ["a"]),
        ("int a(int (*b)(int))\n{\n}\n", ["a"]),
        ("void a(void)\n{\n\tif (b(1)) {\n\t}\n\twhile (c()) {\n\t}\n}\n", ["a"]),
        ("int a(void)\n{\n#ifdef B\n}\n#else\n}\n#endif\nint b(void)\n{\n}\n", ["a", "b"]),
        ("int a(void)\n{", ["a"]),
        ("int a(void)\r\n{\r\n}\r\n", ["a"]),
        ("int a(void *b) __dm_written_to_disk(b)\n{\n}\n", ["a"]),
        ("int __printf(2, 3) a(struct b *b, const char *c, ...)\n{\n}\n", ["a"]),
        ("int __attribute__((weak)) __a(int b)\n{\n}\n", ["__a"]),
        ("int __a(int b) __must_hold(&c)\n{\n}\n", ["__a"]),
        ("int a(struct b *b,\n      int c) {\n}\n", ["a"]),
        ("int a(\n\tint b,\n\tint c\n) {\n}\n", ["a"]),
        ("int *\na(int b) {\n}\n", ["a"]),
        ("static int *\na(int b) {\n}\n", []),
        # What stands above may have no end of its own.
        ("#define B(c) \\\n\tdo { \\\n\t} while (0)\n\nint a(void)\n{\n}\n", ["a"]),
        ("#define B(c) \\\n\tdo { \\\n\t} while (0)\n\nstatic int a(void)\n{\n}\n", []),
        ("EXPORT_SYMBOL(z)\nint a(void)\n{\n}\n", ["a"]),
        ("// int old(void)\nint a(void)\n{\n}\n", ["a"]),
        ("/* one; } two */\nint a(int b, /* of c */ int d)\n{\n}\n", ["a"]),
        ("__attribute__((nonnull(2,3)))\nvoid a(void *b, int (*c)(int), void *d)\n{\n}\n", ["a"]),
        ("void a(struct b *b)\n\t__acquires(&b->c)\n\t__releases(&b->d)\n{\n}\n", ["a"]),
        ("#ifdef B\nint\n#else\nlong\n#endif\na(int b)\n{\n}\n", ["a"]),
        # Macros that make functions, and heads within macros: nobody calls these names.
        ("SYSCALL_DEFINE2(b, int, c, int, d)\n{\n}\n", []),
        ("BPF_CALL_1(b, struct c *, c)\n{\n}\n", []),
        ("#define B(c) \\\nint c(void) \\\n{ \\\n}\nint a(void)\n{\n}\n", ["a"]),
        # Brackets that do not match.
        ("int a(void))\n{\n}\n", []),
        ("int a((void)\n{\n}\nint b(void)\n{\n}\n", ["b"]),
        ("int a(void)\n{\n{\n}\nint b(void)\n{\n}\n", ["a", "b"]),
        ("if (b)\n{\n}\n", []),
        (")\n{\n", []),
        ("()\n{\n", []),
        ("{\n}\n", []),
        ("", []),
    ],
)
def test_functions_that_others_can_call(text: str, names: list[str]) -> None:
    assert definitions(text.encode()) == names


def test_the_same_name_twice_counts_once() -> None:
    assert definitions(b"#ifdef B\nint a(void)\n{\n}\n#else\nint a(void)\n{\n}\n#endif\n") == ["a"]


@given(st.binary(max_size=300))
def test_any_bytes_will_do(data: bytes) -> None:
    assert all(name.isidentifier() for name in definitions(data + b"\nint a(void)\n{\n" + data))
