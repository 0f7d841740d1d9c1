"""The HTML report in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from gfpcheck.findings import Finding, Place, Report
from gfpcheck.report import write_file

from .browser import DESKTOP, PHONE, Browser, open_browser
from .report_samples import IN_ATOMIC, MISSING_NOFS, report, tree
from .test_report_html import hostile

pytestmark = pytest.mark.browser

MANY = 10_000

CONTRAST = Path(__file__).with_name("contrast.js").read_text()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return written(tmp_path, report(tree(tmp_path / "src")))


def written(folder: Path, what: Report) -> Path:
    path = folder / "report.html"
    write_file(str(path), what, "html")
    return path


def many(number: int) -> tuple[Finding, ...]:
    """The two samples again and again, each time of another function."""
    return tuple(
        msgspec.structs.replace(
            sample := (IN_ATOMIC, MISSING_NOFS)[index % 2],
            place=msgspec.structs.replace(sample.place, function=f"user_{index}"),
            subject=(*sample.subject, str(index)),
        )
        for index in range(number)
    )


def test_a_finding_is_shown_with_its_source_and_its_chain(browser: Browser, page: Path) -> None:
    browser.show(page)
    assert browser.texts("#scope") == ["2 findings in 2 files \u00b7 Linux 6.12.3 \u00b7 not everything was looked at"]
    assert browser.texts("#detail h2") == [IN_ATOMIC.message]
    assert len(browser.texts(".chain li")) == 3
    assert browser.texts(".excerpt .function") == ["pool_get()", "pool_grow()"]
    assert browser.texts(".remark") == [f"{n}{step.text}" for n, step in enumerate(IN_ATOMIC.flow, 1)]
    assert browser.texts(".excerpt mark") == ["spin_lock", "pool_grow", "kmalloc"]
    assert "13\tspin_lock(&p->lock);" in browser.texts(".line.told")
    browser.click(".finding", 1)
    assert browser.texts("#detail h2") == [MISSING_NOFS.message]
    assert "On the other side" in browser.texts("#detail h3")
    assert len(browser.texts(".remark")) == 5
    assert browser.complaints() == []


def test_the_line_itself_is_told_where_the_way_does_not_pass_it(browser: Browser, tmp_path: Path) -> None:
    elsewhere = msgspec.structs.replace(IN_ATOMIC, place=Place("mm/pool.c", 11, 2, "pool_get"))
    alone = msgspec.structs.replace(MISSING_NOFS, flow=(), other=())
    browser.show(written(tmp_path, report(tree(tmp_path / "src"), (elsewhere, alone))))
    assert browser.texts(".remark")[0] == "1the finding stands here"
    assert "11\tstruct buf *b;" in browser.texts(".line.told")
    assert len(browser.texts(".chain li")) == 4
    browser.click(".finding", 1)
    assert browser.texts(".remark") == [f"1{MISSING_NOFS.message}"]


def test_other_places_are_listed(browser: Browser, tmp_path: Path) -> None:
    also = [
        {"file": "mm/other.c", "line": 7, "function": "other"},
        {"file": "mm/third.c", "line": 8, "function": "third"},
    ]
    finding = msgspec.structs.replace(IN_ATOMIC, properties={"also": also})
    browser.show(written(tmp_path, report(tree(tmp_path / "src"), (finding,))))
    assert browser.texts(".also summary") == ["The same from 2 other places"]
    assert browser.texts(".also li") == ["mm/other.c:7 other()", "mm/third.c:8 third()"]


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_what_is_written_into_the_source_can_be_read_without_scrolling(
    browser: Browser, tmp_path: Path, size: tuple[int, int]
) -> None:
    step = msgspec.structs.replace(IN_ATOMIC.flow[0], text="a long story " * 20)
    finding = msgspec.structs.replace(IN_ATOMIC, flow=(step, *IN_ATOMIC.flow[1:]))
    browser.show(written(tmp_path, report(tree(tmp_path / "src"), (finding,))), size)
    browser.click(".finding")
    right = "return document.querySelector(arguments[0]).getBoundingClientRect().right"
    assert browser.run(right, ".remark") <= browser.run(right, ".scroll")


def test_the_first_finding_of_the_list_is_open(browser: Browser, tmp_path: Path) -> None:
    first = msgspec.structs.replace(MISSING_NOFS, place=msgspec.structs.replace(MISSING_NOFS.place, file="a.c"))
    browser.show(written(tmp_path, report(tree(tmp_path / "src"), (first, IN_ATOMIC))))
    assert browser.texts("#detail h2") == [IN_ATOMIC.message]
    assert browser.texts(".finding[aria-selected=true] b") == ["pool_get()"]


def test_nothing_found(browser: Browser, tmp_path: Path) -> None:
    browser.show(written(tmp_path, report(tree(tmp_path / "src"), ())))
    assert browser.run("return document.getElementById('list').dataset.empty") == "Nothing was found."
    assert browser.texts(".facet") == []
    assert browser.complaints() == []


def test_by_rule_by_directory_by_lock_class(browser: Browser, page: Path) -> None:
    browser.show(page)
    assert browser.texts(".heading b") == ["GFP101 sleeping-alloc-in-atomic", "GFP201 missing-nofs"]
    for value, headings in (("folder", ["mm"]), ("lock", ["no lock", "pool.map"]), ("", [])):
        browser.run(
            "const box = document.getElementById('group'); box.value = arguments[0];"
            "box.dispatchEvent(new Event('change'))",
            value,
        )
        assert browser.texts(".heading b") == headings
        assert len(browser.texts(".finding")) == 2
    browser.run(
        "const box = document.getElementById('group'); box.value = 'rule'; box.dispatchEvent(new Event('change'))"
    )
    browser.click(".heading")
    assert len(browser.texts(".finding")) == 1


def test_filters_and_search(browser: Browser, page: Path) -> None:
    browser.show(page)
    browser.click('[data-choice="level error"]')
    assert browser.texts("#status") == ["1 of 2 findings"]
    assert browser.texts(".finding b") == ["pool_get()"]
    # Within a facet choices add up.
    browser.click('[data-choice="level warning"]')
    assert browser.texts("#status") == ["2 findings"]
    browser.click("#reset")
    browser.search("POOL.MAP kzalloc")
    assert browser.texts(".finding b") == ["pool_map()"]
    browser.search("nothing like that")
    assert browser.texts(".finding") == []
    browser.search("")
    assert len(browser.texts(".finding")) == 2


def test_the_keyboard_is_enough(browser: Browser, page: Path) -> None:
    browser.show(page)
    box = browser.driver.find_element(By.ID, "list")
    browser.run("document.getElementById('list').focus()")
    box.send_keys(Keys.END, Keys.ENTER)
    browser.settle()
    assert browser.texts("#detail h2") == [MISSING_NOFS.message]
    active = box.get_attribute("aria-activedescendant")
    assert browser.run("return document.getElementById(arguments[0]).getAttribute('aria-selected')", active) == "true"
    box.send_keys(Keys.HOME, Keys.ARROW_LEFT)
    browser.settle()
    assert len(browser.texts(".finding")) == 1
    box.send_keys(Keys.ARROW_RIGHT)
    browser.settle()
    assert len(browser.texts(".finding")) == 2
    box.send_keys("/")
    assert browser.run("return document.activeElement.id") == "search"


def test_the_address_names_the_finding(browser: Browser, page: Path) -> None:
    browser.show(page, fragment=f"#{MISSING_NOFS.fingerprint}")
    assert browser.texts("#detail h2") == [MISSING_NOFS.message]
    browser.click(".finding")
    assert str(browser.driver.current_url).endswith(f"#{IN_ATOMIC.fingerprint}")


def test_on_a_phone_the_finding_covers_the_list(browser: Browser, page: Path) -> None:
    browser.show(page, PHONE)
    shown = "return document.getElementById('detail').getClientRects().length"
    wide = "return document.documentElement.scrollWidth"
    assert browser.run(shown) == 0
    assert browser.run(wide) == PHONE[0]
    browser.click(".finding")
    assert browser.run(shown) == 1
    assert browser.run(wide) == PHONE[0]
    assert browser.run("return document.getElementById('detail').scrollWidth <= innerWidth")
    browser.click("#back")
    assert browser.run(shown) == 0
    browser.click("#facets-open")
    assert browser.run("return document.activeElement.id") == "facets-close"
    browser.click("#facets-close")
    assert browser.run("return document.activeElement.id") == "facets-open"


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_text_can_be_read(browser: Browser, page: Path, size: tuple[int, int], dark: bool) -> None:
    browser.show(page, size, dark=dark)
    for step in (None, ".finding", ".rule summary", "#about-open"):
        if step is not None:
            browser.click(step)
        ratio, where = browser.run(CONTRAST)
        assert ratio >= 4.5, (ratio, where, step)
    background = browser.run("return getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(16, 19, 26)") is dark


def test_ten_thousand_findings_are_never_all_in_the_document(browser: Browser, tmp_path: Path) -> None:
    browser.show(written(tmp_path, report(tree(tmp_path / "src"), many(MANY))))
    assert browser.texts("#status") == ["10,000 findings"]
    assert len(browser.texts("[role=treeitem]")) < 100
    # At the end of the list is its last finding.
    browser.run("const box = document.getElementById('list'); box.scrollTop = box.scrollHeight")
    assert f"user_{MANY - 1}()" in browser.texts(".finding b")
    assert len(browser.texts("[role=treeitem]")) < 100
    sizes = browser.run("return [...document.querySelectorAll('.finding')].map((each) => each.ariaSetSize)")
    assert set(sizes) == {str(MANY // 2)}
    browser.search("user_4711()")
    assert browser.texts(".finding b") == ["user_4711()"]
    assert browser.complaints() == []


def test_nothing_from_outside_is_markup(browser: Browser, tmp_path: Path) -> None:
    browser.show(written(tmp_path, hostile(tmp_path / "src")))
    assert str(browser.driver.title).startswith("gfpcheck: 2 findings, Linux 6.12 </script><script>")
    assert browser.run("return document.querySelectorAll('script').length") == 2
    assert "taken over" in browser.texts("#detail h2")[0]
    browser.click(".finding", 1)
    assert browser.texts(".excerpt mark") == ["q"]
    assert browser.complaints() == []
