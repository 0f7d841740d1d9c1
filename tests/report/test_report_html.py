"""The HTML report as text: what no browser is needed for."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec

from gfpcheck.findings import Place, Report, Step, Suppression

from .report_samples import IN_ATOMIC, MISSING_NOFS, at, rendered, report, tree

END = "</script><script>document.title = 'taken over'</script><!--"


class _Page(HTMLParser):
    """Its elements, and the text in each kind of element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, list[str]] = {}
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        self.inside.setdefault(self._open, []).append(data)

    def handle_endtag(self, tag: str) -> None:
        self._open = ""


def data_of(page: str) -> Any:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def hostile(root: Path) -> Report:
    """A report in which everything that comes from elsewhere is meant to break out."""
    folder = root / "mm"
    folder.mkdir(parents=True)
    source = (
        f'\tx = kmalloc(1, "{END}"); /* \u202e\x1b[31m */\n'.encode()
        + b"\ty = '\xff\xfe';\n"
        + b"z" * 100_000
        + b"q(1);\n"
    )
    (folder / "bad.c").write_bytes(source)
    finding = at("mm/bad.c", 1, 6, message=f"message {END} \u202e", function=f"f{END}")
    long = at("mm/bad.c", 3, 100_001, message="a long line")
    step = Step(Place("mm/bad.c", 2, 2, "g\udcff"), f"step {END}", "call")
    locks = {"locks": [{"class": f"lock {END}"}, {"class": "\u202elock"}, "no table"]}
    finding = msgspec.structs.replace(finding, flow=(step,), properties=locks)
    what = report(root, (finding, long))
    return msgspec.structs.replace(
        what, kernel=f"6.12 {END} {{{{data}}}}", setup=END, command_line=f"gfpcheck {END}\x07"
    )


def test_what_is_executed_is_what_the_policy_names(tmp_path: Path) -> None:
    page = rendered(hostile(tmp_path), "html")
    parsed = _Page(page)
    policy = next(
        attrs["content"] for tag, attrs in parsed.elements if attrs.get("http-equiv") == "Content-Security-Policy"
    )
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    for kind, texts in (("script", scripts), ("style", styles)):
        assert len(texts) == 1
        digest = base64.b64encode(hashlib.sha256(texts[0].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert [tag for tag, _ in parsed.elements].count("script") == 2
    assert not any(
        {"src", "href", "style"} & attrs.keys() and attrs.get("href") != "#list" for _, attrs in parsed.elements
    )


def test_nothing_that_was_read_ends_the_data(tmp_path: Path) -> None:
    page = rendered(hostile(tmp_path), "html")
    assert page.isascii()
    data = data_of(page)
    first = data["findings"][0]
    assert END in first["message"]
    assert END in data["sources"][0]["lines"]["1"]
    assert f"lock {END}" in first["locks"]
    assert END in data["command"]
    assert "\u202e" not in json.dumps(data, ensure_ascii=False)
    assert "\x1b" not in json.dumps(data, ensure_ascii=False)
    assert data["sources"][0]["lines"]["2"] == "\ty = '\ufffd\ufffd';"


def test_a_long_line_is_shown_around_the_place(tmp_path: Path) -> None:
    data = data_of(rendered(hostile(tmp_path), "html"))
    assert len(data["sources"][0]["lines"]["3"]) < 1000
    place = data["findings"][1]["place"]
    assert place["text"][place["start"] : place["end"]] == "q"
    assert len(place["text"]) < 1000


def test_lines_around_every_place_are_there_once(tmp_path: Path) -> None:
    data = data_of(rendered(report(tree(tmp_path)), "html"))
    sources = {source["file"]: source["lines"] for source in data["sources"]}
    assert sorted(map(int, sources["mm/pool.c"])) == [*range(3, 18)]
    place = data["findings"][0]["place"]
    line = sources["mm/pool.c"][str(place["line"])]
    assert line[place["start"] : place["end"]] == "pool_grow"


def test_what_is_shown_although_accepted_says_so(tmp_path: Path) -> None:
    accepted = msgspec.structs.replace(IN_ATOMIC, suppressions=(Suppression("external", "known <b>", "x.toml"),))
    known = msgspec.structs.replace(MISSING_NOFS, baseline="unchanged")
    data = data_of(rendered(report(tree(tmp_path), (accepted, known)), "html"))
    assert data["findings"][0]["message"].endswith("(suppressed: known <b>)")
    assert data["findings"][1]["message"].endswith("(in the baseline)")


def test_without_the_source_there_are_still_findings(tmp_path: Path) -> None:
    data = data_of(rendered(report(tmp_path / "gone"), "html"))
    assert len(data["findings"]) == 2
    assert data["sources"][0]["lines"] == {}


def test_no_findings(tmp_path: Path) -> None:
    page = rendered(report(tmp_path, ()), "html")
    assert data_of(page)["findings"] == []
    assert "<title>gfpcheck: 0 findings, Linux 6.12.3</title>" in page
