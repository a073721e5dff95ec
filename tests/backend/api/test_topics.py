"""The tree of topics as an app shows it, and as city hall keeps it."""

from __future__ import annotations

import pytest

from content import editors
from content.editors import Role
from database import transaction
from notifications import devices, topics
from notifications.devices import Platform

URL = "/v1/staff/topics"
WATER = {"slug": "notices.water", "names": {"ja": "断水", "en": "Water"}, "descriptions": {"ja": "断水の予定"}}


class Office:
    """City hall at the door, with its keys."""

    def __init__(self, client, keys):
        self.client, self.keys = client, keys

    def do(self, method, path="", body=None, who="second"):
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        return self.client.open(URL + path, method=method, json=body, headers=headers)


@pytest.fixture
def office(client, engine, clock):
    with transaction(engine) as session:
        people = {"author": Role.AUTHOR, "second": Role.APPROVER}
        keys = {name: editors.add(session, name, role, clock())[1] for name, role in people.items()}
        topics.put(session, "notices", {"ja": "お知らせ", "ja-x-easy": "おしらせ"}, position=1, by_default=True)
        topics.put(session, "disaster", {"ja": "災害"}, optional=False)
        topics.put(session, "disaster.shelters", {"ja": "避難所"})
    return Office(client, keys)


def test_an_app_gets_the_tree_in_its_order_and_language(office):
    office.do("POST", body=WATER)
    office.do("POST", body={"slug": "notices.a", "names": {"ja": "あ"}, "position": 1})
    answer = office.client.get("/v1/topics", headers={"Accept-Language": "en"})
    disaster, notices = answer.json["items"]
    assert (disaster["slug"], notices["slug"], notices["name"]) == ("disaster", "notices", "おしらせ")
    assert [(one["slug"], one["name"], one["parent"]) for one in notices["children"]] == [
        ("notices.water", "Water", "notices"),
        ("notices.a", "あ", "notices"),
    ]
    assert (notices["by_default"], notices["optional"]) == (True, True)
    # Below what cannot be switched off, nothing can.
    assert (disaster["optional"], disaster["children"][0]["optional"]) == (False, False)
    assert office.client.get("/v1/topics/disaster.shelters").json["optional"] is False
    assert "Accept-Language" in answer.headers["Vary"]
    assert office.client.get("/v1/topics?lang=ja").json["items"][1]["name"] == "お知らせ"


def test_a_slug_is_never_given_to_another_topic(office):
    assert office.do("POST", body=WATER).status_code == 201
    assert office.do("POST", body=WATER).status_code == 409
    assert office.do("PATCH", "/notices.water", {"retired": True}).json["retired"] is True
    assert office.do("POST", body=WATER | {"names": {"ja": "水泳"}}).status_code == 409
    assert office.client.get("/v1/topics/notices.water").json["name"] == "断水"


def test_a_retired_topic_stays_readable_and_with_its_followers_and_comes_back(office, engine, clock):
    office.do("POST", body=WATER)
    with transaction(engine) as session:
        made = devices.register(
            session, platform=Platform.ANDROID, language="ja", app_version="1", token=None, now=clock()
        )
    phone = {"Authorization": f"Bearer {made.secret}"}

    def choose(*slugs):
        return office.client.put("/v1/devices/me/topics", json={"topics": list(slugs)}, headers=phone)

    assert choose("notices.water").status_code == 200
    office.do("PATCH", "/notices.water", {"retired": True})
    assert [one["slug"] for one in office.client.get("/v1/topics").json["items"][1]["children"]] == []
    assert office.client.get("/v1/topics/notices.water").json["retired"] is True
    assert choose("notices.water", "notices").json == {"topics": ["notices", "notices.water"]}
    assert [one["slug"] for one in office.do("GET").json["items"]] == [
        "disaster", "disaster.shelters", "notices", "notices.water",
    ]  # fmt: skip
    renamed = office.do("PATCH", "/notices.water", {"names": {"ja": "断水など"}}).json
    assert (renamed["names"], renamed["retired"]) == ({"ja": "断水など"}, True)
    assert office.do("PATCH", "/notices.water", {"retired": False}).json["retired"] is False
    assert office.do("PATCH", "/notices", {"retired": True}).status_code == 422  # what lies below it is still offered


def test_a_change_names_only_what_changes(office):
    office.do("POST", body=WATER | {"position": 3, "by_default": True})
    changed = office.do("PATCH", "/notices.water", {"optional": False}).json
    assert changed == changed | {
        "position": 3,
        "by_default": True,
        "optional": False,
        "descriptions": {"ja": "断水の予定"},
    }
    assert office.do("PATCH", "/notices.none", {"position": 1}).status_code == 404


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "Notices"}, "slug"),
        ({"slug": "nowhere.water"}, "slug"),
        ({"names": {"en": "Water"}}, "names.ja"),
        ({"names": {"ja": ""}}, "names.ja"),
        ({"descriptions": {"fr": "x"}}, "descriptions.fr"),
        ({"position": -1}, "position"),
        ({"retired": True}, "retired"),
    ],
)
def test_what_cannot_be_kept_is_refused_naming_the_field(office, change, field):
    answer = office.do("POST", body=WATER | change)
    assert answer.status_code == 422
    assert any(error["field"].startswith(field) for error in answer.json["errors"]), answer.json


def test_who_only_writes_does_not_change_whom_notices_reach(office):
    assert office.do("POST", body=WATER, who="author").status_code == 403
    assert office.do("PATCH", "/notices", {"position": 9}, who="author").status_code == 403
    assert office.do("GET", who="author").status_code == 200
    assert office.client.get(URL).status_code == 401


def test_an_unknown_topic_is_a_404(office):
    for slug in ("none", "a%00b"):
        assert office.client.get(f"/v1/topics/{slug}").status_code == 404
