"""The tree of topics in the console: words in every language, order, the end and the way back; slugs never move."""

from __future__ import annotations

import html
import re

import pytest

from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall
from tests.notifications.builders import make_token


@pytest.fixture
def approver(hall: Hall) -> Browser:
    return hall.browser("approver")


def words(browser: Browser) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", browser.text)))


def offered(hall: Hall) -> list[str]:
    """The slugs below city notices, in the order of an app's settings."""
    tree = hall.app.test_client().get("/v1/topics").get_json()["items"]
    return [child["slug"] for one in tree if one["slug"] == "notices" for child in one["children"]]


def add(browser: Browser, last: str, name: str) -> None:
    browser.open("/console/topics/new?above=notices")
    browser.send("", last=last, **{"names.ja": name})


def test_a_topic_is_added_renamed_ordered_ended_and_offered_again(hall: Hall, approver: Browser) -> None:
    add(approver, "library", "図書館")
    assert approver.path == "/console/topics"
    assert offered(hall)[-1] == "notices.library"
    assert "名前のない言語:" in words(approver)
    approver.open("/console/topics/notices.library")
    approver.send("", **{"names.en": "Libraries", "descriptions.ja": "休館日など。", "by_default": "yes"})
    shown = hall.app.test_client().get("/v1/topics/notices.library?lang=en").get_json()
    assert (shown["name"], shown["by_default"], shown["optional"]) == ("Libraries", True, True)

    order = offered(hall)
    approver.send("/notices.library/move", to="up")
    assert offered(hall) == [*order[:-2], order[-1], order[-2]]
    approver.send("/notices.library/move", to="down")
    assert offered(hall) == order
    assert not [form for form in approver.forms() if form.action.endswith("notices.library/move")][1:]  # no way down

    approver.open("/console/topics/notices.library")
    approver.send("/retire")
    assert "notices.library" not in offered(hall)
    assert "終わった話題" in words(approver)
    add(approver, "library", "別の意味")
    assert approver.page.status_code == 422
    assert "二度と使えません" in words(approver)
    approver.open("/console/topics/notices.library")
    approver.send("/revive")
    assert "notices.library" in offered(hall)

    approver.open("/console/topics/notices.library/history")
    page = words(approver)
    assert "承認者 一号" in page
    assert "名前 › English" in page
    approver.send("/history/1")
    shown = hall.app.test_client().get("/v1/topics/notices.library").get_json()
    assert (shown["names"], shown["by_default"]) == ({"ja": "図書館"}, False)


def test_what_is_wrong_is_said_and_a_parent_outlives_its_children(approver: Browser) -> None:
    add(approver, "Water!", "水道")
    assert approver.page.status_code == 422
    assert "半角の英小文字" in words(approver)
    assert approver.form("").fields["names.ja"] == "水道"
    approver.open("/console/topics/notices")
    approver.send("/retire")
    assert approver.page.status_code == 422
    assert "先にそちらを終えてください" in words(approver)


def test_followers_are_counted_with_those_of_the_topics_above(hall: Hall, approver: Browser) -> None:
    add(approver, "pool", "プール")
    client = hall.app.test_client()
    for slugs in (["notices.pool"], ["notices"]):
        secret = client.post("/v1/devices", json={"platform": "ios", "token": make_token()}).get_json()["secret"]
        key = {"Authorization": f"Bearer {secret}"}
        assert client.put("/v1/devices/me/topics", json={"topics": slugs}, headers=key).status_code < 300
    approver.open("/console/topics/notices.pool")
    page = words(approver)
    assert "選んでいる端末 1 台" in page
    assert "届く端末 2 台" in page
    approver.open("/console/topics")
    assert "プール 選んでいる端末 1 台" in words(approver)


def test_the_second_of_two_editors_is_told_and_keeps_what_was_typed(hall: Hall, approver: Browser) -> None:
    add(approver, "buses", "バス")
    other = hall.browser("duty_officer")
    for browser in (approver, other):
        browser.open("/console/topics/notices.buses")
    other.send("", **{"names.ja": "市バス"})
    assert approver.send("", **{"names.ja": "バスと地下鉄"}).status_code == 409
    page = words(approver)
    assert "当直責任者 一号" in page
    assert "市バス" in page
    assert approver.form("").fields["names.ja"] == "バスと地下鉄"
    approver.send("", **{"names.ja": "バスと地下鉄"}, overwrite="yes")
    assert hall.app.test_client().get("/v1/topics/notices.buses").get_json()["name"] == "バスと地下鉄"


def test_who_may_only_read_sees_the_tree_and_no_form(hall: Hall) -> None:
    reader = hall.browser("reader")
    reader.open("/console/topics")
    assert "notices.living" in reader.text
    reader.open("/console/topics/notices.living")
    assert "Daily life" in reader.text
    assert [form.action for form in reader.forms()] == ["/console/sign-out"]
