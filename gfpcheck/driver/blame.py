"""Which line of a change brought a finding."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gfpcheck.changes import Lines, Written
from gfpcheck.findings import Finding, Place, Step


def blame(finding: Finding, written: Lines) -> Finding:
    """`finding` at a line that the change has written: its own if that is one, else the last of its steps that is,
    else the nearest in a function or file of its steps. Then it says where it would stand, too. The property "hunk"
    tells what the change has done there: the first line that it has written, how many, and what it has removed."""
    here = _written_at(finding.place, written)
    if here is not None:
        return _with_hunk(finding, here)
    place = next(_candidates(finding, written), None)
    if place is None:
        return finding
    own = finding.place
    where = f"line {own.line}" if own.file == place.file else f"{own.file}:{own.line}"
    origin = Step(own, f"{finding.rule} is found here", "found", 0, True)
    moved = msgspec.structs.replace(
        finding,
        place=place,
        message=f"because of this change, in {where}: {finding.message}",
        flow=(origin, *finding.flow),
        properties={**finding.properties, "found_at": {"file": own.file, "line": own.line, "column": own.col}},
    )
    here = _written_at(place, written)
    return moved if here is None else _with_hunk(moved, here)


def _with_hunk(finding: Finding, here: Written) -> Finding:
    count = 0 if here.only_removed else len(here.lines)
    hunk = {"line": here.lines.start, "count": count, "removed": list(here.removed)}
    return msgspec.structs.replace(finding, properties={**finding.properties, "hunk": hunk})


def _candidates(finding: Finding, written: Lines) -> Iterator[Place]:
    """Places in the change that may be the cause, the likeliest first."""
    steps = [step.place for step in (*reversed(finding.flow), *finding.other)]
    yield from (place for place in steps if _written_at(place, written) is not None)
    near = [
        (abs(each.lines[0] - place.line), Place(place.file, each.lines[0], 0, ""))
        for place in (finding.place, *steps)
        for each in written.get(place.file, ())
    ]
    yield from (place for _, place in sorted(near))
    yield from (Place(file, found[0].lines[0]) for file, found in sorted(written.items()) if found)


def _written_at(place: Place, written: Lines) -> Written | None:
    """What the change has written at `place`."""
    return next((each for each in written.get(place.file, ()) if place.line in each.lines), None)
