"""A preview comes from the very functions that send, and writes nothing."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from content.texts import LANGUAGES
from notifications import preview
from notifications.alerts import Act
from notifications.channels.promise import PayloadError
from notifications.dispatch import composition
from notifications.dispatch.batches import Batch
from notifications.dispatch.groups import Group
from notifications.messages import Message
from tests.notifications.builders import (
    HOUR,
    INSIDE,
    NOW,
    PUBLIC_URL,
    approve,
    make_alert,
    make_device,
    make_draft,
    make_site,
    plan,
    submit,
)
from tests.notifications.dispatch.scripted import ScriptedChannel


def _look(session, alert, now=NOW, encode=None):
    encode = encode or (lambda push, now: f"{push.title}|{push.body}".encode())
    return preview.look(session, alert, now, encode, PUBLIC_URL)


def test_what_is_previewed_is_what_is_sent(session, people):
    make_site(session, 38.2430, 140.9370, name="北の高台")
    for language in LANGUAGES:
        make_device(session, INSIDE, language=language)
    make_device(session, INSIDE, token=None, language="vi")
    alert = make_draft(session, people)
    seen = _look(session, alert)
    assert session.scalars(sa.select(Message)).all() == []
    assert (seen.count.devices, seen.count.reachable, seen.count.by_place) == (6, 5, {"home": 6})
    message = approve(session, alert, people.approver, submit(session, alert, people.author))
    assert plan(session) == seen.count.devices
    groups = {group.language: group for group in session.scalars(sa.select(Group))}
    assert {sample.language for sample in seen.samples} == set(groups) == set(LANGUAGES)
    for sample in seen.samples:
        push = next(composition.variants(message, groups[sample.language], NOW))
        assert (sample.title, sample.body) == (push.title, push.body)
        assert sample.shelters == groups[sample.language].shelters
        assert "北の高台" in sample.body


def test_a_language_that_nobody_reads_is_shown_without_a_place(session, people):
    seen = _look(session, make_draft(session, people))
    assert seen.count.devices == 0
    assert {sample.language for sample in seen.samples} == set(LANGUAGES)
    assert all(sample.shelters is None for sample in seen.samples)


def test_a_lifting_names_no_shelter(session, people):
    make_site(session, 38.2430, 140.9370)
    make_device(session, INSIDE)
    live, _ = make_alert(session, people)
    plan(session)
    seen = _look(session, make_draft(session, people, act=Act.CANCEL, follows=live))
    assert seen.count.devices == 1
    assert all(sample.shelters is None for sample in seen.samples)


def test_what_fits_in_no_form_is_said_to(session, people):
    def encode(push, _now):
        if push.language == "ko":
            raise PayloadError("too large")
        return b"x" * 7

    seen = _look(session, make_draft(session, people), encode=encode)
    assert {sample.language: sample.bytes for sample in seen.samples} == dict.fromkeys(LANGUAGES, 7) | {"ko": None}


@pytest.mark.parametrize("late", [6 * HOUR, 100 * HOUR])
def test_what_is_over_is_shown_as_it_was(session, people, late):
    channel = ScriptedChannel()
    alert = make_draft(session, people)
    seen = _look(session, alert, NOW + late, channel.encode)
    assert all(sample.bytes for sample in seen.samples)
    assert session.scalars(sa.select(Batch)).all() == []
