"""The check before any analysis: do the allocation flags of this tree have values?"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence

import msgspec

from gfpcheck import frontend
from gfpcheck.driver.inputs import Inputs
from gfpcheck.driver.options import NoFlagsError, RunError
from gfpcheck.driver.tool import code_digest
from gfpcheck.kbuild import Plan, Unit
from gfpcheck.models import GfpFlags, Models
from gfpcheck.store import digest

_TRIES = 50
"""Files of a project without linux/slab.h that are searched for the flags."""

_HEADERS = "#include <linux/sched.h>\n#include <linux/slab.h>\n"
"""Those of a kernel that define the flags and the other constants."""


def fold_flags(plan: Plan, knowledge: Models, inputs: Inputs) -> GfpFlags:
    """The GFP flags with their values in this tree; `inputs` finds what an earlier run has folded.

    Raises RunError if one of those that everything rests on has no value: without them the tool would be
    blind and say nothing.
    """
    missing: list[str] = []
    names = (*knowledge.gfp_flags, *knowledge.constants)
    for unit, header in _candidates(plan):
        folded = _fold(unit, header, names, inputs)
        given = {} if plan.is_kernel else knowledge.gfp_values
        values = given | {name: value for name, value in folded.items() if value is not None}
        absent = [name for name in knowledge.gfp_required if name not in values]
        if not absent:
            constants = {name: values.pop(name) for name in knowledge.constants if name in values}
            return GfpFlags(values, knowledge.gfp_compound, constants)
        if not missing or len(absent) < len(missing):
            missing = absent
    kind = RunError if plan.is_kernel else NoFlagsError
    raise kind(
        f"the value of {', '.join(missing)} cannot be found through "
        f"{'the headers of ' + plan.root if plan.is_kernel else 'the files given'}; "
        "nothing would be found, so gfpcheck stops here"
    )


def _fold(unit: Unit, header: str, names: Sequence[str], inputs: Inputs) -> dict[str, int | None]:
    context = (code_digest("frontend", "ir"), *frontend.identity())
    command = map(inputs.spelling.of, (unit.cwd, *unit.args))
    question = digest("constants", *context, header, *names, "", *command)
    key = inputs.find("constants", question, unit)
    data = None if key is None else inputs.store.get("constants", key)
    if data is not None:
        return msgspec.msgpack.decode(data, type=dict[str, int | None])
    with _uninterrupted():
        folded = frontend.fold_constants(unit.args, header, names, unit.cwd)
    if not folded.failed:
        inputs.files.look_again()
        key = inputs.enter(question, unit, folded.files, None)
        if key is not None:
            inputs.store.put("constants", key, msgspec.msgpack.encode(folded.values))
    return folded.values


def _candidates(plan: Plan) -> list[tuple[Unit, str]]:
    """Files with the text that should bring in the flags with their arguments."""
    if not plan.is_kernel:
        return [(unit, f'#include "{unit.path}"\n') for unit in plan.units[:_TRIES]]
    # Some folders have arguments of their own (16-bit boot code), but not three in a row.
    by_arguments = {(unit.args, unit.cwd): unit for unit in reversed(plan.units)}
    return [(unit, _HEADERS) for unit in list(reversed(by_arguments.values()))[:3]]


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Signals wait: libclang calls back into Python, from where no exception gets out."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
