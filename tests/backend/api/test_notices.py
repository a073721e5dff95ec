"""What residents read: in their language, page by page, until it is over or taken back."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from backend.api import cursor
from content import editors, notices
from content.editors import Role
from content.notices import Content
from database import transaction
from geo.areas import Area

TEXTS = {
    "ja": {"title": "断水のお知らせ", "body": "泉町で断水します。"},
    "ja-x-easy": {"title": "水が 出ません", "body": "泉町で 水が 止まります。"},
    "en": {"title": "Water outage", "body": "No water in Izumi-machi."},
}


STRANGE = [cursor.encode(4, moment, 1) for moment in ("x", "2026-09-01T03:00:00", "0001-01-01T00:00:00+09:00")]


class City:
    """Publishes as two people do."""

    def __init__(self, engine, clock):
        self.engine, self.clock = engine, clock
        with transaction(engine) as session:
            for name, role in (("author", Role.AUTHOR), ("second", Role.APPROVER)):
                editors.add(session, name, role, clock())

    def publish(self, texts=None, corrects=None, **more):
        now = self.clock()
        with transaction(self.engine) as session:
            author, second = editors.by_name(session, "author"), editors.by_name(session, "second")
            earlier = notices.by_public_id(session, corrects) if corrects else None
            notice = notices.create(session, Content(texts or TEXTS, **more), actor=author, now=now, corrects=earlier)
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


@pytest.mark.parametrize("strange", ["x", "WyJ4IiwxXQ", "WyIyMDI2LTA5LTAxVDAzOjAwOjAwIiwxXQ", "W10", *STRANGE])
def test_a_strange_cursor_is_refused(city, client, strange):
    answer = client.get(f"/v1/notices?cursor={strange}")
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


def ids(answer):
    assert answer.status_code == 200, answer.json
    return [item["id"] for item in answer.json["items"]]


def put_areas(engine):
    with transaction(engine) as session:
        for code, parent in (("04100", None), ("04103", "04100"), ("04103-荒井", "04103"), ("04101", "04100")):
            session.add(
                Area(
                    code=code, kind="town" if "-" in code else "ward", name=code, name_kana=None, search_name=code,
                    parent_code=parent, geometry=None, source="test",
                )
            )  # fmt: skip


def test_what_concerns_an_earlier_phase_of_a_disaster_stands_first(city, client, clock):
    put = {}
    for phase in ("rebuilding", None, "at_once", "recovery", "after", None):
        put.setdefault(phase, []).insert(0, city.publish(phase=phase))
        clock.pass_(minutes=1)
    expected = [one for phase in ("at_once", "after", "recovery", "rebuilding", None) for one in put[phase]]
    seen, path = [], "/v1/notices?limit=1"
    while path:
        page = client.get(path).json
        seen += [item["id"] for item in page["items"]]
        path = f"/v1/notices?limit=1&cursor={page['next']}" if page["next"] else None
    assert seen == expected
    assert ids(client.get("/v1/notices?phase=after")) == put["after"]
    newest = ids(client.get("/v1/notices?order=newest"))
    assert newest == [put[None][0], *put["after"], *put["recovery"], *put["at_once"], put[None][1], *put["rebuilding"]]
    assert client.get("/v1/notices?phase=later").status_code == 422


def test_a_reader_narrows_to_topic_area_age_and_time(city, client, clock, engine):
    put_areas(engine)
    everybody = city.publish(topic="notices")
    town = city.publish(topic="notices.living", areas=["04103-荒井"])
    ward = city.publish(topic="notice", areas=["04103", "04101"])
    toddlers = city.publish(from_months=12, to_months=36)
    clock.pass_(hours=1)
    later = city.publish(from_months=36)
    since = (clock() - dt.timedelta(minutes=1)).isoformat().replace("+", "%2B")
    assert ids(client.get("/v1/notices?topic=notices")) == [town, everybody]
    assert ids(client.get("/v1/notices?area=04103-荒井")) == [later, toddlers, ward, town, everybody]
    assert ids(client.get("/v1/notices?area=041033")) == [later, toddlers, ward, everybody]  # with its check digit
    assert ids(client.get("/v1/notices?area=04100")) == [later, toddlers, everybody]
    assert ids(client.get("/v1/notices?age_months=35")) == [toddlers, ward, town, everybody]
    assert ids(client.get("/v1/notices?age_months=36&topic=notices")) == [town, everybody]
    assert ids(client.get(f"/v1/notices?since={since}")) == [later]
    for wrong in ("area=99999", "area=%00", "topic=%00", "since=2026-09-01", "since=0001-01-01T00:00:00%2B09:00"):
        assert client.get(f"/v1/notices?{wrong}").status_code == 422, wrong


def test_a_search_forgives_how_words_are_written_and_reads_the_languages_of_the_reader(city, client):
    water = city.publish()
    river = city.publish(
        {
            "ja": {"title": "廣瀬川の花火", "body": "ゴミはお持ち帰りください。㍘50％"},
            "zh-Hans": {"title": "烟花大会", "body": "请带走垃圾。"},
        },
        attachments=[{"url": "https://a.example/m.pdf", "kind": "pdf", "titles": {"ja": "会場のマップ"}}],
    )
    for q, found in (
        ("断水", [water]),
        ("広瀬川", [river]),
        ("ｺﾞﾐ", [river]),
        ("ごみ　はなび", [river]),
        ("ごみ 断水", []),
        ("まっぷ", [river]),
        ("50%", [river]),  # a percent sign is a mark as others, and no wildcard
        ("水が止まります", [water]),  # easy Japanese stands in, and blanks between its words are taste
        ("Water", []),
        ("。", []),
        ("%", []),
    ):
        assert ids(client.get("/v1/notices", query_string={"q": q})) == found, q
    for q, lang, found in (("WATER outage", "en", [water]), ("断水", "en", [water]), ("烟花", "zh-CN", [river]),
                           ("outage", "ko", []), ("terout", "en", [])):  # fmt: skip
        assert ids(client.get("/v1/notices", query_string={"q": q, "lang": lang})) == found, (q, lang)


def test_a_correction_says_what_and_when_and_the_earlier_version_stays_readable(city, client, clock):
    wrong = city.publish(topic="water")
    at = clock()
    clock.pass_(hours=1)
    what = {"ja": "時刻を16時に直しました", "en": "The hour is 16:00"}
    right = city.publish(TEXTS | {"ja": {"title": "断水", "body": "16時まで"}}, wrong, topic="water", correction=what)
    assert ids(client.get("/v1/notices")) == [right]
    new, old = client.get(f"/v1/notices/{right}?lang=en").json, client.get(f"/v1/notices/{wrong}?lang=ko").json
    assert new["correction"] == {
        "corrects": wrong, "at": clock().isoformat(), "text": "The hour is 16:00", "language": "en", "url": old["url"],
    }  # fmt: skip
    assert [(one["id"], one["published_at"]) for one in new["history"]] == [(wrong, at.isoformat())]
    assert old["corrected_by"] == {
        "id": right, "at": clock().isoformat(), "text": what["ja"], "language": "ja", "url": new["url"],
    }  # fmt: skip
    assert (old["body"], old["correction"], old["history"]) == (TEXTS["ja-x-easy"]["body"], None, [])
    assert new["corrected_by"] is None
    clock.pass_(hours=1)
    last = city.publish(corrects=right, correction={"ja": "中止します"})
    assert [one["id"] for one in client.get(f"/v1/notices/{last}").json["history"]] == [wrong, right]
    assert ids(client.get("/v1/notices")) == [last]


def test_a_correction_that_waits_leaves_the_earlier_version_in_its_place_until_then(city, client, clock):
    wrong = city.publish()
    hour = dt.timedelta(hours=1)
    right = city.publish(corrects=wrong, correction={"ja": "直しました"}, publish_at=clock() + hour)
    assert ids(client.get("/v1/notices")) == [wrong]
    assert client.get(f"/v1/notices/{wrong}").json["corrected_by"] is None
    clock.pass_(hours=1)
    assert ids(client.get("/v1/notices")) == [right]


def test_what_is_taken_back_before_its_time_was_never_there(city, client, clock):
    wrong = city.publish()
    hour = dt.timedelta(hours=1)
    right = city.publish(corrects=wrong, correction={"ja": "直しました"}, publish_at=clock() + hour)
    city.withdraw(right)
    clock.pass_(hours=2)
    assert client.get(f"/v1/notices/{right}").status_code == 404
    assert ids(client.get("/v1/notices")) == [wrong]
    again = city.publish(corrects=wrong, correction={"ja": "直しました"})
    assert ids(client.get("/v1/notices")) == [again]


def test_what_is_related_comes_by_how_much_it_has_in_common(city, client, clock, engine):
    put_areas(engine)
    asked = {"topic": "water", "areas": ["04103"], "phase": "recovery"}
    one = city.publish(**asked)
    phase, area, topic, both = (
        city.publish(**some)
        for some in (
            {"phase": "recovery"},
            {"areas": ["04101", "04103"]},
            {"topic": "water"},
            {"topic": "water", "areas": ["04103"]},
        )
    )
    city.publish(topic="fire", areas=["04101"], phase="after")
    gone = city.publish(**asked)
    city.withdraw(gone)
    corrected = city.publish(**asked, corrects=one, correction={"ja": "直しました"})
    related = [both, topic, area, phase]
    for public_id in (corrected, one):
        assert [item["id"] for item in client.get(f"/v1/notices/{public_id}").json["related"]] == related
    assert client.get(f"/v1/notices/{city.publish()}").json["related"] == []


def test_attachments_are_named_in_the_language_of_the_reader(city, client):
    titles = {"ja": "地図", "en": "Map"}
    public_id = city.publish(attachments=[{"url": "https://a.example/m.pdf", "kind": "pdf", "titles": titles}])
    for lang, title, language in (("en", "Map", "en"), ("ko", "地図", "ja")):
        (shown,) = client.get(f"/v1/notices/{public_id}?lang={lang}").json["attachments"]
        assert shown == {"url": "https://a.example/m.pdf", "kind": "pdf", "title": title, "language": language}


def test_a_withdrawn_notice_is_gone_from_every_cache_within_a_minute(city, client):
    gone, stays = city.publish(), city.publish()
    paths = ("/v1/notices", "/v1/notices?q=断水", f"/v1/notices/{stays}")
    first = {path: client.get(path) for path in paths}
    for answer in first.values():
        kept = answer.cache_control
        assert int(kept.max_age) + int(kept["stale-while-revalidate"]) <= 60
    city.withdraw(gone)
    for path in paths[:2]:
        again = client.get(path, headers={"If-None-Match": first[path].headers["ETag"]})
        assert ids(again) == [stays]
    refused = client.get(f"/v1/notices/{gone}")
    assert (refused.status_code, refused.headers["Cache-Control"]) == (410, "no-store")


def test_names_of_authors_stay_inside(city, client):
    public_id = city.publish()
    assert set(client.get(f"/v1/notices/{public_id}").json) == {
        "id", "topic", "areas", "from_months", "to_months", "phase", "language", "languages", "title", "body", "link",
        "attachments", "published_at", "expires_at", "expired", "url", "correction", "corrected_by", "history",
        "related",
    }  # fmt: skip
