"""The history of edits: what differs is named so that the old state and the changes give the new one."""

from __future__ import annotations

import copy
import datetime as dt
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from content import revisions
from content.revisions import ABSENT, Change
from database import transaction

NOW = dt.datetime(2026, 11, 21, 3, tzinfo=dt.UTC)
NOTICE: dict[str, Any] = {"kind": "notice", "subject": "7", "name": "断水"}

keys = st.text("ab.[]\"'\\ 題", max_size=3)
leaves = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 1.5]) | st.text("ab\n", max_size=3)
values = st.recursive(leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=3))
bodies = st.dictionaries(keys, values, max_size=4)


def applied(before: dict[str, Any], found: list[Change]) -> dict[str, Any]:
    """The old state with the changes made to it, by what `Change` promises about paths."""
    state: Any = copy.deepcopy(before)
    told = [(revisions.parts(change.path), change) for change in found]
    # A path counts in the new list and below items that stayed: take away first, from the end, at the depth where
    # whole items go; then put in from the front; outer lists before what lies in them.
    for depth in range(1, max((len(path) for path, _ in told), default=0) + 1):
        here = [(path, change) for path, change in told if len(path) == depth]
        for path, change in sorted(here, key=lambda one: [isinstance(p, int) and -p for p in one[0][-1:]]):
            if change.after is ABSENT:
                del held(state, path)[path[-1]]
        for path, change in sorted(here, key=lambda one: [isinstance(p, int) and p for p in one[0][-1:]]):
            if change.before is ABSENT and isinstance(path[-1], int):
                held(state, path).insert(path[-1], copy.deepcopy(change.after))
            elif change.after is not ABSENT:
                held(state, path)[path[-1]] = copy.deepcopy(change.after)
    return state  # type: ignore[no-any-return]


def held(state: Any, path: list[str | int]) -> Any:
    for part in path[:-1]:
        state = state[part]
    return state


def same(one: Any, other: Any) -> bool:
    """Equal as JSON is: true is not 1, but 1.0 is."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@given(bodies, bodies)
def test_the_changes_made_to_the_old_state_give_the_new_one(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = revisions.changes(before, after)
    assert same(applied(before, found), after)
    assert bool(found) is not same(before, after)


@given(bodies)
def test_from_nothing_everything_was_added(after: dict[str, Any]) -> None:
    found = revisions.changes(None, after)
    assert [change.before for change in found] == [ABSENT] * len(after)
    assert {str(revisions.parts(change.path)[0]): change.after for change in found} == after


def test_items_that_stayed_are_not_named_when_others_came_before_them() -> None:
    old = {"rules": [{"weekday": "月"}, {"weekday": "木"}], "title": {"ja": "燃えるごみ"}}
    new = {"rules": [{"weekday": "日"}, {"weekday": "月"}, {"weekday": "金"}], "title": {"ja": "燃えるごみ", "en": "B"}}
    assert revisions.changes(old, new) == [
        Change("rules[0]", ABSENT, {"weekday": "日"}),
        Change("rules[2].weekday", "木", "金"),
        Change("title.en", ABSENT, "B"),
    ]


def test_a_path_that_is_none_is_refused() -> None:
    assert revisions.parts('a["b.c"][2].d') == ["a", "b.c", 2, "d"]
    with pytest.raises(ValueError, match="from its character 2 on"):
        revisions.parts("a]")


def test_each_saved_state_is_kept_once_newest_first(session: Session) -> None:
    day = dt.date(2026, 11, 21)
    first = revisions.record(session, NOW, **NOTICE, who="山田", body={"title": {"ja": "断水"}, "day": day})
    again = revisions.record(session, NOW, **NOTICE, who="田中", body={"day": day, "title": {"ja": "断水"}})
    assert (first.id, first.number, first.body["day"]) == (again.id, 1, "2026-11-21")
    revisions.record(session, NOW, **NOTICE, who="田中", body={"title": {"ja": "断水のお知らせ"}, "share": 1.0})
    revisions.record(session, NOW, **NOTICE, who="山田", body={"title": {"ja": "断水のお知らせ"}, "share": 1})
    revisions.record(session, NOW, **NOTICE, who="山田", body={"title": {"ja": "断水のお知らせ"}, "share": True})
    session.expire_all()
    told = revisions.history(session, "notice", "7")
    assert [(one.number, one.who) for one in told] == [(3, "山田"), (2, "田中"), (1, "山田")]
    assert [one.number for one in revisions.history(session, "notice", "7", 1, before=3)] == [2]
    assert revisions.history(session, "notice", "8") == revisions.history(session, "topic", "7") == []
    second = revisions.one(session, "notice", "7", 2)
    assert second is not None
    assert second.body == {"title": {"ja": "断水のお知らせ"}, "share": 1}
    assert revisions.one(session, "notice", "7", 4) is revisions.one(session, "notice", "7", 2**70) is None


def test_what_others_changed_in_between_is_laid_at_nobodys_door(session: Session) -> None:
    revisions.record(session, NOW, **NOTICE, who="山田", before={"a": 1}, body={"a": 2})
    revisions.record(session, NOW, **NOTICE, who="田中", before={"a": 2}, body={"a": 3})
    revisions.record(session, NOW, **NOTICE, who="山田", before={"a": 9}, body={"a": 10})
    told = [(one.who, one.body["a"]) for one in revisions.history(session, "notice", "7")]
    assert told == [("山田", 10), ("", 9), ("田中", 3), ("山田", 2), ("", 1)]


@pytest.mark.parametrize("body", [{"a": {1}}, {"a": {1: 2}}, {"a": b""}])
def test_what_has_no_json_form_is_refused(session: Session, body: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        revisions.record(session, NOW, **NOTICE, who="山田", body=body)


def test_people_who_save_at_once_get_a_number_each(engine: Engine) -> None:
    def save(turn: int) -> None:
        with transaction(engine) as session:
            revisions.record(session, NOW, **NOTICE, who="山田", body={"turn": turn})

    crowd = [threading.Thread(target=save, args=(turn,)) for turn in range(8)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join()
    with transaction(engine, "read") as session:
        told = revisions.history(session, "notice", "7")
        assert [one.number for one in told] == list(range(8, 0, -1))
        assert {one.body["turn"] for one in told} == set(range(8))
