"""An evacuation order from the sign-in to the all-clear, by mouse, in two people's browsers; and without scripts."""

from __future__ import annotations

import pytest

from content.editors import Role
from tests.browser.conftest import Comes
from tests.browser.hall import Hall, Staff
from tests.browser.officer import PHONE, Officer

pytestmark = pytest.mark.story

# A square around the phones of the shore.
CORNERS = "38.2200, 140.9550\n38.2200, 140.9750\n38.2320, 140.9780\n38.2320, 140.9550"


def comes_in(officer: Officer, person: Staff) -> None:
    """From the address that people type to the first page."""
    officer.open("/console")
    assert "サインイン" in officer.text
    officer.sign_in(person)
    assert officer.path == "/console/"


def draw(officer: Officer) -> None:
    """Four corners by mouse, around the middle of the map, which shows the whole city at first."""
    area = officer.page.locator("#area-map[data-ready=yes]")
    officer.click("対象を描く", "button")
    size = area.bounding_box()
    assert size is not None
    for x, y in ((0.15, 0.15), (0.85, 0.15), (0.85, 0.85), (0.15, 0.85)):
        area.click(position={"x": size["width"] * x, "y": size["height"] * y})
        officer.done["clicks"] += 1
    officer.click("閉じる", "button")
    assert len(officer.page.get_by_label("対象の角").input_value().splitlines()) == 4


def approve(officer: Officer, public_id: str, confirmation: str = "") -> None:
    """Finds what waits on the first page, ticks what it will do and releases it."""
    officer.open("/console/")
    officer.press(officer.page.locator(f'a[href$="{public_id}"]').first)
    officer.tick("で正しい")
    officer.tick("文章をすべて読んだ")
    officer.tick("本番として届く")
    if confirmation:
        officer.fill("確認のため", confirmation)
    officer.click("承認して送る", "button")
    assert "承認しました。送信が始まりました。" in officer.text


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_the_sign_in_to_the_all_clear(hall: Hall, comes: Comes, scripts: bool) -> None:
    place = "松原の南" if scripts else "松原の北"
    hanako, taro = hall.employ(Role.AUTHOR), hall.employ(Role.APPROVER)
    author = comes(scripts=scripts)
    # The second person has only a telephone at hand.
    approver = comes(scripts=scripts, size=PHONE)
    comes_in(author, hanako)

    # Drawn on the map, or its corners typed; the preview is of the functions that will send it.
    author.click("避難情報を出す")
    author.choose("災害と警戒レベル", "洪水 — 警戒レベル4")
    if scripts:
        draw(author)
    else:
        assert not author.page.locator("#area-map").is_visible()
        author.press(author.page.get_by_text("図形の角を書く", exact=True))
        author.fill("対象の角", CORNERS)
        author.press(author.page.get_by_text("区域の呼び名", exact=True))
    author.fill("日本語", place)
    author.click("保存して、届き方を確かめる", "button")
    public_id = author.alert
    assert f"{len(hall.phones)} 台" in author.text
    assert "【警戒レベル4 避難指示】" in author.text
    author.click("提出する", "button")
    assert "別の人の承認を待っています" in author.text

    comes_in(approver, taro)
    approve(approver, public_id)
    assert set(hall.rung(public_id)) >= set(hall.phones)
    assert set(hall.rung(public_id).values()) == {1}
    hall.shows(hall.phones[0], "避難指示", place)
    # The author sees how far it has come; without scripts the page says how to look again.
    author.open(f"/console/alerts/{public_id}")
    assert "受け付けられました" in author.text
    if not scripts:
        author.click("いまの数に更新")
    author.page.get_by_text("全員に渡しました").wait_for()

    # An update to level 5, one click from the first page.
    author.open("/console/")
    author.press(author.page.locator(f'a[href$="{public_id}/update"]'))
    author.choose("災害と警戒レベル", "洪水 — 警戒レベル5")
    author.click("保存して、届き方を確かめる", "button")
    update = author.alert
    assert update != public_id
    author.click("提出する", "button")
    approve(approver, update, "LEVEL5")
    assert set(hall.rung(update)) >= set(hall.phones)
    hall.shows(hall.phones[0], "緊急安全確保", place)
    shown = [one for one in hall.shown(hall.phones[0]) if place in one["title"]]
    assert len(shown) == 1, "on the phone the update stands in the order's place"

    # The all-clear, with its wording ready.
    author.open("/console/")
    author.press(author.page.locator(f'a[href$="{update}/all-clear"]').first)
    assert "危険が去ったときに使います。" in author.text
    author.click("この文章で提出する", "button")
    lifting = author.alert
    approve(approver, lifting)
    assert set(hall.rung(lifting)) >= set(hall.phones)
    hall.shows(hall.phones[0], "解除", place)
    author.open(f"/console/alerts/{update}")
    assert "解除された" in author.text
    assert author.done["pages"] + approver.done["pages"] < 40
