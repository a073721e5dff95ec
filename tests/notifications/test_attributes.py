"""Devices by what they told of themselves: listed once, in windows, as they are counted."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from notifications import attributes, audiences, children, devices, garbage_days, told
from notifications.attributes import Lookup
from notifications.audiences import Audience, Reminded
from notifications.children import Family
from notifications.garbage_days import GarbageWish, WishRefused
from notifications.places import PlaceName
from tests.notifications.builders import NOW, make_device, make_message, make_phones, plan
from tests.notifications.reminders.streets import make_category, make_garbage_area

TODAY = dt.date(2026, 11, 21)
SEVEN, HALF_PAST_SIX = 19 * 60, 6 * 60 + 30


def listed(session, audience):
    return [one for known in audiences.recipients(session, audience, NOW) for one in known]


def test_families_are_found_by_the_months_in_which_children_were_born(session):
    born = {"2022-03": 1, "2023-04": 2, "2024-12": 1, "2025-01": 1}
    people = {month: [make_device(session) for _ in range(many)] for month, many in born.items()}
    for month, some in people.items():
        for device in some:
            children.put(session, device.id, Family((month,)), TODAY)
    children.put(session, people["2023-04"][0].id, Family(("2023-04", "2024-12", "2020-01")), TODAY)
    make_device(session)
    audience = Audience(born=("2023-04", "2024-12"))
    expected = [device.id for month in ("2023-04", "2024-12") for device in people[month]]
    assert [one.device_id for one in listed(session, audience)] == sorted(expected)
    assert audiences.count(session, audience, NOW).devices == 3
    message = make_message(session, audience)
    assert Audience.from_json(message.audience) == audience
    assert plan(session) == 3
    assert list(told.everybody(session, message.id)) == sorted(expected)


def test_ages_topics_and_areas_together_tell_each_phone_once(session):
    device, other = make_device(session), make_device(session)
    area = make_garbage_area(session)
    children.put(session, device.id, Family(("2023-04",)), TODAY)
    garbage_days.put(session, device.id, [GarbageWish(area, evening=SEVEN, morning=HALF_PAST_SIX)])
    garbage_days.put(session, other.id, [GarbageWish(area, PlaceName.FAMILY)])
    audience = Audience(born=("2023-01", "2023-12"), garbage_area_ids=(area,))
    found = {one.device_id: one.place for one in listed(session, audience)}
    assert found == {device.id: None, other.id: "family"}
    assert audiences.count(session, audience, NOW).devices == 2


def test_an_hour_finds_those_who_asked_for_it_with_the_name_of_the_area(session):
    kita, minami = make_garbage_area(session, "北"), make_garbage_area(session, "南")
    paper = make_category(session, "紙")
    make_category(session, "びん")
    both, all_kinds, late, none = (make_device(session) for _ in range(4))
    garbage_days.put(
        session, both.id,
        [
            GarbageWish(minami, PlaceName.FAMILY, SEVEN, None, frozenset({paper})),
            GarbageWish(kita, PlaceName.HOME, SEVEN, None, frozenset({paper})),
        ],
    )  # fmt: skip
    garbage_days.put(session, all_kinds.id, [GarbageWish(kita, PlaceName.WORK, SEVEN, HALF_PAST_SIX)])
    garbage_days.put(session, late.id, [GarbageWish(kita, evening=SEVEN + 30)])
    garbage_days.put(session, none.id, [GarbageWish(kita)])
    assert garbage_days.asked_for(session, SEVEN - 1440) == [
        (kita, ""), (kita, str(paper)), (minami, str(paper))
    ]  # fmt: skip
    papers = Reminded(SEVEN - 1440, ((str(paper), (kita, minami)),))
    assert [(one.device_id, one.place) for one in listed(session, Audience(reminded=papers))] == [(both.id, "home")]
    everything = Reminded(SEVEN - 1440, (("", (kita, minami)), (str(paper), (minami,))))
    assert [(one.device_id, one.place) for one in listed(session, Audience(reminded=everything))] == [
        (both.id, "family"), (all_kinds.id, "work")
    ]  # fmt: skip
    assert [one.device_id for one in listed(session, Audience(reminded=Reminded(HALF_PAST_SIX, (("", (kita,)),))))] == [
        all_kinds.id
    ]
    whatever_hour = Reminded(None, (("", (kita,)),))
    assert {one.device_id for one in listed(session, Audience(reminded=whatever_hour))} == {
        all_kinds.id, late.id, none.id
    }  # fmt: skip
    before = make_message(session, Audience(device_id=late.id))
    plan(session)
    among = Reminded(None, (("", (kita,)),), among_told=(before.id,))
    without = Reminded(None, (("", (kita,)),), not_told=(before.id,))
    assert [one.device_id for one in listed(session, Audience(reminded=among))] == [late.id]
    assert {one.device_id for one in listed(session, Audience(reminded=without))} == {all_kinds.id, none.id}
    for one in (papers, among, without):
        assert Audience.from_json(Audience(reminded=one).to_json()).reminded == one
    assert garbage_days.of_device(session, both.id)[0].label == PlaceName.HOME
    assert garbage_days.of_device(session, none.id) == [GarbageWish(kita)]


def test_dates_of_children_are_found_by_hour_month_and_area(session):
    here, there, silent = make_device(session), make_device(session), make_device(session)
    children.put(session, here.id, Family(("2026-03",), minute=600), TODAY)
    children.put(session, silent.id, Family(("2026-03",)), TODAY)
    children.put(session, there.id, Family(("2026-03", "2023-11"), minute=630), TODAY)
    assert children.asked_for(session, 600) == [("2026-03", "")]
    assert children.asked_for(session, 630) == [("2023-11", ""), ("2026-03", "")]
    asked = Audience(reminded=Reminded(600, born="2026-03"))
    assert [one.device_id for one in listed(session, asked)] == [here.id]


@pytest.mark.parametrize(
    ("wish", "place"),
    [
        ({"area_id": 99}, "areas[0].area"),
        ({"evening": 1150}, "areas[0].evening"),
        ({"morning": 1440}, "areas[0].morning"),
        ({"label": PlaceName.CURRENT}, "areas[0].label"),
        ({"categories": frozenset({77})}, "areas[0].categories"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_by_its_place(session, wish, place):
    area, device = make_garbage_area(session), make_device(session)
    garbage_days.put(session, device.id, [GarbageWish(area)])
    with pytest.raises(WishRefused) as refused:
        garbage_days.put(session, device.id, [GarbageWish(**({"area_id": area} | wish))])
    assert refused.value.place == place
    assert garbage_days.of_device(session, device.id) == [GarbageWish(area)]


@pytest.mark.parametrize("month", ["2026-13", "03", "2005-01", "2027-12", "2026-3", "２０２６-03"])
def test_a_month_in_which_no_child_of_ours_can_be_born_is_refused(session, month):
    device = make_device(session)
    with pytest.raises(WishRefused) as refused:
        children.put(session, device.id, Family(("2026-03", month)), TODAY)
    assert refused.value.place == "born[1]"


def test_who_leaves_takes_children_and_areas_along(session):
    device, area = make_device(session), make_garbage_area(session)
    children.put(session, device.id, Family(("2026-03",)), TODAY)
    garbage_days.put(session, device.id, [GarbageWish(area, evening=SEVEN)])
    number = device.id
    devices.erase(session, device)
    assert children.of_device(session, number) == Family()
    assert garbage_days.of_device(session, number) == []


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_windows_of_any_size_list_everybody_once(session):
    """However large a chunk is, and however scattered those who are meant, all are listed, each id in order."""
    areas = [make_garbage_area(session, name) for name in ("北", "南")]
    make_phones(session, 400)
    meant = [number for number in range(1, 401) if number % 7 == 0 or 150 < number < 180]
    for number in meant:
        garbage_days.put(session, number, [GarbageWish(area, evening=SEVEN) for area in areas[: 1 + number % 2]])

    keys = tuple((area, "") for area in areas)

    @settings(max_examples=30, deadline=None)
    @given(st.integers(1, 600))
    def check(most):
        since, found = 0, []
        while since is not None:
            ids, _, since = attributes.listed(session, Lookup("garbage_days", keys, SEVEN - 1440), since, most)
            assert len(ids) <= 3 * most or most < 3
            assert np.all(np.diff(ids) >= 0)
            found += ids.tolist()
        assert sorted(set(found)) == meant

    check()
