"""Findings -> output. One module a format; this one picks among them.

`write` streams a report to an open text file; `write_file` puts it into a file that is never seen
half written; `write_summary` prints the totals alone, for a command line that sends findings to a
file and wants to say on the terminal what came of it.
"""

from __future__ import annotations

from gfpcheck.findings import Report
from gfpcheck.report import gcc, github, json_report, mail, mermaid, terse, text
from gfpcheck.report.files import ReportError, replacing
from gfpcheck.report.lines import Sink, encodable
from gfpcheck.report.text import write_summary

__all__ = ["FORMATS", "SCENARIO_FORMATS", "ReportError", "Sink", "left_out", "write", "write_file", "write_summary"]

FORMATS = ("text", "sarif", "json", "github", "gcc", "terse", "mail", "html")
"""Those of findings."""
SCENARIO_FORMATS = ("text", "sarif", "mermaid")
"""Those that show scenarios whole."""


def write(
    report: Report, fmt: str, stream: Sink, *, color: bool = False, verbose: bool = False, quiet: bool = False
) -> None:
    """Writes `report` to `stream` in the format `fmt`, one of `FORMATS` or `SCENARIO_FORMATS` (else
    ValueError).

    `color`, `verbose` (every step with its source, the names of all losses) and `quiet` (no
    summary) concern "text" alone: the other formats are for programs and always complete.
    Raises what `stream.write` raises.
    """
    sink = encodable(stream)
    match fmt:
        case "text":
            text.write(report, sink, color=color, verbose=verbose, quiet=quiet)
        case "sarif":
            from gfpcheck.report import sarif  # sarif-om takes longer to import than most reports to write

            sarif.write(report, sink)
        case "json":
            json_report.write(report, sink)
        case "github":
            github.write(report, sink)
        case "gcc":
            gcc.write(report, sink)
        case "terse":
            terse.write(report, sink)
        case "mail":
            mail.write(report, sink)
        case "mermaid":
            mermaid.write(report, sink)
        case "html":
            from gfpcheck.report import html_report  # reads what the page is made of

            html_report.write(report, sink)
        case _:
            raise ValueError(f"unknown report format {fmt!r}; there are {', '.join(FORMATS)}")


def left_out(report: Report, fmt: str) -> int:
    """How many findings the format `fmt` leaves out, the least severe ones: SARIF has a limit."""
    if fmt != "sarif":
        return 0
    from gfpcheck.report import sarif

    return max(len(report.findings) - sarif.MAX_RESULTS, 0)


def write_file(
    path: str, report: Report, fmt: str, *, color: bool = False, verbose: bool = False, quiet: bool = False
) -> None:
    """Like `write`, into the file `path`, which appears or changes only when all is written.

    Raises ReportError, which names the path, when that cannot be done; `path` is then as it was.
    """
    with replacing(path) as stream:
        write(report, fmt, stream, color=color, verbose=verbose, quiet=quiet)
