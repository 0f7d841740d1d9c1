"""A real browser, for the tests of the HTML report."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

DESKTOP = (1440, 900)
PHONE = (390, 844)


class Browser:
    """A page in Chromium."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver

    def show(self, page: Path, size: tuple[int, int] = DESKTOP, *, dark: bool = False, fragment: str = "") -> None:
        """Loads a file at a size, in CSS pixels."""
        width, height = size
        self._command(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._command("Emulation.setEmulatedMedia", features=[scheme])
        self.driver.get("about:blank")
        self.driver.get(page.as_uri() + fragment)
        self.settle()

    def run(self, script: str, *args: object) -> Any:
        """What the body of a function returns, after what it has set off is drawn."""
        result = self.driver.execute_script(script, *args)
        self.settle()
        return result

    def texts(self, selector: str) -> list[str]:
        """The texts of all that fit the selector, seen or not."""
        found = self.run(
            "return [...document.querySelectorAll(arguments[0])].map((each) => each.textContent)", selector
        )
        assert isinstance(found, list)
        return found

    def click(self, selector: str, nth: int = 0) -> None:
        self.run("document.querySelectorAll(arguments[0])[arguments[1]].click()", selector, nth)

    def search(self, text: str) -> None:
        self.run(
            "const box = document.getElementById('search'); box.value = arguments[0];"
            "box.dispatchEvent(new Event('input', { bubbles: true }))",
            text,
        )

    def settle(self) -> None:
        """Waits until two more frames are drawn."""
        self.driver.execute_async_script(
            "const done = arguments[0]; requestAnimationFrame(() => requestAnimationFrame(done))"
        )

    def complaints(self) -> list[str]:
        """What stands in the console since the last time: errors, and what the page's policy has forbidden."""
        return [entry["message"] for entry in self.driver.get_log("browser")]  # type: ignore[no-untyped-call]

    def _command(self, name: str, **parameters: object) -> None:
        self.driver.execute_cdp_cmd(name, parameters)


@contextmanager
def open_browser(profile: Path) -> Iterator[Browser]:
    """Chromium as GFPCHECK_BROWSER names it, or as it is found; the test is skipped if there is none."""
    named = os.environ.get("GFPCHECK_BROWSER")
    binary = named or next(filter(None, map(shutil.which, _NAMES)), None)
    driver = shutil.which("chromedriver")
    if not named and (binary is None or driver is None):
        pytest.skip("no chromium with chromedriver found, and GFPCHECK_BROWSER is not set")
    assert binary is not None
    assert driver is not None, "GFPCHECK_BROWSER is set, but there is no chromedriver"
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (*_FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    try:
        yield Browser(chrome)
    finally:
        chrome.quit()
