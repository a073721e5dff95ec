"""Who comes in, and how: link, password, second factor, a session of one's own; and who stays outside."""

from __future__ import annotations

import re

import pyotp
import pytest

from backend.console.entry import KNOWN
from content import accounts, editors, journal
from content.editors import Role
from database import db, transaction
from tests.backend.console.conftest import PASSWORD, Hall


def invited(hall: Hall, name: str, login: str, role: Role = Role.AUTHOR) -> str:
    with hall.app.app_context(), transaction(db.engine) as session:
        person = editors.by_name(session, name) or editors.add(session, name, role, hall.clock())[0]
        return accounts.invite(session, person, login, hall.clock())


def code(hall: Hall, login: str) -> str:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        account = accounts.by_login(session, login)
        assert account is not None
        return pyotp.TOTP(account.totp_secret or "").at(hall.clock())


def test_a_link_leads_to_password_second_factor_and_into_the_console(hall: Hall) -> None:
    link = invited(hall, "新人 花子", "hanako")
    browser = hall.stranger()
    browser.open(f"/console/welcome/{link}")
    assert "hanako" in browser.text
    browser.send("", password="短い", again="短い")
    assert "12〜200文字" in browser.text
    browser.send("", password=PASSWORD, again=PASSWORD + "x")
    assert "二つのパスワードが違います" in browser.text
    browser.send("", password=PASSWORD, again=PASSWORD)
    assert browser.path == "/console/second-factor"
    assert "<svg" in browser.text
    # Half signed in is not signed in.
    assert browser.client.get("/console/me").headers["Location"].endswith("/second-factor")
    browser.send("", code="000000")
    assert "確認コードが違います" in browser.text
    browser.send("", code=code(hall, "hanako"))
    assert browser.path == "/console/"
    assert "新人 花子" in browser.text
    assert hall.stranger().open(f"/console/welcome/{link}").status_code == 404

    hall.clock.pass_(minutes=2)
    again = hall.stranger()
    again.open("/console/sign-in")
    again.send("sign-in", login=" HANAKO ", password=PASSWORD, code=code(hall, "hanako"))
    assert again.path == "/console/"
    again.send("sign-out")
    assert again.path == "/console/sign-in"
    assert again.client.get("/console/").status_code == 303


def test_wrong_answers_all_look_alike(hall: Hall) -> None:
    told = set()
    for login, password, typed in (
        ("author", "wrong", code(hall, "author")),
        ("author", PASSWORD, "000000"),
        ("nobody", PASSWORD, "000000"),
        ("", "", ""),
        ("\0", "\0", "\0"),
    ):
        browser = hall.stranger()
        browser.open("/console/sign-in")
        page = browser.send("sign-in", login=login, password=password, code=typed)
        told.add((page.status_code, *re.findall(r'role="alert">([^<]+)', browser.text)))
    assert len(told) == 1
    assert "のどれかが違います" in str(told)


def test_who_guesses_has_to_wait(hall: Hall) -> None:
    browser = hall.stranger()
    browser.open("/console/sign-in")
    for _ in range(accounts.FREE_FAILURES):
        browser.send("sign-in", login="reader", password="guess", code="123456")
    browser.send("sign-in", login="reader", password=PASSWORD, code=code(hall, "reader"))
    assert "しばらくサインインできません" in browser.text
    hall.clock.pass_(minutes=1)
    browser.send("sign-in", login="reader", password=PASSWORD, code=code(hall, "reader"))
    assert browser.path == "/console/"


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(hall: Hall) -> None:
    browser = hall.browser("approver")
    with browser.client.session_transaction("/console/") as cookie:
        planted, form = cookie["sign_in"], cookie["csrf_token"]
    hall.clock.pass_(minutes=3)
    browser.open("/console/sign-in")
    browser.send("sign-in", login="author", password=PASSWORD, code=code(hall, "author"))
    with browser.client.session_transaction("/console/") as cookie:
        assert cookie["sign_in"] != planted
        assert cookie["csrf_token"] != form


def test_a_sign_in_ends_by_its_owner_elsewhere_and_when_idle(hall: Hall) -> None:
    idle, other, left = hall.browser("author"), hall.browser("author"), hall.browser("author")
    assert idle.client.get("/console/me").status_code == 200
    other.open("/console/me")
    other.send("sign-out-elsewhere")
    assert idle.client.get("/console/me").status_code == 303
    assert other.client.get("/console/me").status_code == 200
    hall.clock.pass_(minutes=61)
    assert other.client.get("/console/me").status_code == 303
    assert left.client.get("/console/me").status_code == 303


def test_looking_at_pages_keeps_a_sign_in_but_not_longer_than_half_a_day(hall: Hall) -> None:
    browser = hall.browser("author")
    for _ in range(13):
        hall.clock.pass_(minutes=55)
        page = browser.client.get("/console/me")
        page.close()
        assert page.status_code == 200
    hall.clock.pass_(minutes=10)
    assert browser.client.get("/console/me").status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "/console/../v1", "javascript:alert(1)",
        "/console//evil.example", "/v1/alerts", "\t//evil.example", "https:console/", "/console/\r\nX: y", "/consoles/",
    ],
)  # fmt: skip
def test_signing_in_leads_only_into_the_console(hall: Hall, target: str) -> None:
    hall.clock.pass_(minutes=5)
    browser = hall.stranger()
    with hall.app.test_request_context("/console/"):
        from backend.console import door

        assert door.safe_next(target) == "/console/"
        assert door.safe_next("/console/journal?text=a") == "/console/journal?text=a"
    browser.client.get("/console/language/en", query_string={"next": target})
    answer = browser.client.get("/console/language/en", query_string={"next": target})
    assert answer.headers["Location"] == "/console/"


def test_after_signing_in_the_page_that_was_asked_for_comes(hall: Hall) -> None:
    hall.clock.pass_(minutes=20)
    browser = hall.stranger()
    browser.open("/console/journal?text=x")
    assert browser.path == "/console/sign-in"
    browser.send("sign-in", login="auditor", password=PASSWORD, code=code(hall, "auditor"))
    assert browser.page.request.full_path == "/console/journal?text=x"


def test_an_administrator_ends_sign_ins_and_bars_people(hall: Hall) -> None:
    browser, chief = hall.browser("duty_officer"), hall.browser("administrator")
    chief.open("/console/people")
    own = next(form.action for form in chief.forms() if form.action.endswith("/disable"))
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        account = accounts.by_login(session, "duty_officer")
        assert account is not None
        person = account.editor_id
    assert own.startswith("/console/people/")
    chief.send(f"/people/{person}/sign-out")
    assert browser.client.get("/console/me").status_code == 303
    browser = hall.browser("duty_officer")
    assert chief.post(f"/console/people/{person}/disable").status_code == 422
    assert browser.client.get("/console/me").status_code == 200
    with hall.app.app_context(), transaction(db.engine) as session:
        extra = editors.add(session, "去る人", Role.READER, hall.clock())[0]
        session.flush()
        leaving = extra.id
    chief.open("/console/people")
    chief.send(f"/people/{leaving}/disable", sure="yes")
    assert "停止しました" in chief.text


def test_what_people_do_is_in_the_journal_and_the_chain_holds(hall: Hall) -> None:
    browser = hall.browser("administrator")
    browser.open("/console/people")
    browser.send("/people", name="応援 次郎", role="approver", login="jiro")
    link = re.search(r"/console/welcome/([\w-]+)", browser.text)
    assert link is not None
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        last = journal.search(session, most=1)[0]
        assert (last.name, last.action, last.subject) == ("管理者 一号", "people.invite", "応援 次郎")
        assert link[1] not in str(last.detail)
        assert journal.verify(session).sound
    browser.open("/console/people")
    browser.send("/people", name="応援 次郎", role="approver", login="x2")
    assert browser.page.status_code == 422
    assert "もう登録されています" in browser.text


def test_a_stranger_who_guesses_locks_only_strangers_out(hall: Hall) -> None:
    known = hall.stranger()
    known.open("/console/sign-in")
    known.send("sign-in", login="duty_officer", password=PASSWORD, code=code(hall, "duty_officer"))
    assert known.path == "/console/"
    cookie = known.client.get_cookie(KNOWN, path="/console")
    assert cookie is not None
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Strict", "/console")
    first = cookie.value
    known.send("sign-out")
    stranger = hall.stranger()
    for _ in range(accounts.FREE_FAILURES + 1):
        stranger.open("/console/sign-in")
        stranger.send("sign-in", login="duty_officer", password="guess", code="000000")
    assert "しばらくサインインできません" in stranger.text
    hall.clock.pass_(seconds=31)
    new = hall.stranger()
    new.open("/console/sign-in")
    new.send("sign-in", login="duty_officer", password=PASSWORD, code=code(hall, "duty_officer"))
    assert "しばらくサインインできません" in new.text, "from an unknown browser the lock holds for everybody"
    known.open("/console/sign-in")
    known.send("sign-in", login="duty_officer", password=PASSWORD, code=code(hall, "duty_officer"))
    assert known.path == "/console/"
    cookie = known.client.get_cookie(KNOWN, path="/console")
    assert cookie is not None
    assert cookie.value != first, "a copy of the earlier cookie is worth nothing"


def test_a_known_browser_has_no_more_guesses_than_any_other(hall: Hall) -> None:
    hall.clock.pass_(hours=1)
    known = hall.stranger()
    known.open("/console/sign-in")
    known.send("sign-in", login="approver", password=PASSWORD, code=code(hall, "approver"))
    known.send("sign-out")
    for _ in range(accounts.FREE_FAILURES):
        known.open("/console/sign-in")
        known.send("sign-in", login="approver", password="guess", code="000000")
    hall.clock.pass_(seconds=31)
    known.open("/console/sign-in")
    known.send("sign-in", login="approver", password=PASSWORD, code=code(hall, "approver"))
    assert "しばらくサインインできません" in known.text
    elsewhere = hall.stranger()
    elsewhere.open("/console/sign-in")
    elsewhere.send("sign-in", login="approver", password=PASSWORD, code=code(hall, "approver"))
    assert elsewhere.path == "/console/", "the guesses made here lock nobody elsewhere"
    other = hall.stranger()
    other.client.set_cookie(KNOWN, "planted", path="/console")
    other.open("/console/sign-in")
    other.send("sign-in", login="auditor", password=PASSWORD, code=code(hall, "auditor"))
    planted = other.client.get_cookie(KNOWN, path="/console")
    assert planted is not None
    assert planted.value != "planted"
