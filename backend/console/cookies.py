"""The console's one cookie: signed, for /console only; in it the sign-in's token and the secret of its forms."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_wtf.csrf import CSRFProtect

import database
from backend.headers import is_below
from content import signing
from database import db

NAME = "yobikake_console"
ROOT = "/console"

# Checked by `backend.console.door` for every form; the API has bearer keys and no cookies.
csrf = CSRFProtect()


class Cookies(SecureCookieSessionInterface):
    """Flask's signed cookie with the secret that the database keeps; other addresses than the console's have none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session of this browser; None (no session at all) until somebody was invited."""
        if not is_below(request.path, (ROOT,)) or is_below(request.path, (f"{ROOT}/static",)):
            return None
        if not app.secret_key:
            app.secret_key = _read(app)
        return super().open_session(app, request)


def register(app: Flask) -> None:
    """Sets the cookie's name, its path and who may read it."""
    settings = app.extensions["yobikake.settings"]
    app.session_interface = Cookies()
    app.config.update(
        SESSION_COOKIE_NAME=NAME,
        SESSION_COOKIE_PATH=ROOT,
        SESSION_COOKIE_HTTPONLY=True,
        # Lax, not Strict: a link in a mail to an approver must not look signed out.
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https:"),
        WTF_CSRF_CHECK_DEFAULT=False,
        # A form lives as long as its sign-in. Where it comes from is checked by Sec-Fetch-Site (door), since
        # the address a proxy passes on need not be the one the browser knows.
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
    )
    csrf.init_app(app)


def _read(app: Flask) -> str | None:
    try:
        with database.transaction(db.engine, "read") as session:
            return signing.secret(session)
    except sa.exc.SQLAlchemyError as error:
        app.logger.warning("the console's secret cannot be read", exc_info=error)
        return None
