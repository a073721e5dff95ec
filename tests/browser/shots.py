"""A picture of every page of the console at both widths and in both languages: `python3 tasks.py shots FOLDER`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser import chromium, pages
from tests.browser.conftest import ALONE
from tests.browser.hall import Hall
from tests.browser.officer import DESK, PHONE, Officer
from tests.conftest import SqliteStore


def main(folder: Path, only: str = "") -> int:
    """Starts a city hall of its own, and ends it; `only`: pages whose name or address has these letters."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as own, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=ALONE)
        hall = Hall(Path(own), SqliteStore(Path(own)).fresh_url())
        hall.city.forked = False  # this program is no test: its processes start by themselves
        try:
            hall.open().furnish()
            looks = [look for look in pages.every(hall) if only in look.name or only in look.path]
            for language in ("ja", "en"):
                for size in (PHONE, DESK):
                    for look in looks:
                        who = hall.one(look.reader) if look.reader else None
                        officer = Officer(hall, browser, who=who, size=size, language=language)
                        if look.half:
                            officer.context.add_cookies([hall.half_signed_in()])  # type: ignore[list-item]
                        officer.open(look.path)
                        officer.page.wait_for_load_state("networkidle")
                        number = sum(1 for _ in folder.glob(f"{look.name}-*-{language}-{size['width']}.png"))
                        name = f"{look.name}-{number + 1}-{language}-{size['width']}.png"
                        officer.page.screenshot(path=folder / name, full_page=True)
                        print(name, look.path, *officer.troubles, flush=True)
                        officer.close()
        finally:
            hall.close()
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:3]))
