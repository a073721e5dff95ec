"""An evacuation alert from the first click to the all-clear, by forms alone; and everything that must not pass."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterator
from typing import Any

import pyotp
import pytest
from flask.testing import FlaskClient

from content import accounts, journal
from database import db, transaction
from notifications.channels.promise import Outlet
from notifications.dispatch.worker import Worker
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import PASSWORD, Hall
from tests.notifications.builders import make_token
from tests.notifications.dispatch.scripted import LEASE, RETRY_BASE, ScriptedChannel

MIDDLE, SHORE = "04992", "04993"


def phone(client: FlaskClient, at: tuple[float, float], **wishes: Any) -> None:
    made = client.post("/v1/devices", json={"platform": "android", "token": make_token(), **wishes}).get_json()
    key = {"Authorization": f"Bearer {made['secret']}"}
    put = client.put("/v1/devices/me/places/home", json={"lat": at[0], "lon": at[1]}, headers=key)
    assert put.status_code < 300, put.text


@pytest.fixture(scope="module", autouse=True)
def phones(built: Hall) -> None:
    """Two people of the shore ward, one of them reads English."""
    at = ward_point(built, SHORE)
    phone(built.app.test_client(), at)
    phone(built.app.test_client(), at, language="en")


def ward_point(hall: Hall, code: str) -> tuple[float, float]:
    areas = hall.app.test_client().get("/v1/areas", query_string={"q": "浜区"}).get_json()["items"]
    found = next(area for area in areas if area["code"] == code)
    return found["lat"], found["lon"]


@pytest.fixture
def channel() -> ScriptedChannel:
    return ScriptedChannel()


def work(hall: Hall, channel: ScriptedChannel) -> None:
    with hall.app.app_context():
        Worker(
            db.engine, {Outlet.FCM: channel}, clock=hall.clock, lease=LEASE, retry_base=RETRY_BASE,
            monotonic=lambda: hall.clock().timestamp(),
        ).drain()  # fmt: skip


@pytest.fixture
def author(hall: Hall) -> Browser:
    return hall.browser("author")


@pytest.fixture
def approver(hall: Hall) -> Browser:
    return hall.browser("approver")


@pytest.fixture(autouse=True)
def calm(hall: Hall) -> Iterator[None]:
    """Whatever a test left in force is over before the next."""
    yield
    with hall.app.app_context(), transaction(db.engine) as session:
        session.connection().exec_driver_sql("UPDATE alerts SET state = 'expired' WHERE state = 'live'")


def drafted(browser: Browser, part: str = "alerts", **changes: Any) -> str:
    """Drafts one by the form and returns its address."""
    browser.open(f"/console/{part}/new")
    browser.send("/new", **{"kind": "flood:4", "area": [SHORE], **changes})
    assert browser.page.status_code == 200, browser.text
    return browser.path


def released(author: Browser, approver: Browser, part: str = "alerts", **changes: Any) -> str:
    path = drafted(author, part, **changes)
    author.send("/submit")
    approve(approver, path)
    return path


def approve(browser: Browser, path: str, **more: Any) -> Any:
    browser.open(path)
    return browser.send("/approve", seen_area="yes", seen_texts="yes", seen_reach="yes", **more)


def words(browser: Browser) -> str:
    """The page as it is read."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.text)))


def test_from_the_first_page_to_the_all_clear(
    hall: Hall, author: Browser, approver: Browser, channel: ScriptedChannel
) -> None:
    assert "/console/alerts/new" in author.text
    path = drafted(author)
    assert "2 台" in words(author)
    assert "区ごと 浜区 2" in words(author)
    assert "【警戒レベル4 避難指示】" in author.text
    assert "Alert Level 4" in author.text
    assert "大きさ" in author.text
    assert len(author.text) < 150_000
    assert author.client.get(f"{path}/area").get_json()["type"] in ("Polygon", "MultiPolygon")
    assert "次にすること" in author.text
    author.send("/submit")
    assert "あなたが関わった内容です" in author.text
    assert not [form for form in author.forms() if form.action.endswith("/approve")]

    approver.open("/console/")
    assert path in approver.text
    approve(approver, path)
    assert "送信が始まりました" in approver.text
    work(hall, channel)
    approver.open(f"{path}/progress")
    assert "対象 2 台のうち、2 台が受け付けられました" in words(approver)
    assert re.search("全員に渡しました|送信は終わりました", approver.text)

    author.open("/console/")
    for name in ("update", "all-clear", "cancel"):
        assert f"{path}/{name}" in author.text
    author.open(f"{path}/update")
    assert author.form("").fields["kind"] == "flood:4"
    assert author.form("").fields.getlist("area") == [SHORE]
    author.send("", kind="flood:5")
    update = author.path
    assert update != path
    author.send("/submit")
    approver.open(update)
    refused = approve(approver, update)
    assert refused.status_code == 422
    assert "LEVEL5" in approver.text
    assert approve(approver, update, confirmation="level４").status_code == 422
    approve(approver, update, confirmation="ｌｅｖｅｌ ５")
    assert "送信が始まりました" in approver.text
    assert "更新された" in words_of(approver, path)

    author.open(f"{update}/all-clear")
    assert "解除" in author.text
    author.send("")
    lifting = author.path
    assert "承認待ち" in author.text
    approve(approver, lifting)
    work(hall, channel)
    assert "解除された" in words_of(author, update)
    assert "発令中のものはありません" in author.open("/console/").text
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        done = [entry.action for entry in reversed(journal.search(session)) if entry.action.startswith("alerts.")]
        assert done[-8:] == [
            "alerts.create", "alerts.submit", "alerts.approve", "alerts.update", "alerts.submit", "alerts.approve",
            "alerts.all-clear", "alerts.approve",
        ]  # fmt: skip
        assert journal.verify(session).sound


def code_of(hall: Hall, login: str) -> str:
    """What the person's authenticator app shows now."""
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        account = accounts.by_login(session, login)
        assert account is not None
        return pyotp.TOTP(account.totp_secret or "").at(hall.clock())


def words_of(browser: Browser, path: str) -> str:
    browser.open(path)
    return words(browser)


def test_a_drill_looks_different_and_never_is_a_real_alert(hall: Hall, author: Browser, approver: Browser) -> None:
    path = drafted(author, "drills")
    assert 'class="drill"' in author.text
    assert "ここは訓練の画面です" in author.text
    assert "【訓練】" in author.text
    assert 'class="drill"' not in author.open("/console/").text
    public_id = path.rpartition("/")[2]
    for address in ("", "/edit", "/cancel", "/progress"):
        assert author.open(f"/console/alerts/{public_id}{address}").status_code == 404
    assert author.post(f"/console/alerts/{public_id}/submit", version="1").status_code == 404
    author.open(path)
    author.send("/submit")
    approve(approver, path)
    assert "進行中の訓練" in approver.open("/console/").text
    public = hall.app.test_client().get("/v1/alerts").get_json()["items"]
    assert public_id not in [alert["id"] for alert in public]


def test_two_editors_of_one_draft_the_second_is_told_and_loses_nothing(hall: Hall, author: Browser) -> None:
    path, other = drafted(author), hall.browser("duty_officer")
    author.open(f"{path}/edit")
    other.open(f"{path}/edit")
    other.send("", **{"ja.body": "先に直した本文です。危険な場所から全員避難"})
    assert other.path == path
    late = author.send("", **{"ja.body": "後から直した本文です。"})
    assert late.status_code == 409
    assert "ほかの人が先に変更しました" in author.text
    assert "後から直した本文です。" in author.form("").fields["ja.body"]
    again = author.send("")
    assert again.status_code == 409
    assert "先に直した本文です" in author.client.get(path).text
    seen = re.search(r'type="checkbox" name="version" value="(\d+)"', author.text)
    assert seen is not None
    author.send("", version=[author.form("").fields["version"], seen[1]])
    assert author.path == path
    assert "後から直した本文です。" in author.text


def test_an_approval_is_of_what_was_seen_and_nothing_else(hall: Hall, author: Browser, approver: Browser) -> None:
    path = drafted(author)
    author.send("/submit")
    approver.open(path)
    author.open(f"{path}/edit")
    author.send("", **{"en.title": "Changed after it was read: Alert Level 4 Evacuation Instruction"})
    author.send("/submit", accept_warnings="yes")
    assert "承認待ち" in author.text
    stale = approver.send("/approve", seen_area="yes", seen_texts="yes", seen_reach="yes")
    assert stale.status_code == 409
    assert "もう一度内容を確かめてください" in approver.text
    assert f'href="{path}">内容の画面へ戻る' in approver.text
    assert "発令中" not in words_of(approver, path)
    own = hall.browser("duty_officer")
    mine = drafted(own)
    own.send("/submit")
    digest = own.form("/submit").fields["content_hash"]
    ticks = {"seen_area": "yes", "seen_texts": "yes", "seen_reach": "yes", "content_hash": digest}
    refused = own.post(f"{mine}/approve", **ticks)
    assert refused.status_code == 403
    assert "別の人が承認してください" in refused.text


def test_who_has_not_ticked_everything_releases_nothing(author: Browser, approver: Browser) -> None:
    path = drafted(author)
    author.send("/submit")
    approver.open(path)
    for missing in ("seen_area", "seen_texts", "seen_reach"):
        ticks = {"seen_area": "yes", "seen_texts": "yes", "seen_reach": "yes"} | {missing: None}
        answer = approver.send("/approve", **ticks)
        assert answer.status_code == 422
        assert "すべてに印" in approver.text
    approver.send("/return", reason="区域が広すぎます")
    assert "区域が広すぎます" in words(approver)
    assert "下書き" in words(approver)


def test_what_is_doubtful_must_be_accepted_and_what_is_wrong_is_barred(author: Browser) -> None:
    path = drafted(author)
    author.open(f"{path}/edit")
    author.send("", **{"ja.body": "2024年6月30日のことです。危険な場所から全員避難"})
    assert "別の年の日付" in author.text
    answer = author.send("/submit")
    assert answer.status_code == 422
    author.send("/submit", accept_warnings="yes")
    assert "承認待ち" in author.text
    author.open(f"{path}/edit")
    author.send("", **{"ja.body": "避難人数：未入力。危険な場所から全員避難"})
    assert "赤い指摘を直すまで提出できません" in author.text
    author.open(f"{path}/edit")
    author.send("", ready=["ja"])
    assert "赤い指摘" not in author.text
    assert "手直し済み" not in author.text


def test_areas_are_searched_ticked_and_subtracted_and_corners_typed(hall: Hall, author: Browser) -> None:
    author.open("/console/alerts/new")
    answer = author.send("/new", find="坂下", kind="landslide:3", button=("do", "find"))
    assert answer.status_code == 200
    assert "坂下町" in author.text
    assert author.form("/new").fields["kind"] == "landslide:3"
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        assert journal.search(session, most=1)[0].action != "alerts.find"
    path = drafted(author, area=[MIDDLE, SHORE], minus=[MIDDLE])
    assert "中央区 除く" in words(author) or "中央区除く" in author.text
    corners = "38.20, 140.90\n38.20、140.95\n（38.25 140.95）\n\n"
    broken = author_new(author, kind="flood:4", corners="38.20, 140.90\nここ")
    assert "2行目を読めません" in broken
    assert "図形だけのときは" in author_new(author, kind="flood:4", corners=corners)
    assert "角が一直線" in author_new(
        author, kind="flood:4", corners="38.2,140.9\n38.3,140.9\n38.4,140.9", **{"name.ja": "線"}
    )
    author_new(author, kind="flood:4", corners=corners, **{"name.ja": "川沿い", "minus_corners": ""})
    assert "川沿い" in author.text
    before = author.text[author.text.index("km²") - 8 :][:12]
    author.open(f"{author.path}/edit")
    assert author.form("").fields["corners"] == "38.2, 140.9\n38.2, 140.95\n38.25, 140.95"
    author.send("")
    assert before in author.text
    assert path


def author_new(browser: Browser, **answers: Any) -> str:
    browser.open("/console/alerts/new")
    browser.send("/new", **answers)
    return browser.text


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"kind": "", "area": [SHORE]}, "災害の種類と警戒レベルを選んでください"),
        ({"kind": "flood:9", "area": [SHORE]}, "災害の種類と警戒レベルを選んでください"),
        ({"kind": "tsunami:4", "area": [SHORE]}, "その警戒レベルはありません"),
        ({"kind": "flood:4"}, "区域を一つ以上選ぶか"),
        ({"kind": "flood:4", "area": ["nowhere"]}, "区域が見つかりません"),
        ({"kind": "flood:4", "area": [SHORE], "minus": [SHORE]}, "除いた後に区域が残りません"),
        ({"kind": "flood:4", "area": [SHORE], "until": "soon"}, "日付と時刻を入れてください"),
        ({"kind": "flood:4", "area": [SHORE], "until": "2020-01-01T00:00"}, "今から10分後〜14日後"),
    ],
)
def test_what_cannot_be_is_said_where_and_why_and_nothing_typed_is_lost(
    author: Browser, answers: dict[str, Any], told: str
) -> None:
    typed = {"name.en": "By the river", **answers}
    author.open("/console/alerts/new")
    page = author.send("/new", **typed)
    assert page.status_code == 422
    assert told in author.text
    assert author.form("/new").fields["name.en"] == "By the river"
    marked = set(re.findall(r'id="(\w+)"[^>]*aria-invalid="true"', author.text))
    assert marked == {"until"} & set(answers) | ({"kind"} if "警戒レベル" in told else set())


def test_a_text_is_shown_as_text_wherever_it_appears(hall: Hall, author: Browser, approver: Browser) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    path = drafted(author, **{"name.ja": f"浜区{evil}"})
    author.open(f"{path}/edit")
    author.send("", **{"ja.body": f"{evil} 危険な場所から全員避難", "ja.title": f"警戒レベル4 避難指示 {evil}"})
    author.send("/submit", accept_warnings="yes")
    for browser in (author, approver):
        for address in ("", "/edit", "/progress"):
            if browser is approver and address == "/edit":
                continue
            assert evil not in browser.open(path + address).text
        assert evil not in browser.open("/console/alerts").text
        assert evil not in browser.open("/console/").text
    assert hall


def test_a_lifting_may_say_it_in_other_words(hall: Hall, author: Browser, approver: Browser) -> None:
    path = released(author, approver)
    author.open(f"{path}/cancel")
    author.send("", **{"ja.body": "担当の操作の誤りでした。避難の必要はありません。"})
    assert author.page.status_code == 200
    assert "担当の操作の誤りでした" in author.text
    late = hall.browser("duty_officer")
    late.open(f"{path}/update")
    approve(approver, author.path)
    answer = late.send("")
    assert answer.status_code == 422
    assert "もう発令中ではありません" in late.text


def test_what_was_typed_outlives_the_sign_in(hall: Hall, author: Browser) -> None:
    path = drafted(author)
    author.open(f"{path}/edit")
    hall.clock.pass_(hours=2)
    late = author.send(
        "", **{"ja.body": "二時間かけて書いた\n<b>危険な場所から全員避難</b>", "until": "2026-11-21T20:00"}
    )
    assert late.status_code == 403
    assert "書いた内容は残っています" in author.text
    author.send("sign-in", login="author", password="wrong", code="1")
    assert "のどれかが違います" in author.text
    author.send("sign-in", login="author", password=PASSWORD, code=code_of(hall, "author"))
    assert author.form("/edit").fields["ja.body"].startswith("二時間かけて書いた")
    author.send("/edit")
    assert author.path == path
    assert "二時間かけて書いた" in author.text
    assert "20:00" in author.text


def test_an_approval_never_outlives_the_sign_in(hall: Hall, author: Browser, approver: Browser) -> None:
    path = drafted(author)
    author.send("/submit")
    approver.open(path)
    hall.clock.pass_(minutes=61)
    approver.send("/approve", seen_area="yes", seen_texts="yes", seen_reach="yes")
    assert approver.path == "/console/sign-in"
    assert "書いた内容" not in approver.text


def test_until_is_on_the_clock_of_the_city(hall: Hall, author: Browser) -> None:
    path = drafted(author, until="2026-11-21T18:30")
    public_id = path.rpartition("/")[2]
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        from notifications import alerts

        alert = alerts.by_public_id(session, public_id, drill=False)
        assert alert is not None
        assert alert.expires_at == dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
