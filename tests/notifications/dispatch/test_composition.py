"""Composing a push: the fullest form first, then less, where to go last."""

from __future__ import annotations

import json

import pytest

from notifications.channels.promise import PayloadError, Urgency
from notifications.dispatch import composition
from notifications.dispatch.groups import Group
from notifications.messages import Message
from tests.notifications.builders import HOUR, NOW

NEAR = [
    {"id": n, "name": f"避難所{n}", "lat": 38.2, "lon": 140.9, "status": "open"} | ({"about_m": 500} if n == 1 else {})
    for n in (1, 2, 3)
]
HULL = {"type": "Polygon", "coordinates": [[[140.93, 38.23], [140.94, 38.23], [140.94, 38.2412345], [140.93, 38.23]]]}


def _message(body="避難してください。", **changes):
    plain = {
        "public_id": "m" * 22, "thread": "t" * 22, "kind": "alert", "drill": False, "level": 4, "hazard": "flood",
        "texts": {"ja": {"title": "避難指示", "body": body}}, "link": "https://x/1", "reason": "alert:1", "hull": HULL,
        "not_before": NOW, "expires_at": NOW + 6 * HOUR,
    }  # fmt: skip
    return Message(**(plain | changes))


def _group(near=NEAR, **changes):
    return Group(**({"language": "ja", "platform": "ios", "place": "home", "shelters": near} | changes))


def _forms(message, group):
    return list(composition.variants(message, group, NOW))


def test_the_fullest_form_carries_everything():
    push = _forms(_message(), _group())[0]
    assert (push.title, push.language, push.platform, push.drill) == ("避難指示", "ja", "ios", False)
    assert push.body.startswith("避難してください。\n")
    assert all(site["name"] in push.body for site in NEAR)
    assert json.loads(push.data["shelters"]) == NEAR
    assert json.loads(push.data["area"]) == [[[38.23, 140.93], [38.23, 140.94], [38.24123, 140.94], [38.23, 140.93]]]
    assert {name: push.data[name] for name in ("level", "hazard", "reason")} == {
        "level": "4", "hazard": "flood", "reason": "alert:1 place:home",
    }  # fmt: skip
    assert push.expires_at == NOW + 6 * HOUR


def test_what_is_left_out_goes_in_order_and_the_nearest_shelter_stays():
    forms = _forms(_message("長い文。" * 100), _group())
    assert ["area" in push.data for push in forms] == [True, False, False, False, False]
    assert [len(json.loads(push.data["shelters"])) for push in forms] == [3, 3, 2, 1, 1]
    assert all("避難所1" in push.body for push in forms)
    assert len(forms[-1].body) < len(forms[-2].body)
    assert "…\n" in forms[-1].body


def test_a_short_text_without_shelters_has_one_form():
    assert len(_forms(_message(hull=None), _group(near=None, place=None))) == 1


def test_no_suitable_shelter_is_said_with_what_to_do_instead():
    push = _forms(_message(), _group(near=[]))[0]
    assert push.data["shelters"] == "[]"
    assert len(push.body.splitlines()) == 2


def test_a_notice_speaks_of_no_shelter_and_no_area():
    push = _forms(_message(kind="notice", level=None, hazard=None, hull=None), _group(near=None, place=None))[0]
    assert "shelters" not in push.data
    assert "area" not in push.data
    assert (push.body, push.data["level"], push.data["reason"]) == ("避難してください。", "", "alert:1")


@pytest.mark.parametrize("drill", [False, True])
def test_a_drill_is_never_critical(drill):
    push = _forms(_message(level=5, drill=drill), _group())[0]
    assert (push.urgency is Urgency.CRITICAL) != drill
    assert push.drill is drill


def test_the_first_form_that_fits_is_taken_and_none_is_an_error():
    class Small:
        def __init__(self, most):
            self.most = most

        def encode(self, push, now):
            if len(push.body) + len(push.data.get("area", "")) + len(push.data["shelters"]) > self.most:
                raise PayloadError("too large")
            return push.data["shelters"].encode()

    message, group = _message("長い文。" * 100), _group()
    assert json.loads(composition.encode(Small(10_000), message, group, NOW)) == NEAR
    assert json.loads(composition.encode(Small(450), message, group, NOW)) == NEAR[:1]
    with pytest.raises(PayloadError, match="too large"):
        composition.encode(Small(10), message, group, NOW)


def test_a_hull_of_several_parts_is_drawn_in_several_rings():
    hull = {"type": "MultiPolygon", "coordinates": [HULL["coordinates"], HULL["coordinates"]]}
    assert len(json.loads(composition.outline(_message(hull=hull)))) == 2
    assert composition.outline(_message(hull=None)) is None
