"""One person at a browser: what they see, how often they click and type, and whatever went wrong unseen."""

from __future__ import annotations

import base64
import re
from collections import Counter
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, Response

from tests.browser.hall import PASSWORD, TILES, Hall, Staff

# Nothing is asserted about how long something takes: a machine may be busy with other things.
PATIENCE_MS = 300_000
# A map tile of one dot: grey, as a map mostly is.
TILE = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mN4AQAA6gDpc2o0ogAAAABJRU5ErkJggg==")
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1440, "height": 900}
# A browser says this of every page that is answered with an error; whether it should have been is asked of the answer.
_OF_AN_ANSWER = "Failed to load resource: the server responded with a status of 4"


class Officer:
    """A browser of their own. Whoever opens one asks at the end for `troubles`."""

    def __init__(
        self,
        hall: Hall,
        browser: Browser,
        *,
        who: Staff | None = None,
        scripts: bool = True,
        size: dict[str, int] = DESK,
        language: str = "ja",
    ) -> None:
        """`who`: already signed in."""
        self.hall = hall
        self.context = browser.new_context(
            base_url=hall.city.url, java_script_enabled=scripts, viewport=size, locale=language,  # type: ignore[arg-type]
        )  # fmt: skip
        self.context.set_default_timeout(PATIENCE_MS)
        cookies = [{"name": "yobikake_console_language", "value": language, "url": f"{hall.city.url}/console"}]
        if who is not None:
            cookies.append(hall.cookie(who))
        self.context.add_cookies(cookies)  # type: ignore[arg-type]
        self.context.route(f"{TILES}/**", lambda route: route.fulfill(body=TILE, content_type="image/png"))
        self.page: Page = self.context.new_page()
        self.troubles: list[str] = []
        self.done: Counter[str] = Counter()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.troubles.append(f"{self.page.url}: {error}"))
        self.page.on("request", self._left)
        self.page.on("response", self._came)

    def close(self) -> None:
        """Shuts the browser's window."""
        self.context.close()

    # ------------------------------------------------------------------------------------------ what a hand does

    def open(self, path: str) -> None:
        """Types an address."""
        self.page.goto(path)

    def click(self, words: str, kind: str = "link", *, within: Locator | None = None) -> None:
        """Clicks what is called so, and waits for the page that comes of it."""
        found = (within or self.page).get_by_role(kind, name=words)  # type: ignore[arg-type]
        self.press(found.first)

    def press(self, found: Locator) -> None:
        """Clicks."""
        found.click()
        self.done["clicks"] += 1
        self.page.wait_for_load_state()

    def tick(self, words: str) -> None:
        """Ticks the box of these words."""
        self.page.get_by_label(words).first.check()
        self.done["clicks"] += 1

    def fill(self, label: str, value: str) -> None:
        """Types into the field of this label."""
        self.page.get_by_label(label).first.fill(value)
        self.done["fields"] += 1

    def choose(self, label: str, option: str) -> None:
        """Chooses from a list what has these words: one click opens it, another one chooses."""
        found = self.page.get_by_label(label).first
        labels = [one for one in found.locator("option").all_inner_texts() if option in one]
        assert labels, f"no {option!r} among {found.locator('option').all_inner_texts()}"
        found.select_option(label=labels[0])
        self.done["clicks"] += 2

    def sign_in(self, person: Staff) -> None:
        """With password and code, at the page that asks for them."""
        self.fill("職員ID", person.login)
        self.fill("パスワード", PASSWORD)
        self.fill("確認コード", person.code)
        self.click("サインイン", "button")

    # ------------------------------------------------------------------------------------------ what an eye sees

    @property
    def text(self) -> str:
        """The words that can be seen on the page."""
        return re.sub(r"\s+", " ", self.page.locator("body").inner_text())

    @property
    def path(self) -> str:
        """The address without the server."""
        return urlsplit(self.page.url).path

    @property
    def alert(self) -> str:
        """The public id of the alert whose page is shown."""
        found = re.fullmatch(r"/console/(?:alerts|drills)/([\w-]{22})(?:/.*)?", self.path)
        assert found, (self.path, self.text[:600])
        return found[1]

    # ------------------------------------------------------------------------------------------ what nobody sees

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(_OF_AN_ANSWER):
            self.troubles.append(f"{self.page.url}: {message.text}")

    def _left(self, request: Request) -> None:
        to = urlsplit(request.url)
        # The policy of each page decides whether it may show tiles: what is refused is heard of.
        if f"{to.scheme}://{to.netloc}" not in (self.hall.city.url, TILES) and to.scheme not in (
            "data",
            "blob",
            "about",
        ):
            self.troubles.append(f"{self.page.url}: asked {request.url}")
        if request.resource_type == "document" and request.frame == self.page.main_frame:
            self.done["pages"] += request.redirected_from is None

    def _came(self, response: Response) -> None:
        a_page = response.request.resource_type == "document"
        if response.status >= (500 if a_page else 400):
            self.troubles.append(f"{self.page.url}: {response.request.method} {response.url} {response.status}")
