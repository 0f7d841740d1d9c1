"""GitHub's line hash, against the values that its upload action is tested with."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gfpcheck.report.linehash import LineHashes

_GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]

_VECTORS = [
    ("", ["c129715d7a2bc9a3:1"]),
    (
        " a\nb\n  \t\tc\n d",
        ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
    ),
    (
        " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
        [
            "8b7cf3e952e7aeb2:1",
            "b1ae1287ec4718d9:1",
            "bff680108adb0fcc:1",
            "c6805c5e1288b612:1",
            "b86d3392aea1be30:1",
            "e6ceba753e1a442:1",
        ],
    ),
    (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", _GREETINGS),
    (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", _GREETINGS),
    (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", _GREETINGS),
    (" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", _GREETINGS),
    (
        "Lorem ipsum dolor sit amet.\n" * 10,
        [
            "a7f2ff13bc495cf2:1",
            "a7f2ff13bc495cf2:2",
            "a7f2ff13bc495cf2:3",
            "a7f2ff13bc495cf2:4",
            "a7f2ff13bc495cf2:5",
            "a7f2ff13bc495cf2:6",
            "a7f2ff1481e87703:1",
            "a9cf91f7bbf1862b:1",
            "55ec222b86bcae53:1",
            "cc97dc7b1d7d8f7b:1",
            "c129715d7a2bc9a3:1",
        ],
    ),
]


def _hashes(data: bytes) -> list[str]:
    hashes = LineHashes(data)
    return [hashes.of(line) for line in range(1, len(hashes) + 1)]


@pytest.mark.parametrize(("text", "expected"), _VECTORS)
def test_published_vectors(text: str, expected: list[str]) -> None:
    assert _hashes(text.encode()) == expected


def _rolling(text: str) -> list[str]:
    """The hash as it is specified: one unit after the other through a window of 100."""
    raw = text.encode("utf-16-le")
    units = [int.from_bytes(raw[at : at + 2], "little") for at in range(0, len(raw), 2)]
    window, value, index = [0] * 100, 0, 0
    line_at: dict[int, bool] = {}
    seen: dict[int, int] = {}
    result: list[str] = []
    line_start, after_cr = True, False

    def emit() -> None:
        if line_at.pop(index, False):
            seen[value] = seen.get(value, 0) + 1
            result.append(f"{value:x}:{seen[value]}")

    def push(unit: int) -> None:
        nonlocal value, index
        value = (value * 37 + unit - pow(37, 100) * window[index]) % 2**64
        window[index] = unit
        index = (index + 1) % 100

    for unit in [*units, 0xFFFF]:
        if unit in (32, 9) or (after_cr and unit == 10):
            after_cr = False
            continue
        after_cr = unit == 13
        unit = 10 if after_cr else unit
        emit()
        if line_start:
            line_at[index] = True
        line_start = unit == 10
        push(unit)
    for _ in range(100):
        emit()
        push(0)
    return result


@given(st.text(alphabet=st.sampled_from("ab\n\r\t \u00e9\uffff\U0001f600"), max_size=400))
@settings(deadline=None)
def test_the_shortcut_equals_the_rolling_hash(text: str) -> None:
    assert _hashes(text.encode()) == _rolling(text)


@given(st.lists(st.text(alphabet="xy \t{}", max_size=60), max_size=12))
@settings(deadline=None)
def test_line_breaks_and_indentation_do_not_matter(lines: list[str]) -> None:
    unix = _hashes("\n".join(lines).encode())
    assert _hashes("\r\n".join(lines).encode()) == unix
    assert _hashes("\r".join(lines).encode()) == unix
    assert _hashes("\n".join("\t  " + line for line in lines).encode()) == unix


def test_bytes_that_are_not_utf8_do_no_harm() -> None:
    assert _hashes(b"a\xff\nb") == _hashes("a\ufffd\nb".encode())
