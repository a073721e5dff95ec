"""What residents read: in their language, page by page, until it is over or taken back."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from content import editors, notices
from content.editors import Role
from content.notices import Content
from database import transaction

TEXTS = {
    "ja": {"title": "断水のお知らせ", "body": "泉町で断水します。"},
    "ja-x-easy": {"title": "水が 出ません", "body": "泉町で 水が 止まります。"},
    "en": {"title": "Water outage", "body": "No water in Izumi-machi."},
}


class City:
    """Publishes as two people do."""

    def __init__(self, engine, clock):
        self.engine, self.clock = engine, clock
        with transaction(engine) as session:
            for name, role in (("author", Role.AUTHOR), ("second", Role.APPROVER)):
                editors.add(session, name, role, clock())

    def publish(self, texts=None, **more):
        now = self.clock()
        with transaction(self.engine) as session:
            author, second = editors.by_name(session, "author"), editors.by_name(session, "second")
            notice = notices.create(session, Content(texts or TEXTS, **more), actor=author, now=now)
            arguments = {"version": 1, "now": now, "city_tz": ZoneInfo("Asia/Tokyo")}
            seen = notices.submit(session, notice, actor=author, **arguments)
            notices.approve(session, notice, actor=second, seen_hash=seen, now=now)
            return notice.public_id

    def withdraw(self, public_id):
        with transaction(self.engine) as session:
            notice = notices.by_public_id(session, public_id)
            author = editors.by_name(session, "author")
            notices.withdraw(session, notice, actor=author, now=self.clock(), reason="誤り")


@pytest.fixture
def city(client, engine, clock):
    return City(engine, clock)


@pytest.mark.parametrize(
    ("query", "header", "language"),
    [
        ("", None, "ja"),
        ("", "en-US,en;q=0.9", "en"),
        ("", "fr;q=0.9, en;q=0.5", "en"),
        ("", "vi", "ja-x-easy"),
        ("", "en;q=0", "ja"),
        ("?lang=ja-x-easy", "en", "ja-x-easy"),
        ("?lang=ko", None, "ja-x-easy"),
        ("?lang=EN", "ja", "en"),
    ],
)
def test_a_reader_is_answered_in_the_nearest_language_and_told_which(city, client, query, header, language):
    public_id = city.publish()
    headers = {"Accept-Language": header} if header else {}
    for answer in (
        client.get(f"/v1/notices{query}", headers=headers),
        client.get(f"/v1/notices/{public_id}{query}", headers=headers),
    ):
        assert answer.status_code == 200
        item = answer.json["items"][0] if "items" in answer.json else answer.json
        assert item["language"] == language
        assert item["title"] == TEXTS[language]["title"]
        assert item["languages"] == ["ja", "ja-x-easy", "en"]
        assert "Accept-Language" in answer.headers["Vary"]


def test_the_newest_come_first_page_by_page(city, client, clock):
    ids = []
    for _ in range(5):
        ids.append(city.publish())
        clock.pass_(minutes=1)
    seen, path = [], "/v1/notices?limit=2"
    while path:
        page = client.get(path).json
        seen += [item["id"] for item in page["items"]]
        path = f"/v1/notices?limit=2&cursor={page['next']}" if page["next"] else None
    assert seen == ids[::-1]


def test_a_topic_narrows_the_list(city, client):
    water, _ = city.publish(topic="water"), city.publish(topic="fire")
    assert [item["id"] for item in client.get("/v1/notices?topic=water").json["items"]] == [water]


@pytest.mark.parametrize("cursor", ["x", "WyJ4IiwxXQ", "WyIyMDI2LTA5LTAxVDAzOjAwOjAwIiwxXQ", "W10"])
def test_a_strange_cursor_is_refused(city, client, cursor):
    answer = client.get(f"/v1/notices?cursor={cursor}")
    assert (answer.status_code, answer.json["type"]) == (400, "/problems/bad-cursor")


def test_a_notice_waits_for_its_time_and_leaves_the_list_after_it(city, client, clock):
    hour = dt.timedelta(hours=1)
    public_id = city.publish(publish_at=clock() + hour, expires_at=clock() + 2 * hour)
    address = f"/v1/notices/{public_id}"
    assert client.get(address).status_code == 404
    clock.pass_(hours=1)
    assert client.get(address).json["expired"] is False
    assert len(client.get("/v1/notices").json["items"]) == 1
    clock.pass_(hours=1)
    assert client.get("/v1/notices").json["items"] == []
    assert client.get(address).json["expired"] is True


def test_a_withdrawn_notice_is_gone_and_says_so(city, client):
    public_id = city.publish()
    city.withdraw(public_id)
    answer = client.get(f"/v1/notices/{public_id}")
    assert (answer.status_code, answer.json["type"]) == (410, "/problems/withdrawn")
    assert client.get("/v1/notices").json["items"] == []


def test_what_nobody_approved_is_not_there(city, client, engine, clock):
    with transaction(engine) as session:
        author = editors.by_name(session, "author")
        draft = notices.create(session, Content(TEXTS), actor=author, now=clock()).public_id
    assert client.get(f"/v1/notices/{draft}").status_code == 404
    assert client.get("/v1/notices/none").status_code == 404


def test_an_unchanged_answer_is_a_304_and_may_be_kept_while_the_server_fails(city, client):
    city.publish()
    first = client.get("/v1/notices")
    assert "stale-if-error" in first.headers["Cache-Control"]
    again = client.get("/v1/notices", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    city.publish()
    assert client.get("/v1/notices", headers={"If-None-Match": first.headers["ETag"]}).status_code == 200


def test_names_of_authors_stay_inside(city, client):
    public_id = city.publish()
    assert set(client.get(f"/v1/notices/{public_id}").json) == {
        "id", "topic", "language", "languages", "title", "body", "link", "published_at", "expires_at", "expired", "url",
    }  # fmt: skip
