"""Which line of a change brought a finding."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from gfpcheck.changes import Lines
from gfpcheck.findings import Finding, Place, Step


def blame(finding: Finding, written: Lines) -> Finding:
    """`finding` at a line that the change has written: its own if that is one, else the last of its steps that is,
    else the nearest in a function or file of its steps. Then it says where it would stand, too."""
    if _is_written(finding.place, written):
        return finding
    place = next(_candidates(finding, written), None)
    if place is None:
        return finding
    own = finding.place
    where = f"line {own.line}" if own.file == place.file else f"{own.file}:{own.line}"
    origin = Step(own, f"{finding.rule} is found here", "found", 0, True)
    return msgspec.structs.replace(
        finding,
        place=place,
        message=f"because of this change, in {where}: {finding.message}",
        flow=(origin, *finding.flow),
        properties={**finding.properties, "found_at": {"file": own.file, "line": own.line, "column": own.col}},
    )


def _candidates(finding: Finding, written: Lines) -> Iterator[Place]:
    """Places in the change that may be the cause, the likeliest first."""
    steps = [step.place for step in (*reversed(finding.flow), *finding.other)]
    yield from (place for place in steps if _is_written(place, written))
    near = [
        (abs(lines[0] - place.line), Place(place.file, lines[0], 0, ""))
        for place in (finding.place, *steps)
        for lines in written.get(place.file, ())
    ]
    yield from (place for _, place in sorted(near))
    yield from (Place(file, ranges[0][0]) for file, ranges in sorted(written.items()) if ranges)


def _is_written(place: Place, written: Lines) -> bool:
    return any(place.line in lines for lines in written.get(place.file, ()))
