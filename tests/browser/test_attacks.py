"""What others would do to city hall's people in their own browser: scripts in texts, frames, forged forms, planted
cookies, links that lead away."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser

from content.editors import Role
from tests.browser.conftest import Comes
from tests.browser.hall import COOKIE, Hall

pytestmark = pytest.mark.story

SCRIPT = "<script>window.taken = 1</script><img src=x onerror='window.taken = 1'>"

Page = Callable[[str], str]


@pytest.fixture
def elsewhere() -> Iterator[Page]:
    """Another site on this machine: takes the text of a page and says where it is to be seen."""
    pages: dict[str, bytes] = {}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages.get(self.path, b""))

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def publish(body: str) -> str:
        path = f"/{len(pages)}"
        pages[path] = f"<!doctype html><title>elsewhere</title>{body}".encode()
        return f"http://127.0.0.1:{server.server_port}{path}"

    yield publish
    server.shutdown()
    server.server_close()


def test_a_script_in_what_people_write_is_shown_and_not_run(hall: Hall, comes: Comes) -> None:
    texts = {"ja": {"title": f"避難指示 {SCRIPT}", "body": f"危険な場所から全員避難 {SCRIPT}"}}
    names = {"ja": f"浜区{SCRIPT}", "en": SCRIPT}
    drafted = hall.city.draft(hall.order("", area_names=names, texts=texts))
    notice = {"topic": "garbage", "texts": {"ja": {"title": f"お知らせ {SCRIPT}", "body": f"**本文** {SCRIPT}"}}}
    hall.city.ask("POST", "/v1/staff/notices", hall.city.author, json=notice, status=201)
    author = comes(who=hall.one(Role.DUTY_OFFICER))
    one = f"/console/alerts/{drafted['id']}"
    for path in (one, f"{one}/edit", "/console/alerts", "/console/"):
        author.open(path)
        assert author.page.evaluate("window.taken") is None, path
        assert author.page.locator("img[src=x]").count() == 0
        assert author.page.locator("script:not([src])").count() == 0
    author.open(one)
    assert "<script>window.taken = 1</script>" in author.text
    author.open(f"{one}/edit")
    assert SCRIPT in author.page.locator("textarea[name='ja.body']").input_value()
    # And were one let through, the policy would stop it.
    author.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<details open ontoggle=\"taken = 1\">')")
    author.page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'taken = 1'}))")
    assert author.page.evaluate("window.taken") is None
    stopped = [trouble for trouble in author.troubles if "Content Security Policy" in trouble]
    assert stopped
    author.troubles = [trouble for trouble in author.troubles if trouble not in stopped]


def test_no_page_is_shown_in_the_frame_of_another_site(hall: Hall, browser: Browser, elsewhere: Page) -> None:
    victim = browser.new_context()
    victim.add_cookies([hall.cookie(hall.one(Role.DUTY_OFFICER))])  # type: ignore[list-item]
    page = victim.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(elsewhere(f'<iframe src="{hall.city.url}/console/"></iframe>'))
    (frame,) = page.frames[1:]
    assert "いま" not in frame.content()
    assert any("frame" in words.lower() for words in said), said
    victim.close()


def test_the_form_of_another_site_changes_nothing(hall: Hall, browser: Browser, elsewhere: Page) -> None:
    victim = browser.new_context()
    victim.add_cookies([hall.cookie(hall.one(Role.ADMINISTRATOR))])  # type: ignore[list-item]
    page = victim.new_page()
    # 127.0.0.1 on another port is the same site to a browser: the cookie goes along, and still nothing happens.
    page.goto(
        elsewhere(
            f'<form method="post" action="{hall.city.url}/console/people"><input name="name" value="偽 太郎">'
            '<input name="role" value="approver"><input name="login" value="nise"><button>懸賞に応募</button></form>'
        )
    )
    with page.expect_response(f"{hall.city.url}/console/people") as answer:
        page.get_by_role("button").click()
    assert COOKIE in answer.value.request.all_headers().get("cookie", "")
    assert answer.value.status == 400
    assert "別のサイトから" in page.locator("body").inner_text()
    page.goto(f"{hall.city.url}/console/people")
    assert "偽 太郎" not in page.locator("body").inner_text()
    victim.close()


@pytest.mark.parametrize("target", ["//evil.example/console/", "/\\evil.example"])
def test_signing_in_never_leads_to_another_site(hall: Hall, comes: Comes, target: str) -> None:
    person = hall.employ(Role.READER)
    officer = comes()
    officer.page.goto(f"/console/sign-in?next={target}")
    officer.sign_in(person)
    assert officer.page.url == f"{hall.city.url}/console/"
    officer.open(f"/console/language/en?next={target}")
    assert officer.page.url == f"{hall.city.url}/console/"


def test_a_planted_cookie_signs_nobody_in(hall: Hall, comes: Comes) -> None:
    attacker, victim = comes(), comes()
    attacker.open("/console/sign-in")
    (planted,) = [one for one in attacker.context.cookies() if one["name"] == COOKIE]
    victim.context.add_cookies([planted])  # type: ignore[list-item]
    victim.open("/console/sign-in")
    victim.sign_in(hall.employ(Role.DUTY_OFFICER))
    assert victim.path == "/console/"
    (after,) = [one for one in victim.context.cookies() if one["name"] == COOKIE]
    assert after["value"] != planted["value"]
    attacker.open("/console/")
    assert attacker.path == "/console/sign-in"
    # Scripts of a page never see it.
    assert f"{COOKIE}=" not in victim.page.evaluate("document.cookie")
