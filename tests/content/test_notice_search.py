"""City hall finds its notices by what became of them, topic, area, missing language and words, on both stores."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from content import editors, notice_search, notices
from content.editors import Role
from content.notice_search import Query, Standing
from content.notices import Content, Notice
from geo.areas import Area, AreaKind

NOW = dt.datetime(2026, 11, 21, 6, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


class Office:
    """Two people who write and publish."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.author = editors.add(session, "author", Role.AUTHOR, NOW)[0]
        self.second = editors.add(session, "second", Role.APPROVER, NOW)[0]
        row = {"kind": AreaKind.TOWN.value, "search_name": "浜町", "source": "test"}
        session.add(Area(code="04993-浜町", name="浜町", **row))
        session.flush()

    def draft(self, title: str, **more: object) -> Notice:
        texts = {"ja": {"title": title, "body": "本文です。"}} | more.pop("texts", {})  # type: ignore[operator,call-overload]
        return notices.create(self.session, Content(texts=texts, **more), actor=self.author, now=NOW)  # type: ignore[arg-type]

    def publish(self, title: str, now: dt.datetime = NOW, **more: object) -> Notice:
        notice = self.draft(title, **more)
        seen = notices.submit(
            self.session, notice, actor=self.author, version=notice.version, now=now, city_tz=ZoneInfo("Asia/Tokyo")
        )
        return notices.approve(self.session, notice, actor=self.second, seen_hash=seen, now=now)

    def found(self, now: dt.datetime = NOW, **query: object) -> set[str]:
        listed = notice_search.found(self.session, Query(**query), now)  # type: ignore[arg-type]
        return {one.texts["ja"]["title"] for one in listed}


@pytest.fixture
def office(session: Session) -> Office:
    return Office(session)


def test_each_stands_where_a_person_would_say_and_is_found_there(office: Office) -> None:
    office.draft("書きかけ")
    office.publish("いま")
    office.publish("あとで", publish_at=NOW + HOUR)
    over = office.publish("終わった", expires_at=NOW + HOUR)
    gone = office.draft("捨てた")
    notices.withdraw(office.session, gone, actor=office.author, now=NOW)
    assert office.found(standing=Standing.DRAFT) == {"書きかけ"}
    assert office.found(standing=Standing.SCHEDULED) == {"あとで"}
    assert office.found(standing=Standing.SHOWN) == {"いま", "終わった"}
    assert office.found(standing=Standing.WITHDRAWN) == {"捨てた"}
    later = NOW + 2 * HOUR
    assert office.found(later, standing=Standing.OVER) == {"終わった"}
    assert office.found(later, standing=Standing.SHOWN) == {"いま", "あとで"}
    assert notice_search.standing(over, later) is Standing.OVER
    for now in (NOW, later):
        each = [office.found(now, standing=one) for one in Standing]
        assert sum(map(len, each)) == len(set().union(*each)) == 5
        for one in notice_search.found(office.session, Query(), now):
            assert one.texts["ja"]["title"] in office.found(now, standing=notice_search.standing(one, now))


def test_topic_area_missing_language_and_words_narrow_together(office: Office) -> None:
    english = {"en": {"title": "Water", "body": "No water."}, "ja-x-easy": {"title": "水", "body": ""}}
    office.draft("断水", topic="notices.living", areas=["04993-浜町"], texts=english)
    office.draft("ダンスの会", topic="notices")
    office.draft("健診", topic="noticesboard")
    assert office.found(topic="notices") == {"断水", "ダンスの会"}
    assert office.found(areas=("04993-浜町", "04993")) == {"断水"}
    assert office.found(missing="en") == {"ダンスの会", "健診"}
    assert office.found(missing="ja-x-easy") == {"断水", "ダンスの会", "健診"}  # half a text is none
    assert office.found(missing="ja") == set()
    assert office.found(words="だんす") == {"ダンスの会"}
    assert office.found(words="WATER") == {"断水"}
    assert office.found(words="water 会") == set()
    assert office.found(words="、。") == set()
    assert office.found(topic="notices", missing="en", words="の会") == {"ダンスの会"}


def test_pages_go_on_behind_the_last(office: Office) -> None:
    made = [office.draft(f"{number}") for number in range(5)]
    first = notice_search.found(office.session, Query(), NOW, most=3)
    rest = notice_search.found(office.session, Query(), NOW, before=first[-1].id, most=3)
    assert [one.id for one in (*first, *rest)] == [one.id for one in reversed(made)]
    assert notice_search.waiting(office.session, 5) == []
