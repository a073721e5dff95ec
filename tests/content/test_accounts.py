"""A person gets in with a password and a code that is good once; a link works once; guessing is slowed down."""

from __future__ import annotations

import datetime as dt

import argon2
import pyotp
import pytest
from sqlalchemy.orm import Session

from content import accounts, editors, second_factor, sign_ins
from content.accounts import Account, Verdict
from content.editors import EditorError, Role
from content.sign_ins import Means

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
PASSWORD = "広瀬川 2026 の水位"
IDLE, LONGEST = dt.timedelta(hours=1), dt.timedelta(hours=12)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The cost of a hash is argon2's affair; here it would be all of the time."""
    cheap = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(accounts, "hasher", cheap)


@pytest.fixture
def person(session: Session) -> editors.Editor:
    return editors.add(session, "山田花子", Role.DUTY_OFFICER, NOW)[0]


@pytest.fixture
def account(session: Session, person: editors.Editor) -> Account:
    found = accounts.accept(session, accounts.invite(session, person, "s1024", NOW), PASSWORD, NOW)
    assert found is not None
    assert accounts.confirm_code(session, found, code(found, NOW), NOW)
    return found


def code(account: Account, at: dt.datetime) -> str:
    return pyotp.TOTP(account.totp_secret or "").at(at)


def attempt(session: Session, account: Account, password: str, typed: str, at: dt.datetime) -> Verdict:
    right = accounts.password_is(account, password)
    return accounts.admit(session, account, password_right=right, code=typed, now=at)


def test_password_and_a_fresh_code_let_in(session: Session, account: Account) -> None:
    later = NOW + dt.timedelta(minutes=5)
    assert attempt(session, account, PASSWORD, code(account, later), later) is Verdict.IN
    assert (account.password_hash or "").startswith("$argon2id$")
    assert PASSWORD not in (account.password_hash or "")


def test_a_code_is_good_once_even_within_its_half_minute(session: Session, account: Account) -> None:
    later = NOW + dt.timedelta(minutes=5)
    typed = code(account, later)
    assert attempt(session, account, PASSWORD, typed, later) is Verdict.IN
    assert attempt(session, account, PASSWORD, typed, later) is Verdict.REFUSED


@pytest.mark.parametrize(("password", "drift"), [("wrong", 0), (PASSWORD, 90), (PASSWORD, -90), ("", 0)])
def test_a_wrong_password_and_an_old_code_look_alike(
    session: Session, account: Account, password: str, drift: int
) -> None:
    later = NOW + dt.timedelta(minutes=5)
    typed = code(account, later + dt.timedelta(seconds=drift))
    assert attempt(session, account, password, typed, later) is Verdict.REFUSED


def test_a_clock_half_a_minute_off_and_full_width_digits_are_forgiven(session: Session, account: Account) -> None:
    later = NOW + dt.timedelta(minutes=5)
    typed = code(account, later - dt.timedelta(seconds=30)).translate(
        str.maketrans("0123456789", "０１２３４５６７８９")
    )
    assert attempt(session, account, PASSWORD, f" {typed[:3]} {typed[3:]} ", later) is Verdict.IN


def test_guessing_is_slowed_down_and_the_right_password_must_wait_too(session: Session, account: Account) -> None:
    at = NOW + dt.timedelta(minutes=5)
    for _ in range(accounts.FREE_FAILURES):
        assert attempt(session, account, "wrong", "000000", at) is Verdict.REFUSED
    assert attempt(session, account, PASSWORD, code(account, at), at) is Verdict.LOCKED
    at += dt.timedelta(minutes=1)
    assert attempt(session, account, "wrong", "000000", at) is Verdict.REFUSED
    assert attempt(session, account, PASSWORD, code(account, at), at + dt.timedelta(minutes=1)) is Verdict.LOCKED
    at += dt.timedelta(minutes=2)
    assert attempt(session, account, PASSWORD, code(account, at), at) is Verdict.IN
    assert account.failures == 0


def test_a_link_works_once_and_ends_what_was_open(session: Session, person: editors.Editor, account: Account) -> None:
    token = sign_ins.begin(session, person, Means.PASSWORD_AND_CODE, NOW)
    before = account.totp_secret
    link = accounts.invite(session, person, None, NOW)
    assert accounts.accept(session, link, PASSWORD, NOW) is not None
    assert accounts.accept(session, link, PASSWORD, NOW) is None
    session.expire_all()
    assert sign_ins.find(session, token, NOW, idle=IDLE, longest=LONGEST) is None
    assert account.totp_secret != before
    assert attempt(session, account, PASSWORD, "", NOW) is Verdict.SET_UP


def test_a_link_is_over_after_three_days_or_when_a_new_one_is_made(session: Session, person: editors.Editor) -> None:
    old = accounts.invite(session, person, "s1024", NOW)
    new = accounts.invite(session, person, None, NOW)
    assert accounts.invited(session, old, NOW) is None
    assert accounts.invited(session, new, NOW) is not None
    assert accounts.invited(session, new, NOW + accounts.LINK_LASTS) is None
    assert accounts.invited(session, "", NOW) is None
    editors.disable(session, person, NOW)
    assert accounts.invited(session, new, NOW) is None


@pytest.mark.parametrize(
    ("login", "reason"), [("山田", "login has"), ("a", "login has"), ("", "login has"), ("taken", "is taken")]
)
def test_a_login_is_plain_and_ones_own(session: Session, person: editors.Editor, login: str, reason: str) -> None:
    other = editors.add(session, "別人", Role.READER, NOW)[0]
    accounts.invite(session, other, "taken", NOW)
    with pytest.raises(EditorError, match=reason):
        accounts.invite(session, person, login, NOW)


def test_a_machine_gets_no_link(session: Session) -> None:
    robot = editors.add(session, "機械", Role.MACHINE, NOW)[0]
    with pytest.raises(EditorError, match="machine"):
        accounts.invite(session, robot, "robot", NOW)


@pytest.mark.parametrize(
    "password", ["short", "aaaaaaaaaaaaaaaa", "my s1024 password", "x" * 201, "これは山田花子のものだ!"]
)
def test_a_password_that_is_easy_to_guess_is_refused(session: Session, person: editors.Editor, password: str) -> None:
    link = accounts.invite(session, person, "s1024", NOW)
    with pytest.raises(EditorError, match="password"):
        accounts.accept(session, link, password, NOW)
    assert accounts.invited(session, link, NOW) is not None


def test_nobody_gets_in_under_a_login_that_nobody_has(session: Session) -> None:
    assert accounts.by_login(session, "nobody") is None
    assert not accounts.password_is(None, PASSWORD)


def test_a_sign_in_ends_when_idle_when_long_when_told_and_when_the_person_leaves(
    session: Session, person: editors.Editor
) -> None:
    def holds(token: str, after: dt.timedelta) -> bool:
        session.expire_all()
        return sign_ins.find(session, token, NOW + after, idle=IDLE, longest=LONGEST) is not None

    token = sign_ins.begin(session, person, Means.PASSWORD_AND_CODE, NOW)
    assert holds(token, IDLE - dt.timedelta(seconds=1))
    assert not holds(token, IDLE)
    found = sign_ins.of(session, person, NOW, LONGEST)[0]
    for hours in range(1, 13):
        sign_ins.touch(session, found.id, NOW + hours * dt.timedelta(minutes=59))
    assert holds(token, LONGEST - dt.timedelta(minutes=1))
    assert not holds(token, LONGEST)
    assert sign_ins.end(session, person, NOW, only=found.id) == 1
    assert not holds(token, dt.timedelta())
    half = sign_ins.begin(session, person, Means.PASSWORD, NOW)
    assert holds(half, dt.timedelta())
    assert not holds(half, sign_ins.HALF_LASTS)
    editors.disable(session, person, NOW)
    assert not holds(half, dt.timedelta())


def test_every_sign_in_has_a_token_of_its_own(session: Session, person: editors.Editor) -> None:
    tokens = {sign_ins.begin(session, person, Means.PASSWORD_AND_CODE, NOW) for _ in range(5)}
    assert len(tokens) == 5
    assert sign_ins.end(session, person, NOW) == 5


def test_an_authenticator_app_reads_who_and_where(session: Session) -> None:
    address = second_factor.address(second_factor.new_secret(), "s1024", "見本市")
    assert address.startswith("otpauth://totp/")
    assert "s1024" in address
