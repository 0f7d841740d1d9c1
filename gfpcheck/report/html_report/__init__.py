"""The report as one HTML file, which needs nothing but a browser.

The page is made of the files beside this module. The findings are embedded as JSON; the page's script shows those that
can be seen. It runs what has the hashes that its policy names, and loads nothing.
"""

from __future__ import annotations

from importlib.resources import files

from gfpcheck.findings import Report
from gfpcheck.report.html_report.data import write_data
from gfpcheck.report.lines import Sink
from gfpcheck.report.webpage import escaped, filled, policy

_SCRIPTS = ("dom.js", "findings.js", "list.js", "source.js", "detail.js", "facets.js", "page.js")
"""In the order in which they need each other."""


def write(report: Report, sink: Sink) -> None:
    """Writes `report` as an HTML page, in ASCII."""
    style = _resource("page.css")
    script = "\n".join(('(() => {\n"use strict";', *map(_resource, _SCRIPTS), "})();\n"))
    parts = {
        "policy": policy(script, style),
        "title": _title(report),
        "style": style,
        "script": script,
    }
    before, _, after = _resource("page.html").partition("{{data}}")
    sink.write(filled(before, parts))
    write_data(report, _Element(sink))
    sink.write(filled(after, parts))


class _Element:
    """A sink for the JSON inside of a `script` element, which no text in it can end."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, text: str, /) -> None:
        # In JSON, "<" stands in strings alone.
        self._sink.write(text.replace("<", "\\u003c"))


def _title(report: Report) -> str:
    number = len(report.findings)
    where = f", Linux {report.kernel}" if report.kernel else ""
    return escaped(f"gfpcheck: {number:,} {'finding' if number == 1 else 'findings'}{where}")


def _resource(name: str) -> str:
    return files(__package__).joinpath(name).read_text("ascii")
