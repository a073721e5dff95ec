"""The README's first minute is what a newcomer is shown."""

from __future__ import annotations

import pytest

from backend.cli import firstminute
from content.editors import Role

KEYS = {Role.AUTHOR: "yks_author", Role.APPROVER: "yks_approver"}


def test_the_commands_come_from_the_readme() -> None:
    commands = firstminute.commands()
    everyday = ("/v1/garbage/areas", "/v1/childcare/timeline", "/v1/devices/me/topics", "/v1/staff/notices")
    for part in ("/v1/shelters/nearest", "/v1/devices", "/submit", "/approve", firstminute.TOKEN, *everyday):
        assert part in commands
    assert "```" not in commands


def test_a_readme_without_them_is_refused() -> None:
    with pytest.raises(ValueError, match="no commands"):
        firstminute.commands("# Yobikake")


def test_the_first_run_shows_ready_commands_with_both_keys() -> None:
    shown = firstminute.welcome("http://127.0.0.1:8010", "http://127.0.0.1:8011", KEYS)
    assert "AUTHOR=yks_author\n" in shown
    assert "APPROVER=yks_approver\n" in shown
    assert "CITY=http://127.0.0.1:8010\n" in shown
    assert firstminute.commands() in shown


def test_a_later_run_says_how_to_get_new_keys() -> None:
    shown = firstminute.welcome("http://127.0.0.1:8000", "http://127.0.0.1:8085", {})
    assert firstminute.RENEW in shown
    assert "yks_author" not in shown


def test_links_into_the_console_are_shown_while_nobody_used_them() -> None:
    city = "http://127.0.0.1:8010"
    links = {Role.AUTHOR: f"{city}/console/welcome/abc", Role.APPROVER: f"{city}/console/welcome/def"}
    shown = firstminute.welcome(city, "http://127.0.0.1:8011", KEYS, links)
    assert all(link in shown for link in links.values())
    assert "yobikake authenticator" in shown
    later = firstminute.welcome(city, "http://127.0.0.1:8011", {}, {})
    assert "/console/welcome/" not in later
    assert "staff invite" in later
