"""The whole path of an alert without a mouse: Tab, Space, Enter and arrows, and at every stop it is seen where."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator

from content.editors import Role
from tests.browser.conftest import Comes
from tests.browser.hall import PASSWORD, Hall, Staff
from tests.browser.officer import Officer

pytestmark = pytest.mark.story

MOST_STOPS = 150
# What has the focus is on the screen, uncovered, and is marked by more than its colour of rest.
SEEN = """(one) => {
    if (!one || one === document.body) return 'nothing has the focus';
    const box = one.getBoundingClientRect();
    const style = getComputedStyle(one);
    if (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 2) return 'no outline';
    if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) return 'off the screen';
    return '';
}"""


class Keyboard:
    """One person's ten fingers."""

    def __init__(self, officer: Officer) -> None:
        self.officer, self.page, self.stops = officer, officer.page, 0

    def to(self, goal: Locator) -> None:
        """Tabs until the goal has the focus; every stop on the way must be seen."""
        wanted = goal.element_handle()
        for _ in range(MOST_STOPS):
            self.page.keyboard.press("Tab")
            self.stops += 1
            now = self.page.evaluate_handle("document.activeElement")
            unseen = now.evaluate(SEEN)
            assert not unseen, (unseen, self.page.url, now.evaluate("one => one.outerHTML.slice(0, 200)"))
            if now.evaluate("(one, wanted) => one === wanted", wanted):
                return
        raise AssertionError(f"{goal} cannot be reached by Tab on {self.page.url}")

    def press(self, goal: Locator, key: str = "Enter") -> None:
        """Goes there and presses."""
        self.to(goal)
        self.page.keyboard.press(key)

    def follow(self, goal: Locator) -> None:
        """Goes there, presses, and waits for the next page."""
        self.to(goal)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def type(self, goal: Locator, words: str) -> None:
        """Goes there and types."""
        self.to(goal)
        self.page.keyboard.insert_text(words)

    def choose(self, goal: Locator, option: str) -> None:
        """Goes to a list and presses the arrow until it says the words."""
        self.to(goal)
        for _ in range(60):
            if option in goal.evaluate("one => one.selectedOptions[0].label"):
                return
            self.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no option {option}")

    def skip(self) -> None:
        """The first stop of a page leads past everything that every page has. After a form it is kept in mind."""
        if self.page.url.endswith("#main"):
            return
        self.page.keyboard.press("Tab")
        assert self.page.evaluate("document.activeElement.getAttribute('href')") == "#main"
        self.page.keyboard.press("Enter")


def comes_in(keys: Keyboard, person: Staff) -> None:
    page = keys.page
    keys.officer.open("/console")
    keys.type(page.get_by_label("職員ID"), person.login)
    keys.type(page.get_by_label("パスワード"), PASSWORD)
    keys.type(page.get_by_label("確認コード"), person.code)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert keys.officer.path == "/console/"


def approve(keys: Keyboard, public_id: str) -> None:
    page = keys.page
    keys.officer.open("/console/")
    keys.skip()
    keys.follow(page.locator(f'main a[href$="{public_id}"]').first)
    keys.skip()
    for words in ("で正しい", "文章をすべて読んだ", "本番として届く"):
        keys.press(page.get_by_label(words), "Space")
    keys.follow(page.get_by_role("button", name="承認して送る"))
    assert "承認しました。送信が始まりました。" in keys.officer.text


def test_an_order_an_update_and_the_all_clear_by_keyboard_alone(hall: Hall, comes: Comes) -> None:
    author, approver = Keyboard(comes()), Keyboard(comes())
    comes_in(author, hall.employ(Role.AUTHOR))
    comes_in(approver, hall.employ(Role.APPROVER))
    page = author.page

    author.skip()
    author.follow(page.get_by_role("link", name="避難情報を出す"))
    author.skip()
    author.choose(page.get_by_label("災害と警戒レベル"), "土砂災害 — 警戒レベル4")
    author.press(page.get_by_label("浜区 を対象にする"), "Space")
    author.follow(page.get_by_role("button", name="保存して、届き方を確かめる"))
    public_id = author.officer.alert
    author.skip()
    author.follow(page.get_by_role("button", name="提出する"))
    approve(approver, public_id)
    assert set(hall.rung(public_id)) >= set(hall.phones)

    author.officer.open("/console/")
    author.skip()
    author.follow(page.locator(f'main a[href$="{public_id}/update"]'))
    author.skip()
    author.press(page.get_by_label("高台地区（盛土公園周辺） を除く"), "Space")
    author.follow(page.get_by_role("button", name="保存して、届き方を確かめる"))
    update = author.officer.alert
    author.skip()
    author.follow(page.get_by_role("button", name="提出する"))
    approve(approver, update)
    assert set(hall.rung(update)) >= set(hall.phones)

    author.officer.open("/console/")
    author.skip()
    author.follow(page.locator(f'main a[href$="{update}/all-clear"]').first)
    author.skip()
    author.follow(page.get_by_role("button", name="この文章で提出する"))
    lifting = author.officer.alert
    approve(approver, lifting)
    assert set(hall.rung(lifting)) >= set(hall.phones)
    hall.shows(hall.phones[0], "解除")
    assert author.stops + approver.stops < 1_000
