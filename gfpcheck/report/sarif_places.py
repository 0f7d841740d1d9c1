"""Places of a report as SARIF locations."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from urllib.parse import quote

import sarif_om as om

from gfpcheck.findings import Place
from gfpcheck.report.sarif_encode import Encoded, encode
from gfpcheck.report.source import Sources

BASE = "SRCROOT"


class Locations:
    """Makes locations in the tree at `root`, with `replaced` as in a report; equal places share their encoded parts."""

    def __init__(self, root: str, replaced: Mapping[str, bytes | None] | None = None) -> None:
        self._root = posixpath.normpath(root)
        self.sources = Sources(root, replaced)
        self._artifacts: dict[str, Encoded] = {}
        self._physical: dict[Place, Encoded] = {}
        self._logical: dict[str, list[Encoded]] = {}

    def base(self) -> om.ArtifactLocation:
        """The tree's root, to which the URIs of its files are relative."""
        return om.ArtifactLocation(uri=_file_uri(posixpath.join(self._root, "")))

    def location(self, place: Place, text: str = "", number: int = -1) -> om.Location:
        """`place`, described by `text`, with the id `number` for links."""
        return om.Location(
            id=number,
            message=om.Message(text=text) if text else None,
            physical_location=self._physical_location(place),
            logical_locations=self._function(place.function),
        )

    def file(self, file: str, function: str) -> om.Location:
        """A function of a file, somewhere in it."""
        return om.Location(
            physical_location=om.PhysicalLocation(artifact_location=self._artifact(file)),
            logical_locations=self._function(function),
        )

    def _physical_location(self, place: Place) -> Encoded:
        found = self._physical.get(place)
        if found is None:
            span = self.sources.span(place)
            line = max(place.line, 1)
            region = om.Region(start_line=line, start_column=span.start, end_line=line, end_column=span.end)
            location = om.PhysicalLocation(artifact_location=self._artifact(place.file), region=region)
            found = self._physical[place] = encode(location)
        return found

    def _artifact(self, file: str) -> Encoded:
        if file not in self._artifacts:
            self._artifacts[file] = encode(_artifact(self._root, file))
        return self._artifacts[file]

    def _function(self, name: str) -> list[Encoded] | None:
        if not name:
            return None
        if name not in self._logical:
            self._logical[name] = [encode(om.LogicalLocation(name=name, fully_qualified_name=name, kind="function"))]
        return self._logical[name]


def _artifact(root: str, file: str) -> om.ArtifactLocation:
    """A file below `root` by its path from there, any other by an absolute URI."""
    absolute = posixpath.normpath(posixpath.join(root, file))
    prefix = posixpath.join(root, "")
    if absolute.startswith(prefix):
        return om.ArtifactLocation(uri=_quoted(absolute.removeprefix(prefix)), uri_base_id=BASE)
    return om.ArtifactLocation(uri=_file_uri(absolute))


def _file_uri(path: str) -> str:
    return f"file:///{_quoted(path.lstrip('/'))}"


def _quoted(path: str) -> str:
    # By its bytes, so that a name that is not UTF-8 still names its file.
    return quote(os.fsencode(path), safe="/")
