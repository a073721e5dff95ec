"""A newcomer without a phone gets in: the digits are an authenticator app's, and nothing is looked up."""

from __future__ import annotations

import datetime as dt

import pytest
from click.testing import CliRunner

from backend import clock
from backend.cli import authenticator
from content import second_factor

NOW = dt.datetime(2026, 11, 21, 3, 0, 10, tzinfo=dt.UTC)


def test_the_digits_are_those_of_an_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "utc_now", lambda: NOW)
    secret = second_factor.new_secret()
    spaced = " ".join((secret[:4].lower(), secret[4:]))
    for call in ({"args": [spaced]}, {"args": [], "input": f"{secret}\n"}):
        said = CliRunner().invoke(authenticator.command, **call)
        assert said.exit_code == 0
        digits = said.output.replace("Key:", "").split()[0]
        assert second_factor.step_of(secret, digits, NOW, 0) is not None
        assert "20 more seconds" in said.output


@pytest.mark.parametrize("key", ["", "123456", "あ" * 20, "A" * 15])
def test_what_is_no_key_is_said_to_be_none(key: str) -> None:
    said = CliRunner().invoke(authenticator.command, [key])
    assert said.exit_code == 1
    assert "no key" in said.output
