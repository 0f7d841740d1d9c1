"""Which functions a kernel C file defines, read from its text: independent of everything that gfpcheck parses with."""

from __future__ import annotations

import re

_IDLE = re.compile(r"""/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""", re.DOTALL)
_DIRECTIVE = re.compile(r"^[ \t]*#[ \t]*(\w*)(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
_BODY = re.compile(r"\)[^;{}=]*\n\{")
_CALLISH = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
# A macro at file scope needs no semicolon, but is followed by an empty line.
_ENDS = re.compile(r"[;}]|\n[ \t]*\n")
_ATTRIBUTES = frozenset({"__attribute__", "__printf", "__scanf", "__alloc_size", "__aligned", "__section"})


def written_functions(text: str) -> set[str]:
    """The functions that `text` defines in the kernel's style (a brace in the first column) whatever the
    configuration: outside of any #if, and not by a macro."""
    plain = _unconditional(_IDLE.sub(lambda match: "\n" * match[0].count("\n") or " ", text))
    found = set()
    for match in _BODY.finditer(plain):
        start = max((end.end() for end in _ENDS.finditer(plain, 0, match.end())), default=0)
        names = [name for name in _CALLISH.findall(plain, start, match.end()) if name not in _ATTRIBUTES]
        if names and not names[0].isupper():
            found.add(names[0])
    return found


def _unconditional(text: str) -> str:
    """`text` without directives and without what stands under an #if."""
    parts = []
    depth = position = 0
    for match in _DIRECTIVE.finditer(text):
        if not depth:
            parts.append(text[position : match.start()])
        if match[1] in ("if", "ifdef", "ifndef"):
            depth += 1
        elif match[1] == "endif":
            depth -= 1
        position = match.end()
    return "".join([*parts, text[position:]])
