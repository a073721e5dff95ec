"""City hall writes a notice, a second person publishes it, and the followers' message is written with it."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from content import editors
from content.editors import Role
from content.notices import Notice
from content.workflow import Step
from database import transaction
from geo.areas import Area
from notifications import devices, topics
from notifications.devices import Platform
from notifications.messages import Message

URL = "/v1/staff/notices"
WATER = {"texts": {"ja": {"title": "断水のお知らせ", "body": "泉町で断水します。"}}, "topic": "water"}
PDF = {"url": "https://a.example/map.pdf", "kind": "pdf", "titles": {"ja": "地図"}}
PEOPLE = {
    "author": Role.AUTHOR,
    "second": Role.APPROVER,
    "duty": Role.DUTY_OFFICER,
    "admin": Role.ADMINISTRATOR,
    "robot": Role.MACHINE,
}


class Office:
    """The staff with their keys, at the doors of one application."""

    def __init__(self, client, keys):
        self.client, self.keys = client, keys

    def do(self, who, method, path="", body=None, **headers):
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        names["Authorization"] = f"Bearer {self.keys[who]}"
        return self.client.open(URL + path, method=method, json=body, headers=names)

    def draft(self, who="author", **change):
        answer = self.do(who, "POST", body=WATER | change)
        assert answer.status_code == 201, answer.json
        return answer.json

    def submit(self, notice, who="author", **more):
        return self.do(who, "POST", f"/{notice['id']}/submit", {"version": notice["version"], **more})

    def approve(self, notice, who="second"):
        return self.do(who, "POST", f"/{notice['id']}/approve", {"content_hash": notice["content_hash"]})

    def publish(self, **change):
        submitted = self.submit(self.draft(**change))
        assert submitted.status_code == 200, submitted.json
        answer = self.approve(submitted.json)
        assert answer.status_code == 200, answer.json
        return answer.json


@pytest.fixture
def office(client, engine, clock):
    with transaction(engine) as session:
        keys = {name: editors.add(session, name, role, clock())[1] for name, role in PEOPLE.items()}
        topics.put(session, "water", {"ja": "水道"})
    return Office(client, keys)


def _messages(engine):
    with transaction(engine, "read") as session:
        return session.scalars(sa.select(Message)).all()


def test_from_draft_to_the_followers_in_two_pairs_of_eyes(office, engine, clock):
    draft = office.draft()
    assert (draft["state"], draft["version"], draft["actions"]) == ("draft", 1, ["edit", "submit", "withdraw"])
    assert draft["missing_languages"] == ["ja-x-easy", "en", "zh-Hans", "ko"]
    submitted = office.submit(draft).json
    assert submitted["state"] == "submitted"
    assert _messages(engine) == []
    published = office.approve(submitted)
    assert published.status_code == 200, published.json
    assert published.json["state"] == "published"
    assert [(step["action"], step["by"]) for step in published.json["steps"]] == [
        ("draft", "author"),
        ("submit", "author"),
        ("approve", "second"),
    ]
    (message,) = _messages(engine)
    assert message.origin == f"notice:{draft['id']}"
    assert message.texts == WATER["texts"]


def test_a_notice_without_a_topic_is_listed_and_rings_nowhere(office, engine):
    office.publish(topic=None)
    assert _messages(engine) == []
    assert len(office.client.get("/v1/notices").json["items"]) == 1


def test_a_later_publication_holds_the_message_back(office, engine, clock):
    at = clock() + dt.timedelta(hours=5)
    office.publish(publish_at=at.isoformat())
    (message,) = _messages(engine)
    assert message.not_before == at
    assert office.client.get("/v1/notices").json["items"] == []


def test_a_withdrawal_takes_back_what_was_not_sent_yet(office, engine, clock):
    notice = office.publish(publish_at=(clock() + dt.timedelta(hours=5)).isoformat())
    answer = office.do("author", "POST", f"/{notice['id']}/withdraw", {"reason": "日付の誤り"})
    assert answer.json["state"] == "withdrawn"
    (message,) = _messages(engine)
    assert message.planning == "withdrawn"


def test_a_refused_approval_writes_nothing(office, engine):
    submitted = office.submit(office.draft("second"), "author").json
    refused = office.approve(submitted, "second")
    assert refused.status_code == 403
    assert refused.json["code"] == "own_work"
    assert refused.content_type == "application/problem+json"
    assert _messages(engine) == []
    assert office.do("author", "GET", f"/{submitted['id']}").json["state"] == "submitted"


@pytest.mark.parametrize("who", ["author", "robot", "admin"])
def test_a_key_without_the_right_approves_nothing(office, who):
    assert office.approve(office.submit(office.draft()).json, who).status_code == 403


def test_a_machines_key_drafts_only(office):
    draft = office.draft("robot")
    for method, path, body in (
        ("GET", "", None),
        ("GET", f"/{draft['id']}", None),
        ("POST", f"/{draft['id']}/submit", {"version": 1}),
        ("POST", f"/{draft['id']}/withdraw", {}),
        ("POST", f"/{draft['id']}/return", {"reason": "x"}),
    ):
        assert office.do("robot", method, path, body).status_code == 403


def test_nobody_enters_without_a_key(client):
    assert client.get(URL).status_code == 401
    assert client.post(URL, json=WATER).status_code == 401


def test_an_edit_voids_the_submission(office):
    submitted = office.submit(office.draft()).json
    link = {"link": "https://www.city.example.jp/water", "version": submitted["version"]}
    edited = office.do("author", "PATCH", f"/{submitted['id']}", link).json
    assert edited["state"] == "draft"
    assert edited["texts"] == WATER["texts"]
    again = office.submit(edited).json
    old = office.approve(submitted | {"id": again["id"]})
    assert (old.status_code, old.json["code"]) == (409, "content_changed")
    assert office.approve(again).status_code == 200


def test_one_language_is_added_or_taken_out_and_the_others_stay(office):
    draft = office.draft()
    english = {"title": "Water", "body": "No water in Izumi."}
    path = f"/{draft['id']}"
    both = office.do("author", "PATCH", path, {"version": 1, "texts": {"en": english}}).json
    assert both["texts"] == WATER["texts"] | {"en": english}
    one = office.do("author", "PATCH", path, {"version": 2, "texts": {"en": None}}).json
    assert one["texts"] == WATER["texts"]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({}, {}, 428),
        ({"If_Match": "*"}, {}, 428),
        ({"If_Match": '"7"'}, {}, 412),
        ({"If_Match": '"1"'}, {}, 200),
        ({}, {"version": 1}, 200),
        ({}, {"version": 2}, 409),
    ],
)
def test_an_edit_names_the_version_that_was_read(office, headers, body, status):
    draft = office.draft()
    answer = office.do("author", "PATCH", f"/{draft['id']}", body | {"link": "https://a.example/"}, **headers)
    assert answer.status_code == status


def test_of_two_edits_of_one_version_the_second_is_told(office):
    draft = office.draft()
    first = office.do("author", "PATCH", f"/{draft['id']}", {"version": 1, "link": "https://a.example/"})
    second = office.do("duty", "PATCH", f"/{draft['id']}", {"version": 1, "link": "https://b.example/"})
    assert (first.status_code, second.status_code) == (200, 409)
    assert office.do("duty", "GET", f"/{draft['id']}").json["link"] == "https://a.example/"


def test_a_return_carries_its_reason(office):
    submitted = office.submit(office.draft()).json
    assert office.do("second", "POST", f"/{submitted['id']}/return", {}).status_code == 422
    returned = office.do("second", "POST", f"/{submitted['id']}/return", {"reason": "時刻がない"}).json
    assert returned["state"] == "draft"
    assert returned["steps"][-1]["reason"] == "時刻がない"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"topic": "nowhere"}, "topic"),
        ({"link": "http://a.example/"}, "link"),
        ({"texts": {"fr": {"title": "a", "body": "b"}}}, "texts.fr"),
        ({"texts": {"ja": {"title": "a"}}}, "texts.ja"),
        ({"publish_at": "2026-11-22T06:00:00"}, "publish_at"),
        ({"surprise": 1}, "surprise"),
        ({"areas": ["04999"]}, "areas.0"),
        ({"from_months": 12, "to_months": 12}, "to_months"),
        ({"from_months": -1}, "from_months"),
        ({"phase": "later"}, "phase"),
        ({"push": "all"}, "push"),
        ({"attachments": [{"url": "http://a.example/", "kind": "pdf", "titles": {"ja": "図"}}]}, "attachments.0.url"),
        ({"attachments": [{"url": "https://a.example/", "kind": "exe", "titles": {"ja": "図"}}]}, "attachments.0.kind"),
        ({"attachments": [{"url": "https://a.example/", "kind": "pdf", "titles": {}}]}, "attachments.0.titles"),
        ({"attachments": [PDF, PDF]}, "attachments.1.url"),
        ({"correction": {"ja": "あ" * 501}}, "correction.ja"),
    ],
)
def test_what_cannot_be_kept_is_refused_naming_the_field(office, change, field):
    answer = office.do("author", "POST", body=WATER | change)
    assert answer.status_code == 422
    assert any(error["field"].startswith(field) for error in answer.json["errors"]), answer.json


def test_what_the_proofreading_doubts_is_accepted_only_knowingly(office):
    draft = office.draft(texts={"ja": {"title": "追悼式", "body": "2011年3月11日の震災から。"}})
    assert [finding["code"] for finding in draft["findings"]] == ["other_year"]
    refused = office.submit(draft)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["field"] == "texts.ja.body"
    assert office.submit(draft, accept_warnings=True).status_code == 200


def test_a_placeholder_is_never_submitted(office):
    draft = office.draft(texts={"ja": {"title": "断水", "body": "対象人数:未入力"}})
    assert office.submit(draft, accept_warnings=True).status_code == 422


def test_staff_page_through_every_state(office):
    ids = [office.draft()["id"] for _ in range(3)]
    first = office.do("author", "GET", "?limit=2").json
    rest = office.do("author", "GET", f"?limit=2&cursor={first['next']}").json
    assert [item["id"] for item in first["items"] + rest["items"]] == ids[::-1]
    assert rest["next"] is None
    assert office.do("author", "GET", "?state=published").json["items"] == []
    assert office.do("author", "GET", "?state=gone").status_code == 422


def test_an_unknown_notice_is_a_404(office):
    for method, path, body in (
        ("GET", "/none", None),
        ("PATCH", "/none", {"version": 1}),
        ("POST", "/none/submit", {"version": 1}),
        ("POST", "/none/approve", {"content_hash": "0" * 64}),
        ("POST", "/none/withdraw", {}),
    ):
        assert office.do("duty", method, path, body).status_code == 404


def test_a_refused_request_leaves_no_trace(office, engine):
    draft = office.draft()
    assert office.submit(draft | {"version": 9}).status_code == 409
    with transaction(engine, "read") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Step)) == 1
        assert session.scalars(sa.select(Notice)).one().version == 1


def test_everything_that_is_said_of_a_notice_is_kept_and_edited_by_name(office):
    said = {
        "from_months": 0, "to_months": 36, "phase": "after", "push": "none", "attachments": [PDF],
        "expires_at": "2026-12-01T00:00:00+00:00",
    }  # fmt: skip
    draft = office.draft(**said)
    assert {name: draft[name] for name in said} == said
    change = {"version": 1, "phase": None, "attachments": [], "to_months": None}
    edited = office.do("author", "PATCH", f"/{draft['id']}", change).json
    kept = said | {"phase": None, "attachments": [], "to_months": None}
    assert {name: edited[name] for name in said} == kept
    assert edited["content_hash"] != draft["content_hash"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"attachments": [PDF | {"titles": {"en": "Map"}}]}, "attachments.0.titles.ja"),
        ({"correction": {"ja": "直しました"}}, "correction"),
    ],
)
def test_what_may_not_be_published_so_is_kept_as_draft_and_not_submitted(office, change, field):
    refused = office.submit(office.draft(**change))
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json["errors"]] == [field]


def test_a_published_notice_is_corrected_by_the_same_two_people(office, engine, clock):
    wrong = office.publish()
    clock.pass_(hours=1)
    path = f"/{wrong['id']}/correct"
    assert office.do("author", "POST", path, {}).status_code == 422
    texts = {"ja": {"title": "断水のお知らせ", "body": "南町で断水します。"}}
    what = {"ja": "町の名を訂正しました"}
    draft = office.do("author", "POST", path, {"correction": what, "texts": texts}).json
    assert (draft["corrects"], draft["topic"], draft["texts"]) == (wrong["id"], "water", texts)
    refused = office.approve(office.submit(draft).json, "author")
    assert refused.status_code == 403
    right = office.approve(office.do("author", "GET", f"/{draft['id']}").json)
    assert right.status_code == 200, right.json
    earlier = office.do("author", "GET", f"/{wrong['id']}").json
    assert (earlier["state"], earlier["corrected_at"]) == ("published", right.json["shown_from"])
    assert [(step["action"], step["by"]) for step in earlier["steps"]][-1] == ("correct", None)
    first, second = sorted(_messages(engine), key=lambda one: one.id)
    assert (first.thread, first.planning) == (second.thread, "withdrawn")
    again = office.do("author", "POST", path, {"correction": what})
    assert (again.status_code, again.json["errors"][0]["field"]) == (422, "corrects")
    assert [one["id"] for one in office.client.get("/v1/notices").json["items"]] == [right.json["id"]]


def test_of_two_corrections_of_one_notice_only_the_first_is_published(office):
    wrong = office.publish()
    both = [
        office.do("author", "POST", f"/{wrong['id']}/correct", {"correction": {"ja": "直しました"}}).json for _ in "ab"
    ]
    first, second = (office.submit(draft).json for draft in both)
    assert office.approve(first).status_code == 200
    assert office.approve(second).status_code == 422
    assert office.do("author", "GET", f"/{second['id']}").json["state"] == "submitted"


def test_a_draft_is_discarded_and_what_was_published_is_not(office):
    draft, published = office.draft(), office.publish()
    assert office.do("author", "DELETE", f"/{draft['id']}").status_code == 204
    assert office.do("author", "GET", f"/{draft['id']}").json["state"] == "withdrawn"
    refused = office.do("author", "DELETE", f"/{published['id']}")
    assert (refused.status_code, refused.json["code"]) == (409, "reason_missing")


def test_whom_it_would_ring_is_counted_and_nothing_is_sent(office, engine, clock):
    with transaction(engine) as session:
        for number in range(3):
            device = devices.register(
                session,
                platform=Platform.ANDROID,
                language="ja",
                app_version="1",
                token=f"token-{number:020}",
                now=clock(),
            ).device
            if number:
                topics.follow(session, device.id, ["water"])
    for change, many in (({}, 2), ({"topic": None}, 0), ({"push": "none"}, 0), ({"push": "everyone"}, 3)):
        answer = office.do("author", "POST", f"/{office.draft(**change)['id']}/reach")
        assert (answer.json["devices"], answer.json["reachable"]) == (many, many)
    assert _messages(engine) == []


def test_an_area_that_cannot_be_rung_is_refused_when_submitted(office, engine):
    with transaction(engine) as session:
        session.add(Area(code="04103", kind="ward", name="若林区", search_name="若林区", source="test"))
    refused = office.submit(office.draft(areas=["04103"]))
    assert (refused.status_code, refused.json["errors"][0]["field"]) == (422, "areas")
    assert office.submit(office.draft(areas=["04103"], push="none")).status_code == 200


def test_staff_find_the_notices_of_a_topic(office):
    water, _ = office.draft(), office.draft(topic=None)
    assert [one["id"] for one in office.do("author", "GET", "?topic=water").json["items"]] == [water["id"]]
    assert office.do("author", "GET", "?topic=%00").status_code == 200
