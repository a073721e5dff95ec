"""The lone duty officer at night: a level 5 with a new code, and a review that stands on every page until signed."""

from __future__ import annotations

import html
import itertools
import re
from collections.abc import Iterator

import pyotp
import pytest

from content import accounts, journal
from database import db, transaction
from notifications import reviews
from notifications.dispatch import incidents
from tests.backend.api.town import Town
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall

SHORE = "04993"
TICKS = {"seen_area": "yes", "seen_texts": "yes", "seen_reach": "yes"}
minutes = itertools.count(5, 5)
REASON = "承認者二人とも電話に出ない"


def code_of(hall: Hall, login: str) -> str:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        account = accounts.by_login(session, login)
        assert account is not None
        assert account.totp_secret is not None
        return pyotp.TOTP(account.totp_secret).at(hall.clock())


def words(browser: Browser) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.text)))


@pytest.fixture(autouse=True)
def calm(hall: Hall) -> Iterator[None]:
    """Each test begins at another minute, so that codes are new, and leaves nothing behind."""
    hall.clock.pass_(minutes=next(minutes))
    yield
    with hall.app.app_context(), transaction(db.engine) as session:
        for change in ("UPDATE alerts SET state = 'expired' WHERE state = 'live'", "DELETE FROM alert_reviews"):
            session.connection().exec_driver_sql(change)


@pytest.fixture
def duty(hall: Hall) -> Browser:
    return hall.browser("duty_officer")


def waiting(duty: Browser, kind: str = "flood:5", part: str = "alerts") -> str:
    duty.open(f"/console/{part}/new")
    duty.send("/new", kind=kind, area=[SHORE])
    duty.send("/submit")
    return duty.path


def alone(hall: Hall, duty: Browser, **changes: str | None) -> int:
    said = TICKS | {"confirmation": "LEVEL5", "reason": REASON, "code": code_of(hall, "duty_officer")} | changes
    return duty.send("/break-glass", **said).status_code


def test_alone_at_night_with_a_new_code_and_the_next_day_another_signs(hall: Hall, duty: Browser) -> None:
    path = waiting(duty)
    assert "承認できる人がいないとき" in duty.text
    assert alone(hall, duty) == 200
    assert "一人で承認しました" in words(duty)
    assert "発令中" in words(duty)
    assert f"当直責任者 一号 一人で承認した（緊急） – {REASON}" in words(duty)
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        entry = journal.search(session, most=1)[0]
        assert (entry.action, entry.name, entry.detail["reason"]) == ("alerts.break_glass", "当直責任者 一号", REASON)

    approver = hall.browser("approver")
    for page in ("/console/", "/console/drills", "/console/shelters", "/console/me"):
        assert "事後の確認が要ります" in approver.open(page).text
        assert "review-band late" not in approver.text
    assert "事後の確認が要ります" not in hall.browser("author").text
    hall.clock.pass_(hours=24)
    approver = hall.browser("approver")
    assert "事後の確認が期限切れです" in approver.text
    assert "review-band late" in approver.text
    with hall.app.app_context(), transaction(db.engine) as session:
        reviews.call(session, hall.clock())
        assert [one.kind for one in incidents.open_ones(session)] == ["review"]
    signing = f'class="button main" href="{path}#review">読んで署名する'
    assert signing in approver.open("/console/incidents").text
    assert signing not in hall.browser("duty_officer").open("/console/incidents").text
    approver.open(path)
    assert "承認されたときのままです" in words(approver)
    assert approver.send("/review", verdict="right", note="").status_code == 422
    approver.send("/review", verdict="right", note="水位の記録と合っている")
    assert "署名しました" in words(approver)
    assert "承認者 一号 : 出してよかった。このままでよい – 水位の記録と合っている" in words(approver)
    assert "review-band" not in approver.text
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        assert not incidents.open_ones(session)
        assert journal.search(session, most=1)[0].action == "alerts.review"


def test_a_verdict_leads_to_the_step_that_mends(hall: Hall, duty: Browser) -> None:
    path = waiting(duty)
    alone(hall, duty)
    assert not [form for form in duty.forms() if form.action.endswith("/review")]
    assert duty.post(f"{path}/review", verdict="right", note="自分で").status_code == 403
    approver = hall.browser("approver")
    approver.open(path)
    approver.send("/review", verdict="wrong", note="<script>alert(1)</script>")
    assert approver.path == f"{path}/cancel"
    assert "<script>alert" not in approver.open(path).text
    assert approver.post(f"{path}/review", verdict="right", note="もう一度").status_code == 409


def test_what_is_missing_is_said_and_the_reason_is_kept(hall: Hall, duty: Browser) -> None:
    path = waiting(duty)
    for missing in ("seen_reach", "confirmation", "reason"):
        assert alone(hall, duty, **{missing: None if missing in TICKS else ""}) == 422, missing
        assert duty.path == f"{path}/break-glass"
        kept = duty.form("/break-glass").fields
        assert kept["reason"] == ("" if missing == "reason" else REASON)
        assert "承認待ち" in words(duty)


def test_a_wrong_code_is_counted_and_the_fifth_ends_the_sign_in(hall: Hall, duty: Browser) -> None:
    path = waiting(duty)
    for _ in range(4):
        alone(hall, duty, code="000000")
        assert "確認コードが違うか、一度使ったもの" in words(duty)
        assert duty.form("/break-glass").fields["reason"] == REASON
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        assert journal.search(session, most=1)[0].action == "alerts.break_glass_refused"
    alone(hall, duty, code="000000")
    assert duty.path == "/console/sign-in"
    again = hall.browser("duty_officer")
    again.open(path)
    assert "承認待ち" in words(again)
    assert alone(hall, again) == 200
    assert "発令中" in words(again)


def test_nothing_else_can_be_released_alone(hall: Hall, duty: Browser) -> None:
    said = TICKS | {"confirmation": "LEVEL5", "reason": REASON}
    for kind, part in (("flood:4", "alerts"), ("flood:5", "drills")):
        path = waiting(duty, kind, part)
        assert "break-glass" not in duty.text
        digest = duty.form("/submit").fields["content_hash"]
        sent = said | {"content_hash": digest, "code": code_of(hall, "duty_officer")}
        assert duty.post(f"{path}/break-glass", **sent).status_code in (404, 405, 409)
    author = hall.browser("author")
    path = waiting(author)
    assert "break-glass" not in author.text
    duty.open(path)
    assert "break-glass" not in duty.text
    digest = duty.form("/approve").fields["content_hash"]
    sent = said | {"content_hash": digest, "code": code_of(hall, "duty_officer")}
    assert duty.post(f"{path}/break-glass", **sent).status_code == 409
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        assert not reviews.waiting(session)


def test_no_key_breaks_the_glass(hall: Hall) -> None:
    assert not [rule.rule for rule in hall.app.url_map.iter_rules() if "break" in rule.rule and "/v1/" in rule.rule]
    with hall.app.app_context():
        engine = db.engine
    town = Town(hall.app.test_client(), engine, hall.clock)
    alert = town.submit(town.draft(by="duty", level=5), by="duty")
    path = f"/v1/staff/alerts/{alert['id']}/approve"
    answer = town.call("POST", path, {"content_hash": alert["content_hash"]}, by="duty")
    assert (answer.status_code, answer.get_json()["code"]) == (403, "own_work")
