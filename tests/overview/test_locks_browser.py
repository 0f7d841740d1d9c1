"""The page of `gfpcheck locks` in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from report.browser import DESKTOP, PHONE, Browser, open_browser

from gfpcheck.overview.locks.picture.page import html

from .test_locks_picture import finding, lock, survey

pytestmark = pytest.mark.browser

CONTRAST = (Path(__file__).parents[1] / "report/contrast.js").read_text()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A cycle of two among many locks."""
    names = [f"struct some_quite_long_name.lock_{n}" for n in range(24)]
    orders = [(a, b) for n, a in enumerate(names) for b in names[n + 1 :: 5]]
    locks = [lock(name, "f" if n < 12 else "i", reclaim=n >= 16) for n, name in enumerate(names)]
    orders.append((names[16], names[3]))
    path = tmp_path / "locks.html"
    path.write_text("\n".join(html(survey(locks, orders, (finding(names[3], names[16]),)))), "ascii")
    return path


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_can_be_read(browser: Browser, page: Path, size: tuple[int, int], dark: bool) -> None:
    browser.show(page, size, dark=dark)
    browser.run("for (const each of document.querySelectorAll('details')) each.open = true")
    ratio, where = browser.run(CONTRAST)
    assert ratio >= 4.5, (ratio, where)
    # The picture scrolls in its frame, the page does not; memory reclaim is in sight.
    assert browser.run("return document.documentElement.scrollWidth") <= size[0]
    middle = browser.run(
        "const r = document.querySelector('.reclaim').getBoundingClientRect(); return (r.left + r.right) / 2"
    )
    assert 0 < middle < size[0]
    assert browser.complaints() == []


def test_names_fit_into_their_boxes(browser: Browser, page: Path) -> None:
    browser.show(page)
    wide = browser.run(
        "return [...document.querySelectorAll('.box')].filter((box) => [...box.querySelectorAll('text')]"
        ".some((text) => text.getBBox().width > box.querySelector('rect').getBBox().width - 8)).length"
    )
    assert wide == 0


def test_a_box_leads_to_what_is_known_of_its_lock(browser: Browser, page: Path) -> None:
    browser.show(page)
    opened = "return [...document.querySelectorAll('details.lock[open] b')].map((each) => each.textContent)"
    assert browser.run(opened) == []
    name = browser.run("return document.querySelector('#picture a .name').textContent")
    browser.run("document.querySelector('#picture a').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert browser.run(opened) == [name]


def test_what_has_to_do_with_a_box_stands_out(browser: Browser, page: Path) -> None:
    browser.show(page)
    browser.run("document.querySelector('.box.reclaim').dispatchEvent(new PointerEvent('pointerenter'))")
    near = browser.run("return document.querySelectorAll('.box.near').length")
    assert 1 < near < browser.run("return document.querySelectorAll('.box').length")


def test_a_search_leaves_what_fits(browser: Browser, page: Path) -> None:
    browser.show(page)
    browser.search("lock_16")
    shown = browser.run("return [...document.querySelectorAll('details')].filter((each) => !each.hidden).length")
    assert 0 < shown < browser.run("return document.querySelectorAll('details').length")
