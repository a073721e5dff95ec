"""People, roles and keys."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from content import editors
from content.editors import PERMISSIONS, Action, EditorError, Role, StaffKey, may

NOW = dt.datetime(2026, 11, 21, 6, 0, tzinfo=dt.UTC)


def test_a_key_is_returned_once_and_only_its_hash_is_stored(session):
    editor, key = editors.add(session, "佐藤 花子", Role.AUTHOR, NOW)
    assert key.startswith("yks_")
    assert len(key) == 56
    stored = session.scalars(sa.select(StaffKey)).one()
    assert stored.key_hash == editors.key_hash(key)
    assert key.encode() not in stored.key_hash
    assert stored.last4 == key[-4:]
    assert editors.by_key(session, key) is editor


def test_keys_come_from_the_given_randomness(session):
    _, key = editors.add(session, "A", "author", NOW, random_bytes=lambda n: bytes(n))
    assert key == "yks_" + "a" * 52


@pytest.mark.parametrize("key", ["", "yks_", "yks_" + "a" * 52, "Bearer yks_x", "ＹＫＳ＿", "yks_\x00"])
def test_an_unknown_key_belongs_to_nobody(session, key):
    editors.add(session, "A", Role.AUTHOR, NOW)
    assert editors.by_key(session, key) is None


def test_a_disabled_person_has_no_valid_key_and_may_nothing(session):
    editor, key = editors.add(session, "A", Role.DUTY_OFFICER, NOW)
    editors.disable(session, editor, NOW)
    assert editors.by_key(session, key) is None
    assert not any(may(editor, action) for action in Action)
    later = NOW + dt.timedelta(days=1)
    editors.disable(session, editor, later)
    assert editor.disabled_at == NOW
    with pytest.raises(EditorError, match="disabled"):
        editors.renew_key(session, editor, later)


def test_a_renewed_key_ends_the_lost_one(session):
    editor, lost = editors.add(session, "A", Role.APPROVER, NOW)
    fresh = editors.renew_key(session, editor, NOW)
    assert editors.by_key(session, lost) is None
    assert editors.by_key(session, fresh) is editor
    assert [(key.last4, key.revoked_at) for key in editor.keys] == [(lost[-4:], NOW), (fresh[-4:], None)]


def test_revoking_one_person_leaves_the_others(session):
    first, _ = editors.add(session, "A", Role.AUTHOR, NOW)
    second, key = editors.add(session, "B", Role.AUTHOR, NOW)
    editors.disable(session, first, NOW)
    assert editors.by_key(session, key) is second
    assert [editor.name for editor in editors.everybody(session)] == ["A", "B"]


@pytest.mark.parametrize("again", ["田中 太郎", "田中　太郎", "  田中  太郎 ", "田中 太郎\n"])
def test_one_person_is_not_added_under_two_names(session, again):
    first, _ = editors.add(session, "田中 太郎", Role.AUTHOR, NOW)
    with pytest.raises(EditorError, match="taken"):
        editors.add(session, again, Role.APPROVER, NOW)
    assert editors.by_name(session, again) is first


@pytest.mark.parametrize(
    ("name", "role", "reason"),
    [
        ("", "author", "needs a name"),
        ("　", "author", "needs a name"),
        ("あ" * 101, "author", "at most 100"),
        ("A\x07", "author", "printed"),
        ("A", "mayor", "one of reader, author, approver, duty_officer, administrator, auditor, machine"),
    ],
)
def test_a_person_that_cannot_be_added_is_refused_with_the_reason(session, name, role, reason):
    with pytest.raises(EditorError, match=reason):
        editors.add(session, name, role, NOW)
    assert editors.everybody(session) == []


def test_only_approver_and_duty_officer_approve():
    assert {role for role in Role if Action.APPROVE in PERMISSIONS[role]} == {Role.APPROVER, Role.DUTY_OFFICER}
    assert {role for role in Role if Action.PUBLISH in PERMISSIONS[role]} == {Role.APPROVER, Role.DUTY_OFFICER}


def test_a_machine_only_drafts():
    assert PERMISSIONS[Role.MACHINE] == {Action.DRAFT}


def test_who_hands_out_keys_neither_writes_nor_approves():
    assert [role for role in Role if Action.STAFF in PERMISSIONS[role]] == [Role.ADMINISTRATOR]
    assert not PERMISSIONS[Role.ADMINISTRATOR] & {Action.DRAFT, Action.SUBMIT, Action.APPROVE, Action.PUBLISH}


def test_who_writes_edits_what_rings_nobody_and_who_approves_or_loads_data_what_decides_whom_a_push_reaches():
    def those(action):
        return {role for role in Role if action in PERMISSIONS[role]}

    loads = {Role.DUTY_OFFICER, Role.ADMINISTRATOR}
    assert those(Action.IMPORT) == loads
    assert those(Action.SHAPE) == those(Action.APPROVE) | loads
    assert those(Action.EDIT) == those(Action.SUBMIT) | loads


def test_every_role_has_permissions_and_a_japanese_name():
    assert set(PERMISSIONS) == set(Role)
    assert len({role.ja for role in Role}) == len(Role)


def test_asking_for_an_unknown_action_is_a_mistake_of_the_caller(session):
    editor, _ = editors.add(session, "A", Role.AUTHOR, NOW)
    with pytest.raises(ValueError, match="fly"):
        may(editor, "fly")
