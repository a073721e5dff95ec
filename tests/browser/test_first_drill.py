"""A new duty officer's first drill, from the one-time link on, doing only what the pages say: every step counted."""

from __future__ import annotations

import pyotp
import pytest

from content.editors import Role
from tests.browser.conftest import Comes
from tests.browser.hall import PASSWORD, Hall
from tests.browser.officer import PHONE

pytestmark = pytest.mark.story


def test_a_first_drill_is_a_few_pages_clicks_and_fields(
    hall: Hall, comes: Comes, capsys: pytest.CaptureFixture[str]
) -> None:
    link = hall.invite(Role.DUTY_OFFICER, "新任 当直", "shinnin")
    new, other = comes(size=PHONE), comes(who=hall.employ(Role.APPROVER))

    # The way in, once in a life: password, authenticator app, first code.
    new.open(link)
    new.fill("新しいパスワード", PASSWORD)
    new.fill("もう一度", PASSWORD)
    new.click("設定して次へ", "button")
    new.press(new.page.get_by_text("図を読み取れないとき"))
    secret = new.page.locator("details .code").inner_text().replace(" ", "")
    new.fill("確認コード", pyotp.TOTP(secret).now())
    new.click("確かめて始める", "button")
    assert "サインインの準備ができました" in new.text
    arriving = dict(new.done)
    new.done.clear()

    # Each page names the next step.
    new.click("訓練を作る")
    assert "ここは訓練の画面です" in new.text
    new.choose("災害と警戒レベル", "洪水 — 警戒レベル4")
    new.tick("浜区 を対象にする")
    assert "まだ送られません。次の画面で" in new.text
    new.click("保存して、届き方を確かめる", "button")
    assert f"{len(hall.phones)} 台" in new.text
    new.click("提出する", "button")
    assert "別の人が承認すると送られます" in new.text
    drafting = dict(new.done)

    other.open("/console/")
    other.done.clear()
    waiting = other.page.get_by_role("region", name="承認を待っているもの")
    other.press(waiting.locator(f'a[href$="{new.alert}"]'))
    other.press(other.page.get_by_role("link", name="承認へ"))
    other.tick("で正しい")
    other.tick("文章をすべて読んだ")
    other.tick("【訓練】として届く")
    other.click("承認して訓練を送る", "button")
    assert "送信が始まりました" in other.text
    approving = dict(other.done)

    assert set(hall.rung(new.alert, "drills")) >= set(hall.phones)
    assert "【訓練】" in hall.shows(hall.phones[0], "【訓練】")["title"]
    with capsys.disabled():
        print(f"\nfirst drill: arriving {arriving}, drafting {drafting}, approving {approving}")
    most = {"pages": 4, "clicks": 6, "fields": 0}
    assert all(drafting.get(name, 0) <= many for name, many in most.items()), drafting
    most = {"pages": 2, "clicks": 6, "fields": 0}
    assert all(approving.get(name, 0) <= many for name, many in most.items()), approving
    assert arriving["fields"] <= 3
