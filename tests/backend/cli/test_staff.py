"""`yobikake staff`: people are added with a key shown once, listed without it, revoked for good."""

from __future__ import annotations

import json

import pytest

from backend.cli import staff
from content import editors
from content.editors import Role
from database import transaction


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(staff.command, list(words))


def _people(run):
    return json.loads(run("list", "--json").stdout)


def test_a_key_is_printed_once_and_opens_the_door(run, engine):
    added = run("add", "--name", "佐藤 花子", "--role", "author")
    assert added.exit_code == 0, added.output
    key = added.stdout.strip()
    with transaction(engine, "read") as session:
        assert editors.by_key(session, key).name == "佐藤 花子"
    listed = run("list").stdout
    assert "佐藤 花子" in listed
    assert f"…{key[-4:]}" in listed
    assert key not in listed + run("list", "--json").stdout


def test_a_machine_is_a_role_of_its_own(run):
    assert run("add", "--name", "telegrams", "--machine").exit_code == 0
    assert _people(run)[0]["role"] == Role.MACHINE
    assert run("add", "--name", "x", "--machine", "--role", "approver").exit_code == 2
    assert run("add", "--name", "x").exit_code == 2
    assert run("add", "--name", "x", "--role", "mayor").exit_code == 2
    assert len(_people(run)) == 1


def test_a_taken_name_is_refused_with_what_to_do(run):
    run("add", "--name", "A", "--role", "author")
    again = run("add", "--name", "Ａ", "--role", "approver")
    assert again.exit_code == 1
    assert "taken" in again.output
    assert len(_people(run)) == 1


def test_a_lost_key_is_replaced(run, engine):
    lost = run("add", "--name", "A", "--role", "approver").stdout.strip()
    fresh = run("key", "A").stdout.strip()
    with transaction(engine, "read") as session:
        assert editors.by_key(session, lost) is None
        assert editors.by_key(session, fresh).name == "A"
    assert _people(run)[0]["keys"] == [fresh[-4:]]


@pytest.mark.parametrize("who", ["A", "1"])
def test_a_revoked_person_is_named_and_has_no_key(run, engine, who):
    key = run("add", "--name", "A", "--role", "approver").stdout.strip()
    assert "A is disabled" in run("revoke", who).stdout
    with transaction(engine, "read") as session:
        assert editors.by_key(session, key) is None
    assert _people(run)[0]["disabled_at"].endswith("+09:00")
    assert "disabled" in run("list").stdout
    assert run("key", "A").exit_code == 1


@pytest.mark.parametrize("who", ["nobody", "99", "9" * 30, "٣"])
def test_an_unknown_person_is_said(run, who):
    answer = run("revoke", who)
    assert answer.exit_code == 1
    assert "staff list" in answer.output


def test_an_empty_house_says_how_to_begin(run):
    assert "staff add" in run("list").stdout
    assert _people(run) == []
