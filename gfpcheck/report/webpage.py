"""HTML pages that load nothing: they run what has the hashes that their policy names, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping

from gfpcheck.report.lines import printable


def policy(script: str, style: str) -> str:
    """The content security policy of a page with one script and one style."""
    return (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; base-uri 'none'; "
        "form-action 'none'"
    )


def filled(page: str, parts: Mapping[str, str]) -> str:
    """`page` with each `{{name}}` replaced by that part, which is markup."""
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page)


def escaped(text: str) -> str:
    """`text`, whatever is in it, for a page in ASCII: in an element or in an attribute with double quotes."""
    shown = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return shown.encode("ascii", "xmlcharrefreplace").decode()


def _hash(text: str) -> str:
    """What a content security policy calls `text`."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
