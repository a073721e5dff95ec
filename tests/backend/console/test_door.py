"""Every page of the console asks for its role; nobody else's forms, frames, scripts or formulas get in."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.routing import Rule

from backend.cli import audit
from backend.console import table
from content.editors import PERMISSIONS, Action, Role
from database import db, transaction
from tests.backend.console.conftest import Hall

# Pages for people who are not signed in, or only half.
OPEN = {
    "sign_in", "try_to_sign_in", "welcome", "set_password", "second_factor_page", "confirm_second_factor",
    "choose_language", "lost", "root",
}  # fmt: skip
PEOPLE = [role for role in Role if role is not Role.MACHINE]


def pages(app: Flask) -> Iterator[tuple[str, Rule, str]]:
    """The name, rule and method of each page of the console."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/console") and rule.endpoint != "console.static":
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            assert len(methods) == 1, f"{rule.rule} is one page or one form, not both: {methods}"
            yield rule.endpoint.removeprefix("console."), rule, methods.pop()


def address(rule: Rule) -> str:
    return re.sub(r"<(?:int:[^>]+|[^>]+)>", lambda hit: "1" if hit[0].startswith("<int:") else "x", rule.rule)


def actions(app: Flask, rule: Rule) -> frozenset[str]:
    return app.view_functions[rule.endpoint]._actions  # type: ignore[attr-defined,no-any-return]


def test_every_page_says_what_its_reader_must_be_permitted_to(hall: Hall) -> None:
    named = {name for name, _, _ in pages(hall.app)}
    assert named >= OPEN
    for name, rule, _ in pages(hall.app):
        if name not in OPEN:
            assert actions(hall.app, rule) <= set(Action), rule.rule


def test_without_signing_in_every_page_leads_to_the_sign_in(hall: Hall) -> None:
    browser = hall.stranger()
    browser.open("/console/sign-in")
    token = browser.form("sign-in").fields["csrf_token"]
    for name, rule, method in pages(hall.app):
        if name not in OPEN:
            data = {"csrf_token": token} if method == "POST" else None
            answer = browser.client.open(address(rule), method=method, data=data)
            assert answer.status_code == 303, rule.rule
            assert answer.headers["Location"].startswith("/console/sign-in"), rule.rule


@pytest.mark.parametrize("role", PEOPLE)
def test_a_role_gets_no_further_than_it_may(hall: Hall, role: Role) -> None:
    browser = hall.browser(role.value)
    for name, rule, method in pages(hall.app):
        if name in OPEN or name == "sign_out" or actions(hall.app, rule) <= PERMISSIONS[role]:
            continue
        answer = browser.client.get(address(rule)) if method == "GET" else browser.post(address(rule))
        assert answer.status_code == 403, (role, rule.rule)


@pytest.mark.parametrize("role", PEOPLE)
def test_no_page_offers_a_link_that_leads_to_a_refusal(hall: Hall, role: Role) -> None:
    browser = hall.browser(role.value)
    for link in sorted(set(re.findall(r'href="(/console/[^"#]*)"', browser.text)) - {"/console/static/console.css"}):
        assert browser.client.get(link.replace("&amp;", "&")).status_code in (200, 303), link


def test_a_form_without_its_secret_or_from_another_site_changes_nothing(hall: Hall) -> None:
    browser = hall.browser("administrator")
    form = {"name": "偽 太郎", "role": "approver", "login": "nise"}
    other = hall.browser("author").form("sign-out").fields["csrf_token"]
    for data in (form, {**form, "csrf_token": "x"}, {**form, "csrf_token": other}):
        assert browser.client.post("/console/people", data=data).status_code == 400
    browser.open("/console/people")
    whole = {**form, "csrf_token": browser.form("/people").fields["csrf_token"]}
    for site in ("cross-site", "same-site"):
        answer = browser.client.post("/console/people", data=whole, headers={"Sec-Fetch-Site": site})
        assert answer.status_code == 400
        assert "別のサイトから" in answer.text
    assert "偽 太郎" not in browser.open("/console/people").text
    everyone = [(rule, method) for name, rule, method in pages(hall.app) if method == "POST"]
    assert len(everyone) > 8
    for rule, method in everyone:
        assert browser.client.open(address(rule), method=method).status_code == 400, rule.rule


@pytest.mark.parametrize("path", ["/console/", "/console/sign-in", "/console/nothing", "/console/static/console.css"])
def test_pages_stay_out_of_frames_and_run_nothing_inline(hall: Hall, path: str) -> None:
    headers = hall.browser("author").client.get(path).headers
    policy = dict(part.strip().partition(" ")[::2] for part in headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == ("public, max-age=3600" if "static" in path else "no-store")


def test_no_page_has_an_inline_script_style_or_a_foreign_address(hall: Hall) -> None:
    browser = hall.browser("administrator")
    for name, rule, method in pages(hall.app):
        if method == "GET" and "<" not in rule.rule and actions_of(hall, name, rule) <= PERMISSIONS[Role.ADMINISTRATOR]:
            answer = browser.client.get(rule.rule, follow_redirects=True)
            if answer.mimetype == "application/geo+json":
                continue
            page = answer.text
            assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=\"/console/static/)|javascript:", page)
            assert not re.search(r'(?:src|href|action)="(?:https?:)?//', page), rule.rule
            assert '<html lang="ja">' in page
            assert len(page) < 150_000


def actions_of(hall: Hall, name: str, rule: Rule) -> frozenset[str]:
    return frozenset() if name in OPEN else actions(hall.app, rule)


def test_the_cookie_is_for_the_console_only_and_no_script_reads_it(hall: Hall) -> None:
    said = hall.stranger().client.get("/console/sign-in").headers["Set-Cookie"]
    assert "yobikake_console=" in said
    assert "HttpOnly" in said
    assert "SameSite=Lax" in said
    assert "Path=/console" in said
    assert "Set-Cookie" not in hall.stranger().client.get("/v1/alerts").headers


def test_before_anybody_was_invited_the_console_says_how_to_begin(bare_app: Flask) -> None:
    answer = bare_app.test_client().get("/console/sign-in")
    assert answer.status_code == 503
    assert "staff invite" in answer.text


def test_what_people_write_is_shown_as_text_and_exported_without_formulas(hall: Hall) -> None:
    browser = hall.browser("administrator")
    for name, login in (("<script>alert(1)</script>", "xss"), ("=HYPERLINK(1)", "formula"), ("\u3000+81", "plus")):
        browser.open("/console/people")
        browser.send("/people", name=name, role="reader", login=login)
    listed = browser.open("/console/people").text
    assert "<script>" not in listed
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in listed
    browser.open("/console/journal")
    assert "<script>" not in browser.text
    exported = browser.send("journal/export")
    assert exported.content_type.startswith("text/csv")
    rows = list(csv.reader(io.StringIO(exported.get_data().decode("utf-8-sig"))))
    assert "'=HYPERLINK(1)" in [row[5] for row in rows]
    assert not [cell for row in rows for cell in row if cell.lstrip().startswith(tuple("=+-@＝＋－＠"))]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", " =1", "＝１", "　=1", "|calc", "%0A", "'=1"]
)
def test_a_cell_that_begins_like_a_formula_is_text(cell: str) -> None:
    assert table.harmless(cell) == "'" + cell
    assert table.harmless(f"a{cell}") == f"a{cell}"
    assert table.harmless(None) == ""
    assert table.harmless(12) == "12"


def test_the_journal_is_searched_and_a_row_altered_by_hand_is_named(hall: Hall) -> None:
    browser = hall.browser("auditor")
    chief = hall.browser("administrator")
    chief.open("/console/people")
    chief.send("/people", name="消した人", role="reader", login="gone")
    browser.open("/console/journal?text=消した&since=2026-11-21&until=2026-11-21")
    assert browser.text.count("消した人") == 1
    browser.open("/console/journal?until=2026-11-20&before=x&since=9999-99-99")
    assert "見つかりませんでした" in browser.text
    browser.open("/console/journal")
    browser.send("journal/verify")
    assert "書かれたときのままです" in browser.text
    with hall.app.app_context(), transaction(db.engine) as session:
        changed = "UPDATE journal SET subject = 'x' WHERE number = 2"
        kept = session.connection().exec_driver_sql("SELECT subject FROM journal WHERE number = 2").scalar()
        session.connection().exec_driver_sql(changed)
    browser.send("journal/verify")
    assert "番号 2 の行" in browser.text
    result = hall.app.test_cli_runner().invoke(audit.command, ["verify"])
    with hall.app.app_context(), transaction(db.engine) as session:
        session.execute(sa.text("UPDATE journal SET subject = :kept WHERE number = 2"), {"kept": kept})
    assert result.exit_code == 1
    assert "entry 2 was altered" in result.output
    sound = hall.app.test_cli_runner().invoke(audit.command, ["verify", "--json"])
    assert json.loads(sound.output)["sound"] is True
    head = json.loads(sound.output)["hash"]
    assert hall.app.test_cli_runner().invoke(audit.command, ["verify", "--expect", head]).exit_code == 0
    assert hall.app.test_cli_runner().invoke(audit.command, ["verify", "--expect", "0" * 64]).exit_code == 1
