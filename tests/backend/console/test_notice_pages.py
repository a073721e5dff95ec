"""A notice from the first word to its withdrawal, by forms alone; and what must not be lost, shown or skipped."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from backend.console import notice_pages
from content import journal
from database import db, transaction
from notifications.messages import Message
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall
from tests.notifications.builders import make_token

JA = {"ja.title": "断水のお知らせ", "ja.body": "水道工事のため、浜町で断水します。"}
HOSTILE = '<script src="//x.example/a.js"></script><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module", autouse=True)
def phones(built: Hall) -> None:
    """Two phones that follow the topic of daily life, one of them in English."""
    client = built.app.test_client()
    for language in ("ja", "en"):
        made = client.post("/v1/devices", json={"platform": "android", "token": make_token(), "language": language})
        key = {"Authorization": f"Bearer {made.get_json()['secret']}"}
        assert client.put("/v1/devices/me/topics", json={"topics": ["notices.living"]}, headers=key).status_code < 300


@pytest.fixture
def author(hall: Hall) -> Browser:
    return hall.browser("author")


@pytest.fixture
def approver(hall: Hall) -> Browser:
    return hall.browser("approver")


def drafted(browser: Browser, **changes: Any) -> str:
    browser.open("/console/notices/new")
    browser.send("", **{**JA, "topic": "notices.living", **changes})
    assert browser.page.status_code == 200, browser.text
    return browser.path


def published(author: Browser, approver: Browser, **changes: Any) -> str:
    path = drafted(author, **changes)
    author.send("/submit")
    approve(approver, path)
    assert "承認しました" in approver.text, words(approver)
    return path


def approve(browser: Browser, path: str, **more: Any) -> Any:
    browser.open(path)
    return browser.send("/approve", **({"seen": "yes"} | more))


def words(browser: Browser) -> str:
    """The page as it is read."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.text)))


def messages(hall: Hall) -> list[Message]:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        return [one for one in session.query(Message) if one.kind == "notice"]


def test_from_the_first_word_to_the_followers_and_back(hall: Hall, author: Browser, approver: Browser) -> None:
    before = len(messages(hall))
    path = drafted(author)
    page = words(author)
    assert "2 台" in page
    assert "足りない言語: やさしい日本語 – 日本語で見えます English – 日本語で見えます" in page
    assert "通知の大きさは上限の" in page
    author.send("/submit")
    assert "あなたが関わった内容です" in author.text
    assert not [form for form in author.forms() if form.action.endswith("/approve")]

    approver.open("/console/")
    assert path in approver.text
    approver.open(path)
    assert approver.send("/approve").status_code == 422  # without the tick
    approver.send("/return", reason="終わりの時刻も書いてください。")
    author.open(path)
    assert "終わりの時刻も書いてください。" in author.text
    author.open(f"{path}/edit")
    assert author.form("").fields["ja.title"] == JA["ja.title"]
    author.send("", **{"ja.body": "浜町で、22日の9時から16時まで断水します。"})
    author.send("/submit")
    approve(approver, path)
    assert "公開されました" in approver.text
    assert len(messages(hall)) == before + 1
    shown = hall.app.test_client().get(f"/v1/notices/{path.rpartition('/')[2]}").get_json()
    assert "16時" in shown["body"]

    author.open(f"{path}/correct")
    author.send("", **{"correction.ja": "終わりを15時に訂正しました。", "ja.body": "9時から15時まで断水します。"})
    correction = author.path
    assert correction != path
    author.send("/submit")
    approve(approver, correction)
    assert "このお知らせは訂正されました" in words_of(author, path)
    assert len(messages(hall)) == before + 2
    author.open(correction)
    author.send("/withdraw", reason="工事が取りやめになりました。")
    assert hall.app.test_client().get(f"/v1/notices/{correction.rpartition('/')[2]}").status_code == 410
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        number = path.rpartition("/")[2]
        done = {entry.action for entry in journal.search(session, text=number)}
    assert done >= {"notices.create", "notices.submit", "notices.return", "notices.edit", "notices.approve"}


def words_of(browser: Browser, path: str) -> str:
    browser.open(path)
    return words(browser)


def test_it_is_published_when_its_hour_comes_on_the_citys_clock(hall: Hall, author: Browser, approver: Browser) -> None:
    path = published(author, approver, publish_at="2026-11-21T18:30", expires_at="2026-11-22T09:00")
    page = words(approver)
    assert "公開予約" in page
    assert "11月21日(土) 18:30" in page
    address = f"/v1/notices/{path.rpartition('/')[2]}"
    assert hall.app.test_client().get(address).status_code == 404
    message = messages(hall)[-1]
    assert message.not_before.isoformat() == "2026-11-21T09:30:00+00:00"
    author.open(f"{path}/edit")
    assert author.send("", **JA).status_code == 409  # what is approved is corrected, not edited
    assert author.form("").fields["ja.body"] == JA["ja.body"]


def test_what_is_wrong_is_said_in_japanese_and_nothing_typed_is_lost(author: Browser) -> None:
    author.open("/console/notices/new")
    typed = {
        **JA, "publish_at": "2026-11-25T09:00", "expires_at": "2026-11-24T09:00", "link": "http://a.example",
        "from_months": "三", "attachment.0.url": "https://a.example/x.pdf", "attachment.0.kind": "pdf",
    }  # fmt: skip
    assert author.send("", **typed).status_code == 422
    assert "月齢（か月以上） : 0〜240の数字" in words(author)
    assert {name: author.form("").fields[name] for name in typed} == typed
    assert author.send("", from_months="").status_code == 422
    page = words(author)
    assert "掲載を始める日時より後に" in page
    assert "https:// で始まるアドレス" in page
    assert "添付・1番目・題 : 題を書いてください。" in page
    assert 'aria-invalid="true"' in author.text
    fields = author.form("").fields
    assert (fields["ja.body"], fields["attachment.0.url"]) == (JA["ja.body"], "https://a.example/x.pdf")
    author.send("", **{"expires_at": "", "link": "", "attachment.0.title.ja": "断水の区域"})
    assert "断水の区域" in author.text
    assert "PDF" in words(author)


def test_areas_are_searched_ticked_and_counted(hall: Hall, author: Browser) -> None:
    author.open("/console/notices/new")
    author.send("", button=("do", "find"), find="浜町", **JA)
    form = author.form("")
    assert form.fields["ja.title"] == JA["ja.title"]
    towns = [value for name, value in form.choices if name == "area" and "-" in value]
    author.send("", area=["04993"], **JA)
    assert "浜区" in words(author)
    assert "0 台" in words(author)
    author.open("/console/notices?area=浜区")
    assert author.path in author.text
    assert JA["ja.title"] in author.text
    assert towns is not None


def test_without_a_condition_nobody_rings_and_the_page_says_so(author: Browser) -> None:
    drafted(author, topic="")
    assert "誰の端末も鳴りません" in words(author)
    drafted(author, topic="", push="everyone")
    assert "2 台" in words(author)
    drafted(author, push="none")
    assert "どの端末も鳴らしません" in words(author)


def test_doubts_are_accepted_knowingly_and_mistakes_bar_the_way(author: Browser) -> None:
    path = drafted(author, **{"ja.body": "2019年4月1日の工事です。"})
    assert "別の年の日付" in words(author)
    assert author.form("/submit").choices == {("accept_warnings", "yes")}
    assert author.send("/submit").status_code == 422
    author.open(path)
    author.send("/submit", accept_warnings="yes")
    assert "承認を待っています" in words(author)
    drafted(author, **{"ja.body": "○○町で断水します。"})
    assert "赤い指摘を直すまで提出できません" in words(author)
    drafted(author, **{"ja.title": "", "ja.body": "", "en.title": "Only English", "en.body": "Text."})
    assert "足りない言語: 日本語" in words(author)
    assert "赤い指摘を直すまで提出できません" in words(author)


def test_the_second_of_two_editors_is_told_what_differs_and_decides(hall: Hall, author: Browser) -> None:
    path = drafted(author)
    other = hall.browser("approver")
    for browser in (author, other):
        browser.open(f"{path}/edit")
    other.send("", **{"ja.title": "断水（浜町）"})
    mine = {"ja.title": "断水です", "ja.body": "私の文。"}
    assert author.send("", **mine).status_code == 409
    page = words(author)
    assert "承認者 一号 さんが保存した内容と、あなたの内容の違い" in page
    assert "断水（浜町）" in page
    assert {name: author.form("").fields[name] for name in mine} == mine
    assert author.send("", **mine).status_code == 409  # without the tick nothing is overwritten
    assert "断水（浜町）" in words_of(other, path)
    other.open(f"{path}/edit")
    other.send("", **{"ja.title": "三つ目"})
    assert author.send("", overwrite="yes", **mine).status_code == 409  # changed again after he was told
    assert "三つ目" in words(author)
    author.send("", overwrite="yes", **mine)
    assert author.path == path
    assert "私の文。" in author.text

    other.open(f"{path}/history")
    page = words(other)
    assert "4 版" in page
    assert page.count("起案者 一号") >= 2
    assert "断水（浜町）" in page
    other.send("/history/2")
    assert other.path == path
    assert "断水（浜町）" in other.text
    assert JA["ja.body"] in other.text


def test_script_in_a_text_stays_text_everywhere(hall: Hall, author: Browser, approver: Browser) -> None:
    hostile = {
        "ja.title": f"断水{HOSTILE}",
        "ja.body": HOSTILE,
        "attachment.0.url": 'https://a.example/"><script src=x>',
    }
    author.open("/console/notices/new")
    assert author.send("", **hostile, **{"attachment.0.title.ja": HOSTILE}).status_code == 422  # no such address
    no_address = {"attachment.0.url": "javascript:alert(1)"}
    assert author.send("", **no_address).status_code == 422
    good = {"attachment.0.url": "https://a.example/x.pdf"}
    author.send("", **good)
    path = author.path
    author.send("/submit", accept_warnings="yes")
    approve(approver, path)
    pages = [path, f"{path}/history", "/console/notices", f"{path}/correct", f"/console/notices/new?like={path[17:]}"]
    for address in pages:
        page = author.open(address).get_data(as_text=True)
        assert author.page.status_code == 200
        assert "断水&lt;script" in page, address
        assert not re.search(r"<script(?! src=\"/console/static/)|<img src=x|javascript:", page), address
    feed = hall.app.test_client().get("/v1/notices.atom").get_data(as_text=True)
    assert "<script" not in feed


def test_the_list_is_searched_narrowed_and_paged(
    hall: Hall, author: Browser, approver: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    published(author, approver, **{"ja.title": "さがしものの会", "en.title": "Lost and found", "en.body": "Come."})
    drafted(author, **{"ja.title": "さがしものの下書き"})
    listed = words_of(author, "/console/notices?q=サガシモノ")
    assert "さがしものの会" in listed
    assert "さがしものの下書き" in listed
    assert "さがしものの会" not in words_of(author, "/console/notices?q=さがしもの&state=draft")
    assert "さがしものの下書き" not in words_of(author, "/console/notices?q=さがしもの&missing=xx&state=shown")
    missing = words_of(author, "/console/notices?q=さがしもの&missing=en")
    assert "さがしものの会" not in missing
    assert "さがしものの下書き" in missing
    assert "さがしものの会" in words_of(author, "/console/notices?q=さがしもの&topic=notices")
    assert "見つかりませんでした" in words_of(author, "/console/notices?q=さがしもの&topic=garbage")
    assert "という区域は見つかりません" in words_of(author, "/console/notices?area=どこにもない")
    assert author.open("/console/notices?before=x&state=x&topic=%00").status_code == 200
    monkeypatch.setattr(notice_pages, "PAGE", 2)
    author.open("/console/notices?q=さがしもの")
    assert "もっと前" not in author.text
    author.open("/console/notices")
    older = re.search(r'href="(/console/notices\?[^"]*before=\d+[^"]*)"', author.text)
    assert older
    assert author.open(html.unescape(older[1])).status_code == 200
    assert author.text.count('class="card notice"') == 2


def test_a_form_is_light_and_every_language_can_be_reached_without_script(author: Browser) -> None:
    author.open("/console/notices/new")
    assert len(author.page.data) < 100_000
    assert "<script" not in author.text
    for language in ("ja", "ja-x-easy", "en", "zh-Hans", "ko"):
        assert f'name="{language}.body"' in author.text
    author.send("", button=("do", "more"), **JA, **{"attachment.0.url": "https://a.example/1"})
    assert "attachment.1.url" in author.form("").fields


def test_what_was_typed_outlives_the_sign_in(hall: Hall) -> None:
    browser = hall.browser("author")
    browser.open("/console/notices/new")
    hall.clock.moment = hall.clock.moment.replace(hour=23)
    answer = browser.send("", **JA)
    assert answer.status_code == 403
    assert "書いた内容は残っています" in browser.text
