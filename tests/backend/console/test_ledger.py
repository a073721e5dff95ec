"""The ledger and the incidents: what was sent, how it fared outlet by outlet, what stopped and how it goes on."""

from __future__ import annotations

import html
import re

import pytest

from content import journal
from database import db, transaction
from notifications.channels.promise import Outcome
from notifications.dispatch import incidents
from notifications.dispatch.batches import BatchState
from notifications.messages import Kind, Message
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall
from tests.notifications.dispatch.ledgers import ledger


def kept(hall: Hall, recipients: list[tuple[Outcome, int, int | None]], **changes: object) -> Message:
    with hall.app.app_context(), transaction(db.engine) as session:
        return ledger(session, recipients, now=hall.clock(), **changes)  # type: ignore[arg-type]


def words(browser: Browser) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.text)))


@pytest.fixture
def duty(hall: Hall) -> Browser:
    return hall.browser("duty_officer")


def test_a_message_shows_its_outcomes_by_outlet_and_its_batches(hall: Hall, duty: Browser) -> None:
    told = [(Outcome.ACCEPTED, 1, tenths) for tenths in range(1, 601)] + [(Outcome.UNREGISTERED, 1, 9)] * 3
    message = kept(hall, told)
    duty.open("/console/messages")
    assert f"/console/messages/{message.public_id}" in duty.text
    duty.open(f"/console/messages/{message.public_id}")
    assert "対象 603 台のうち、600 台が受け付けられました" in words(duty)
    row = re.search(r"iPhone FCM 603 603 600 0 3 0 0\.0 30\.0・57\.0・59\.4", words(duty))
    assert row, words(duty)
    assert words(duty).count(" 済み ") == 2, "500 and 103"
    assert "一束は500台まで" in duty.text
    assert len(duty.text.encode()) < 150_000


def test_the_ledger_is_narrowed_and_goes_back_page_by_page(hall: Hall, duty: Browser) -> None:
    real = kept(hall, [], drill=False)
    drill = kept(hall, [], drill=True)
    test = kept(hall, [], kind=Kind.TEST)
    for query, shown in (
        ("", {real, drill}),
        ("part=drill", {drill}),
        ("part=real", {real}),
        ("kind=test", {test}),
        ("kind=alert", set()),
        ("kind=x&part=x&before=x", {real, drill}),
    ):
        page = duty.open(f"/console/messages?{query}").text
        assert {one for one in (real, drill, test) if one.public_id in page} == shown, query
    for _ in range(51):
        kept(hall, [])
    duty.open("/console/messages?part=real")
    older = re.search(r'href="([^"]+before=\d+)"', duty.text)
    assert older is not None
    assert "part=real" in older[1]
    assert real.public_id in duty.open(html.unescape(older[1])).text
    assert duty.open("/console/messages/nothing").status_code == 404


def test_an_incident_says_what_to_do_and_goes_on_when_it_is_mended(hall: Hall, duty: Browser) -> None:
    message = kept(hall, [(Outcome.PENDING, 0, None)], state=BatchState.STOPPED)
    with hall.app.app_context(), transaction(db.engine) as session:
        fault = incidents.report(session, "credentials", "<b>401</b> at the token endpoint", hall.clock()).id
    duty.open("/console/")
    assert "障害が 1 件あります" in words(duty)
    duty.open(f"/console/messages/{message.public_id}")
    assert "1 束が止まっています" in words(duty)
    duty.open("/console/incidents")
    assert "配信事業者が鍵を受け付けません" in words(duty)
    assert "yobikake doctor" in words(duty)
    assert "<b>401</b>" not in duty.text
    assert "<b>401</b> at the token endpoint" in words(duty) or "&lt;b&gt;401" in duty.text
    duty.send("/resolve", sure=None)
    assert "印を付けてください" in duty.text
    reader = hall.browser("reader")
    reader.open("/console/incidents")
    assert not [form for form in reader.forms() if "resolve" in form.action]
    duty.send("/resolve", sure="yes")
    assert "1 束の送信を再開しました" in words(duty)
    assert "いま障害はありません" in duty.text
    assert "当直責任者 一号" in duty.text
    assert duty.post(f"/console/incidents/{fault}/resolve", sure="yes").status_code == 404
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        entry = journal.search(session, most=1)[0]
        assert (entry.action, entry.detail) == ("incidents.resolve", {"restarted": 1})
