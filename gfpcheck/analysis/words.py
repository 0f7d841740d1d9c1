"""Allocation flags of another kind, read as the kernel's."""

from __future__ import annotations

from gfpcheck.analysis import values
from gfpcheck.analysis.values import Value
from gfpcheck.models import GfpFlags, Word


def read_word(word: Word, value: Value, gfp: GfpFlags) -> Value:
    """The kernel's flags for a word of this value; what a flag that may be set changes is not known."""
    result = values.const(gfp.parse(word.plain))
    for flag in word.flags:
        if value.zeros & flag.value:
            continue
        changed = values.bit_or(result, values.const(gfp.parse(flag.adds or "0")))
        changed = values.bit_and(changed, values.bit_not(values.const(gfp.parse(flag.clears or "0"))))
        result = changed if value.ones & flag.value == flag.value else values.join(result, changed)
    return result
