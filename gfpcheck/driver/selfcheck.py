"""The check before any analysis: do the allocation flags of this tree have values?"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

from gfpcheck import frontend
from gfpcheck.driver.options import RunError
from gfpcheck.kbuild import Plan, Unit
from gfpcheck.models import GfpFlags, Models

_TRIES = 50
"""Files of a project without linux/slab.h that are searched for the flags."""


def fold_flags(plan: Plan, knowledge: Models) -> GfpFlags:
    """The GFP flags with their values in this tree.

    Raises RunError if one of those that everything rests on has no value: without them the tool would be
    blind and say nothing.
    """
    missing: list[str] = []
    names = (*knowledge.gfp_flags, *knowledge.gfp_constants)
    for unit, header in _candidates(plan):
        with _uninterrupted():
            folded = frontend.fold_constants(unit.args, header, names, unit.cwd)
        given = {} if plan.is_kernel else knowledge.gfp_values
        values = given | {name: value for name, value in folded.items() if value is not None}
        absent = [name for name in knowledge.gfp_required if name not in values]
        if not absent:
            constants = {name: values.pop(name) for name in knowledge.gfp_constants if name in values}
            return GfpFlags(values, knowledge.gfp_compound, constants)
        if not missing or len(absent) < len(missing):
            missing = absent
    raise RunError(
        f"the value of {', '.join(missing)} cannot be found through "
        f"{'the headers of ' + plan.root if plan.is_kernel else 'the files given'}; "
        "nothing would be found, so gfpcheck stops here"
    )


def _candidates(plan: Plan) -> list[tuple[Unit, str]]:
    """Files with the text that should bring in the flags with their arguments."""
    if not plan.is_kernel:
        return [(unit, f'#include "{unit.path}"\n') for unit in plan.units[:_TRIES]]
    # Some folders have arguments of their own (16-bit boot code), but not three in a row.
    by_arguments = {(unit.args, unit.cwd): unit for unit in reversed(plan.units)}
    return [(unit, "#include <linux/slab.h>\n") for unit in list(reversed(by_arguments.values()))[:3]]


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Signals wait: libclang calls back into Python, from where no exception gets out."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
