"""City hall on an evening: people of every role who are signed in, made once for a module."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import argon2
import pytest
from flask import Flask
from sqlalchemy.engine import Engine

from backend.cli import seed
from backend.config import Settings
from content import accounts, editors, sign_ins, signing
from content.editors import Role
from content.sign_ins import Means
from database import db, transaction
from tests.backend.conftest import Clock, opened
from tests.backend.console.browser import Browser
from tests.conftest import Store

NOON = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
PASSWORD = "広瀬川 2026 の水位"


class Hall:
    """The sample city's console."""

    def __init__(self, app: Flask, clock: Clock) -> None:
        self.app, self.clock = app, clock

    def stranger(self) -> Browser:
        """A browser in which nobody is signed in."""
        return Browser(self.app.test_client())

    def browser(self, login: str) -> Browser:
        """A browser in which a person is signed in, as if by password and code."""
        browser = self.stranger()
        with self.app.app_context(), transaction(db.engine) as session:
            account = accounts.by_login(session, login)
            assert account is not None
            token = sign_ins.begin(session, account.editor, Means.PASSWORD_AND_CODE, self.clock())
        browser.client.get("/console/sign-in")
        with browser.client.session_transaction("/console/") as cookie:
            cookie["sign_in"] = token
        browser.open("/console/")
        return browser


@pytest.fixture(scope="module")
def built(sqlite_store: Store) -> Iterator[Hall]:
    clock = Clock()
    clock.moment = NOON
    kept = accounts.hasher
    accounts.hasher = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    for app in opened(Settings(database_url=sqlite_store.filled(people)[0]), clock):
        yield Hall(app, clock)
    accounts.hasher = kept


def people(engine: Engine) -> None:
    """The sample city and a person of every role."""
    with transaction(engine) as session:
        seed.plant(session, NOON)
        signing.ensure(session)
        for role in Role:
            if role is not Role.MACHINE:
                person = editors.add(session, f"{role.ja} 一号", role, NOON)[0]
                link = accounts.invite(session, person, role.value, NOON)
                account = accounts.accept(session, link, PASSWORD, NOON)
                assert account is not None
                account.totp_confirmed_at = NOON


@pytest.fixture
def hall(built: Hall) -> Hall:
    built.clock.moment = NOON
    return built
