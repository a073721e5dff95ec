"""The console's door: every page names what its reader must be permitted to; others' forms and frames stay outside."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import sqlalchemy as sa
from flask import Flask, Response, current_app, flash, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.sessions import NullSession
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError, generate_csrf
from markupsafe import Markup
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException

from backend import clock
from backend.config import settings
from backend.console import refusals, steps, way_back
from backend.console.assets import Desk
from backend.console.cookies import csrf
from backend.console.language import mark, say
from backend.errors import Problem
from backend.transaction import session
from content import editors, sign_ins
from content.sign_ins import SignIn
from database import db, transaction, unreachable
from notifications import reviews

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
Method = str

# No inline script or style, nothing from elsewhere, in nobody's frame.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TOUCHED_EVERY = dt.timedelta(minutes=1)

desk = Desk("console", __name__, url_prefix="/console", template_folder="templates", static_folder="static")


def page(
    rule: str, *actions: str, post: bool = False, name: str | None = None, keeps: bool = False, large: int = 0
) -> Callable[[View], View]:
    """Adds a page for people whose role permits every one of `actions`; the view finds the person in `g.editor`.

    `post`: it takes a form, and nothing else. `keeps`: what was written outlives the sign-in and is sent after the
    next one; never for an approval, which is of what somebody has just seen. `large`: bytes that a form with files
    may have, from people who are signed in. Without actions the page is for everybody who is signed in.
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> ResponseReturnValue:
            found = signed_in()
            if found is None:
                return _ask_to_sign_in(keeps)
            if not found.complete:
                return redirect(url_for("console.second_factor_page"), 303)
            g.editor, g.sign_in = found.editor, found
            for action in actions:
                if not editors.may(found.editor, action):
                    return refusal(403, refusals.of_status(403))
            # They stand on every page of those who may sign them, until somebody did.
            g.reviews = reviews.waiting(session()) if may("approve") else ()
            return view(*args, **kwargs)

        marked: Any = guarded
        marked._actions = frozenset(actions)  # the tests look for it at every route
        marked._large = large
        desk.add_url_rule(rule, name or view.__name__, marked, methods=["POST" if post else "GET"])
        return view

    return decorator


def open_page(rule: str, *, post: bool = False) -> Callable[[View], View]:
    """Adds a page for people who are not signed in."""

    def decorator(view: View) -> View:
        desk.add_url_rule(rule, view.__name__, view, methods=["POST" if post else "GET"])
        return view

    return decorator


def signed_in() -> SignIn | None:
    """The sign-in of this browser, half ones too; None when there is none that holds."""
    return _sign_in(session())


def _is_known() -> bool:
    """Whether somebody is signed in, asked before the view's own transaction."""
    with transaction(db.engine, "read") as own:
        return _sign_in(own) is not None


def _sign_in(session: Session) -> SignIn | None:
    token = cookie.get("sign_in")
    if not isinstance(token, str):
        return None
    limits = settings()
    idle, longest = dt.timedelta(minutes=limits.console_idle_minutes), dt.timedelta(hours=limits.console_hours)
    return sign_ins.find(session, token, clock.now(), idle=idle, longest=longest)


def let_in(token: str) -> None:
    """Gives the browser the token of a new sign-in and forgets whatever it brought: nobody can plant one."""
    language_free = {"sign_in": token}
    cookie.clear()
    cookie.update(language_free)


def safe_next(target: str | None) -> str:
    """Where to go after signing in: an address of this console, or its first page for anything else."""
    first = url_for("console.dashboard")
    if not target or len(target) > 500 or not target.isascii() or not target.isprintable() or "\\" in target:
        return first
    parts = urlsplit(target)
    inside = not parts.scheme and not parts.netloc and parts.path.startswith("/console/")
    return target if inside and "//" not in parts.path and ".." not in parts.path else first


def may(action: str) -> bool:
    """Whether the reader's role permits an action: for links that would lead to a refusal."""
    return "editor" in g and editors.may(g.editor, action)


def tell(words: str, kind: str = "done") -> None:
    """A line at the top of the next page; `kind` is done or warning."""
    flash(words, kind)


def refusal(status: int, words: str, **more: Any) -> Response:
    """A page that says why not, with the way back to what a form was about."""
    back = way_back.page_above(request.path) if request.method == "POST" else None
    return Response(render_template("console/refused.html", status=status, words=words, back=back, **more), status)


def _ask_to_sign_in(keeps: bool) -> ResponseReturnValue:
    """The way to the sign-in; what was typed into a form goes along and comes back (console.entry)."""
    if request.method == "GET":
        return redirect(url_for("console.sign_in", next=request.full_path.rstrip("?")), 303)
    typed = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    if not (keeps and typed):
        return redirect(url_for("console.sign_in"), 303)
    kept = {"path": request.path, "typed": urlencode(typed)}
    return Response(render_template("console/sign_in.html", wrong="", onward="", login="", kept=kept), 403)


@desk.before_request
def check_the_form() -> ResponseReturnValue | None:
    """Refuses forms that other sites sent, and everything until somebody was invited."""
    if request.endpoint == "console.static":
        return None
    if isinstance(cookie._get_current_object(), NullSession):  # type: ignore[attr-defined]
        return Response(render_template("console/nobody.html"), 503, {"Retry-After": "10"})
    if request.method not in ("GET", "HEAD", "OPTIONS"):
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            return refusal(400, say(FORM_OLD))
        large = getattr(current_app.view_functions.get(request.endpoint or ""), "_large", 0)
        if large and _is_known():  # strangers send nothing large
            request.max_content_length = max(large, request.max_content_length or 0)
        csrf.protect()
    return None


# What each role is for, in a line.
ROLES = {
    "reader": mark("見るだけ"),
    "author": mark("起案と提出、避難所の状況の入力"),
    "approver": mark("起案と、ほかの人の起案の承認"),
    "duty_officer": mark("承認者にできること、データの取り込み、配信の調査"),
    "administrator": mark("人の管理、データの取り込み、記録の閲覧。起案も承認もしない"),
    "auditor": mark("記録の閲覧と配信の調査。何も変えない"),
}
# Names of the roles, for the catalogue.
ROLE_NAMES = (
    mark("閲覧者"), mark("起案者"), mark("承認者"), mark("当直責任者"), mark("管理者"), mark("監査担当"), mark("機械"),
)  # fmt: skip
FORM_OLD = mark(
    "この画面は古くなったか、別のサイトから送られました。何も変わっていません。前の画面を開き直してください。"
)


@desk.after_request
def guard(response: Response) -> Response:
    """Headers of the console's pages; backend.headers adds what every answer has."""
    headers = response.headers
    # The host of map tiles, on a page that has a map (console.maps).
    pictures = f"img-src 'self' data: {g.pictures_from}" if "pictures_from" in g else "img-src 'self' data:"
    headers["Content-Security-Policy"] = POLICY.replace("img-src 'self' data:", pictures)
    headers["Referrer-Policy"] = "same-origin"  # with none at all browsers say `Origin: null` of our own forms
    headers["Cross-Origin-Opener-Policy"] = headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
    _touch(response)
    return response


def _touch(response: Response) -> None:
    """Writes down after the answer, at most once a minute, that the browser was heard of."""
    found: SignIn | None = g.get("sign_in")
    now = clock.now()
    if found is None or found.ended_at is not None or now - found.seen_at < TOUCHED_EVERY:
        return
    engine, sign_in_id = db.engine, found.id

    def write() -> None:
        with transaction(engine) as own:
            sign_ins.touch(own, sign_in_id, now)

    response.call_on_close(write)


# The items on top of every page: where they lead, what they are called, what a reader needs, values of the address.
# What is wanted at night comes first. Add a line when yours lands.
NAV: list[tuple[str, str, str, dict[str, str]]] = [
    ("console.dashboard", mark("いま"), "", {}),
    ("console.alerts", mark("避難情報"), "read", {}),
    ("console.drills", mark("訓練"), "read", {}),
    ("console.shelters", mark("避難所"), "read", {}),
    ("console.notices", mark("お知らせ"), "read", {}),
    ("console.messages", mark("台帳"), "read", {}),
    ("console.incidents_page", mark("障害"), "read", {}),
    ("console.events", mark("イベント"), "read", {}),
    ("console.topics", mark("話題"), "read", {}),
    ("console.garbage", mark("ごみ"), "read", {}),
    ("console.childcare", mark("子育て"), "read", {}),
    ("console.areas", mark("市の区域"), "read", {}),
    ("console.imports", mark("取り込み"), "import", {}),
    ("console.people", mark("人"), "staff", {}),
    ("console.journal_page", mark("記録"), "journal", {}),
]


def register(app: Flask) -> None:
    """Gives the templates what they ask of the reader."""
    city = app.extensions["yobikake.settings"].city_name
    app.jinja_env.globals.update(console_step=steps.word)
    app.jinja_env.globals.update(console_may=may, console_nav=NAV, console_city=city, console_roles=ROLES, token=_token)


def _token() -> Markup:
    """The hidden field that every form of the console needs."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


@desk.errorhandler(CSRFError)
def _forged(_error: CSRFError) -> Response:
    return refusal(400, say(FORM_OLD))


@desk.errorhandler(Problem)
def _problem(problem: Problem) -> Response:
    response = refusal(problem.status, refusals.of_status(problem.status), detail=problem.detail)
    response.headers.update(problem.headers)
    return response


@desk.errorhandler(HTTPException)
def _http(error: HTTPException) -> Response | HTTPException:
    if error.response is not None or error.code is None or error.code < 400:
        return error
    return refusal(error.code, refusals.of_status(error.code))


@desk.errorhandler(sa.exc.SQLAlchemyError)
def _database(error: sa.exc.SQLAlchemyError) -> Response:
    if not unreachable(error):
        raise error
    return refusal(503, refusals.of_status(503))


def _refused(error: Exception) -> Response:
    return refusal(refusals.status_of(error), refusals.headline(error), reasons=refusals.reasons(error))


for _kind in refusals.KINDS:
    desk.register_error_handler(_kind, _refused)


@desk.route("/<path:_anything>")
def lost(_anything: str) -> Response:
    """Any other address below the console."""
    return refusal(404, refusals.of_status(404))


lost._actions = frozenset()  # type: ignore[attr-defined]
