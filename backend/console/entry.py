"""Coming in and going out: sign-in, the one-time link, the second factor, the language."""

from __future__ import annotations

import datetime as dt
from urllib.parse import parse_qsl

import segno
from flask import Response, make_response, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from backend import clock, journaling, limits
from backend.config import settings
from backend.console import door, refusals
from backend.console.cookies import ROOT
from backend.console.door import open_page, page
from backend.console.language import COOKIE, LANGUAGES, mark, say
from backend.transaction import session
from content import accounts, known_browsers, second_factor, sign_ins
from content.accounts import Account, Verdict
from content.editors import EditorError
from content.sign_ins import Means, SignIn
from database import db, transaction

KNOWN = "yobikake_known"
_LANGUAGE_LASTS = dt.timedelta(days=365)
_WORDS = {
    Verdict.REFUSED: mark(
        "職員ID、パスワード、確認コードのどれかが違います。確認コードは30秒ごとに変わり、一度しか使えません。"
    ),
    Verdict.LOCKED: mark(
        "何度も間違えたため、しばらくサインインできません。15分ほど待つか、管理者に新しいリンクを頼んでください。"
    ),
}


@open_page("/sign-in")
def sign_in() -> ResponseReturnValue:
    """The form."""
    return _form()


@open_page("/sign-in", post=True)
@limits.sign_ins
def try_to_sign_in() -> ResponseReturnValue:
    """Looks at all three answers together: nobody learns which one was wrong."""
    login, code = request.form.get("login", ""), request.form.get("code", "")
    # The slow comparison runs before this request takes SQLite's one writer.
    with transaction(db.engine, "read") as own:
        known = accounts.by_login(own, login)
        right = accounts.password_is(known, request.form.get("password", ""))
    account = session().get(Account, known.editor_id) if known is not None else None
    if account is None:
        journaling.nothing()
        return _form(say(_WORDS[Verdict.REFUSED]))
    verdict = accounts.admit(
        session(), account, password_right=right, code=code, now=clock.now(), browser=request.cookies.get(KNOWN)
    )
    match verdict:
        case Verdict.IN:
            journaling.note(account.login, action="sign_in", actor=account.editor)
            _begin(account, Means.PASSWORD_AND_CODE)
            return _known(account, _go_on())
        case Verdict.SET_UP:
            journaling.note(account.login, action="sign_in.password_only", actor=account.editor)
            _begin(account, Means.PASSWORD)
            return redirect(url_for("console.second_factor_page"), 303)
        case Verdict.LOCKED:
            journaling.nothing()
        case Verdict.REFUSED:
            journaling.note(account.login, action="sign_in.refused", failures=account.failures)
    return _form(say(_WORDS[verdict]))


@page("/sign-out", post=True)
def sign_out() -> ResponseReturnValue:
    """Ends this browser's sign-in."""
    found = door.signed_in()
    if found is not None:
        sign_ins.end(session(), found.editor, clock.now(), only=found.id)
        found.ended_at = clock.now()
    cookie.clear()
    return redirect(url_for("console.sign_in"), 303)


@open_page("/welcome/<token>")
def welcome(token: str) -> ResponseReturnValue:
    """The one-time link: looking at it uses nothing up."""
    return _welcome(accounts.invited(session(), token, clock.now()))


@open_page("/welcome/<token>", post=True)
@limits.sign_ins
def set_password(token: str) -> ResponseReturnValue:
    """Uses the link up and goes on to the second factor."""
    password, again = request.form.get("password", ""), request.form.get("again", "")
    known = accounts.invited(session(), token, clock.now())
    if known is None:
        journaling.nothing()
        return _welcome(None)
    if password != again:
        journaling.nothing()
        return _welcome(known, [say("二つのパスワードが違います。")])
    try:
        account = accounts.accept(session(), token, password, clock.now())
    except EditorError as error:
        journaling.nothing()
        return _welcome(known, [words for _, words in refusals.reasons(error)])
    if account is None:
        journaling.nothing()
        return _welcome(None)
    journaling.note(account.login, action="password.set", actor=account.editor)
    _begin(account, Means.PASSWORD)
    return redirect(url_for("console.second_factor_page"), 303)


@open_page("/second-factor")
def second_factor_page() -> ResponseReturnValue:
    """The QR code for an authenticator app."""
    found = door.signed_in()
    if found is None or found.complete:
        return redirect(url_for("console.dashboard"), 303)
    return _second_factor(found)


@open_page("/second-factor", post=True)
@limits.sign_ins
def confirm_second_factor() -> ResponseReturnValue:
    """The first code confirms that the app is set up; the person is then signed in."""
    found = door.signed_in()
    if found is None or found.complete:
        journaling.nothing()
        return redirect(url_for("console.dashboard"), 303)
    account, now = session().get_one(Account, found.editor_id), clock.now()
    if account.locked_until is not None and now < account.locked_until:
        journaling.nothing()
        return _second_factor(found, say(_WORDS[Verdict.LOCKED]))
    fresh = account.totp_confirmed_at is None
    if not fresh or not accounts.confirm_code(session(), account, request.form.get("code", ""), now):
        accounts.wrong_code(session(), account, now)
        journaling.note(account.login, action="second_factor.refused", failures=account.failures)
        return _second_factor(found, say("確認コードが違います。アプリに表示されている新しい6桁を入れてください。"))
    journaling.note(account.login, action="second_factor.set_up", actor=account.editor)
    sign_ins.end(session(), account.editor, now, only=found.id)
    _begin(account, Means.PASSWORD_AND_CODE)
    door.tell(say("サインインの準備ができました。次からは、職員ID・パスワード・確認コードで入れます。"))
    return _known(account, redirect(url_for("console.dashboard"), 303))


@open_page("/language/<language>")
def choose_language(language: str) -> ResponseReturnValue:
    """Keeps the language in the browser and goes back."""
    response = redirect(door.safe_next(request.args.get("next")), 303)
    if language in LANGUAGES:
        secure = settings().public_url.startswith("https:")
        response.set_cookie(
            COOKIE, language, _LANGUAGE_LASTS, path="/console", secure=secure, httponly=True, samesite="Lax"
        )
    return response


def _known(account: Account, answer: ResponseReturnValue) -> Response:
    """The answer with a new token of this browser: whoever guesses elsewhere does not lock it out."""
    response = make_response(answer)
    token = known_browsers.know(session(), request.cookies.get(KNOWN), account.editor, clock.now())
    secure = settings().public_url.startswith("https:")
    response.set_cookie(KNOWN, token, known_browsers.LASTS, path=ROOT, secure=secure, httponly=True, samesite="Strict")
    return response


def _begin(account: Account, means: Means) -> None:
    door.let_in(sign_ins.begin(session(), account.editor, means, clock.now()))


def _go_on() -> ResponseReturnValue:
    """To the page that was asked for, or back to the form that was sent when the sign-in was over already."""
    kept = _kept()
    if kept is None:
        return redirect(door.safe_next(request.form.get("next")), 303)
    typed = parse_qsl(kept["typed"], keep_blank_values=True)
    return render_template("console/resume.html", path=kept["path"], typed=typed)


def _kept() -> dict[str, str] | None:
    path = request.form.get("kept_path", "")
    inside = path and door.safe_next(path) == path
    return {"path": path, "typed": request.form.get("kept_typed", "")} if inside else None


def _form(wrong: str = "") -> str:
    onward = request.values.get("next", "")
    login = request.form.get("login", "")[:64]
    return render_template("console/sign_in.html", wrong=wrong, onward=onward, login=login, kept=_kept())


def _welcome(account: Account | None, wrong: list[str] | None = None) -> ResponseReturnValue:
    if account is None:
        return door.refusal(
            404,
            say(
                "このリンクは使えません。一度使ったか、期限を過ぎたか、新しいリンクが作られています。管理者に新しいリンクを頼んでください。"
            ),
        )
    return render_template("console/welcome.html", account=account, wrong=wrong or [])


def _second_factor(found: SignIn, wrong: str = "") -> Response | str:
    account = session().get_one(Account, found.editor_id)
    if account.totp_secret is None or account.totp_confirmed_at is not None:
        return door.refusal(409, say("二つ目の鍵は、もう設定されています。サインインし直してください。"))
    address = second_factor.address(account.totp_secret, account.login, settings().city_name)
    code = segno.make(address, error="m").svg_inline(scale=5, border=4, omitsize=False)
    secret = " ".join(account.totp_secret[at : at + 4] for at in range(0, len(account.totp_secret), 4))
    return render_template(
        "console/second_factor.html",
        qr=Markup(code),  # noqa: S704 - drawn by segno from an address that it encodes
        secret=secret,
        account=account,
        wrong=wrong,
    )
