"""/v1/alerts.atom and /v1/alerts/{id}.cap.xml: what other systems read must be what CAP 1.2 and Atom say it is."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import shapely
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from shapely.geometry import Polygon, box, shape
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union
from sqlalchemy.engine import Engine

from content.texts import LANGUAGES
from notifications.feeds import atom, cap
from notifications.feeds.markup import Maker, encoded
from notifications.feeds.rings import rings
from tests.backend.api.town import Town, problem
from tests.backend.conftest import Clock
from tests.conftest import Store

# OASIS CAP 1.2, §3.2: every element in its order, and how often it may stand (? at most once, + at least, * any).
RULES = {
    "alert": "identifier sender sent status msgType source? scope restriction? addresses? code* note? references?"
    " incidents? info*",
    "info": "language? category+ event responseType* urgency severity certainty audience? eventCode* effective?"
    " onset? expires? senderName? headline? description? instruction? web? contact? parameter* resource* area*",
    "area": "areaDesc polygon* circle* geocode* altitude? ceiling?",
    "eventCode": "valueName value",
    "parameter": "valueName value",
}
WORDS = {
    "status": {"Actual", "Exercise", "System", "Test", "Draft"},
    "msgType": {"Alert", "Update", "Cancel", "Ack", "Error"},
    "scope": {"Public", "Restricted", "Private"},
    "category": {
        *("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE"),
        "Other",
    },
    "responseType": {
        *("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None"),
    },
    "urgency": {"Immediate", "Expected", "Future", "Past", "Unknown"},
    "severity": {"Extreme", "Severe", "Moderate", "Minor", "Unknown"},
    "certainty": {"Observed", "Likely", "Possible", "Unlikely", "Unknown"},
}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")  # §3.3.2: an offset, never Z, no fractions
UNFIT_ID = re.compile(r"[ ,<&]")  # §3.2.1


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """The store makes no difference to what is written."""
    return sqlite_store


@pytest.fixture
def town(client: FlaskClient, engine: Engine, clock: Clock) -> Town:
    return Town(client, engine, clock)


def parsed(data: bytes) -> Any:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False))


def message(town: Town, alert: dict[str, Any], part: str = "alerts") -> Any:
    answer = town.call("GET", f"/v1/{part}/{alert['id']}.cap.xml")
    assert (answer.status_code, answer.mimetype) == (200, "application/cap+xml")
    root = parsed(answer.data)
    obeys(root)
    return root


def obeys(element: Any) -> None:
    """Checks an element and all below it against the rules above."""
    namespace, _, name = element.tag[1:].partition("}")
    assert namespace == "urn:oasis:names:tc:emergency:cap:1.2"
    inside = [child.tag.rpartition("}")[2] for child in element]
    if name not in RULES:
        assert inside == []
        assert (element.text or "").strip(), f"{name} is empty"
    else:
        pattern = "".join(f"(?:{rule.rstrip('?*+')} ){rule[len(rule.rstrip('?*+')) :]}" for rule in RULES[name].split())
        assert re.fullmatch(pattern, "".join(f"{one} " for one in inside)), f"{name}: {inside}"
    if name in WORDS:
        assert element.text in WORDS[name]
    if name in ("sent", "effective", "onset", "expires"):
        assert MOMENT.fullmatch(element.text)
    if name in ("identifier", "sender"):
        assert not UNFIT_ID.search(element.text)
    if name == "polygon":
        points = [tuple(map(float, pair.split(","))) for pair in element.text.split(" ")]
        assert len(points) >= 4
        assert points[0] == points[-1]
        assert all(20 <= lat <= 46 and 122 <= lon <= 154 for lat, lon in points)
    for child in element:
        obeys(child)


def told(root: Any, path: str) -> list[str]:
    return [found.text for found in root.iterfind("/".join(f"{{*}}{step}" for step in path.split("/")))]


def test_an_order_is_a_public_message_in_every_language_with_its_exact_area(town: Town) -> None:
    alert = town.issue()
    root = message(town, alert)
    assert told(root, "identifier") == [alert["id"]]
    assert told(root, "status") + told(root, "msgType") + told(root, "scope") == ["Actual", "Alert", "Public"]
    assert told(root, "incidents") == [alert["thread"]]
    assert told(root, "references") == []
    assert told(root, "info/language") == list(LANGUAGES)
    assert told(root, "info/headline") == [alert["texts"][language]["title"] for language in LANGUAGES]
    assert told(root, "info/description") == [alert["texts"][language]["body"] for language in LANGUAGES]
    rated = {name: set(told(root, f"info/{name}")) for name in ("category", "responseType", "urgency", "severity")}
    expected = {"category": {"Met"}, "responseType": {"Evacuate"}, "urgency": {"Immediate"}, "severity": {"Severe"}}
    assert rated == expected
    assert dt.datetime.fromisoformat(told(root, "info/expires")[0]) == dt.datetime.fromisoformat(alert["expires_at"])
    drawn = [
        Polygon([tuple(map(float, pair.split(",")))[::-1] for pair in text.split(" ")])
        for text in told(root, "info/area/polygon")[: len(told(root, "info/area/polygon")) // len(LANGUAGES)]
    ]
    assert unary_union(drawn).symmetric_difference(shape(alert["geometry"])).area < 1e-9


def test_an_update_and_an_all_clear_name_every_message_they_stand_in_the_place_of(town: Town, clock: Clock) -> None:
    first = town.issue()
    clock.pass_(minutes=10)
    update = town.ok("POST", f"/v1/staff/alerts/{first['id']}/update", {"level": 5}, by="author")
    update = town.approve(town.submit(update))
    clock.pass_(minutes=10)
    clear = town.approve(town.ok("POST", f"/v1/staff/alerts/{update['id']}/all-clear", {}, by="author"))
    roots = [message(town, one) for one in (first, update, clear)]
    assert [told(root, "msgType") for root in roots] == [["Alert"], ["Update"], ["Update"]]
    sender = told(roots[0], "sender")[0]
    named = [f"{sender},{told(root, 'identifier')[0]},{told(root, 'sent')[0]}" for root in roots]
    assert told(roots[1], "references") == [named[0]]
    assert told(roots[2], "references") == [f"{named[1]} {named[0]}"]
    assert set(told(roots[1], "info/severity")) == {"Extreme"}
    assert set(told(roots[2], "info/responseType")) == {"AllClear"}
    assert set(told(roots[2], "info/urgency")) == {"Past"}


def test_an_error_is_cancelled_and_a_drill_is_an_exercise_in_a_place_of_its_own(town: Town) -> None:
    alert = town.issue()
    gone = town.approve(town.ok("POST", f"/v1/staff/alerts/{alert['id']}/cancel", {}, by="author"))
    root = message(town, gone)
    assert told(root, "msgType") == ["Cancel"]
    assert told(root, "references")[0].split(",")[1] == alert["id"]
    drill = town.issue(part="drills")
    root = message(town, drill, "drills")
    assert told(root, "status") == ["Exercise"]
    assert "訓練" in told(root, "note")[0]
    assert all(title.startswith("【訓練】") for title in told(root, "info/headline")[:2])
    problem(town.call("GET", f"/v1/alerts/{drill['id']}.cap.xml"), 404, "not-found")
    problem(town.call("GET", "/v1/alerts/none.cap.xml"), 404, "not-found")
    problem(town.call("GET", f"/v1/alerts/{town.draft()['id']}.cap.xml"), 404, "not-found")


def test_a_message_never_changes_and_is_not_sent_twice(town: Town, clock: Clock) -> None:
    alert = town.issue()
    path = f"/v1/alerts/{alert['id']}.cap.xml"
    first = town.call("GET", path)
    town.approve(town.ok("POST", f"/v1/staff/alerts/{alert['id']}/all-clear", {}, by="author"))
    clock.pass_(days=3)
    assert town.call("GET", path).data == first.data
    assert town.call("GET", path, **{"If-None-Match": first.headers["ETag"]}).status_code == 304


def test_the_schema_of_the_standard_accepts_it(town: Town, shared_data: Path) -> None:
    schema = etree.XMLSchema(etree.parse(shared_data / "cap" / "google_cap_library" / "schema__cap12.xsd"))
    alert = town.issue(level=3)
    drill = town.issue(part="drills", hazard="tsunami", level=None)
    for part, one in (("alerts", alert), ("drills", drill)):
        schema.assertValid(message(town, one, part))


def test_the_feed_is_atom_and_leads_to_the_messages_in_the_reader_s_language(town: Town, clock: Clock) -> None:
    empty = town.call("GET", "/v1/alerts.atom")
    assert (empty.status_code, empty.mimetype) == (200, "application/atom+xml")
    assert told(parsed(empty.data), "entry") == []
    alert = town.issue()
    clock.pass_(minutes=5)
    clear = town.approve(town.ok("POST", f"/v1/staff/alerts/{alert['id']}/all-clear", {}, by="author"))
    answer = town.call("GET", "/v1/alerts.atom", **{"Accept-Language": "en"})
    assert answer.headers["Content-Language"] == "en"
    assert "Accept-Language" in answer.headers["Vary"]
    root = parsed(answer.data)
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    for path in ("id", "title", "updated", "author/name", "entry/id", "entry/title", "entry/updated", "entry/summary"):
        assert all(told(root, path)), path  # RFC 4287, §4.1: required of a feed and of each entry
    assert len(set(told(root, "entry/id"))) == 2
    assert told(root, "entry/title")[0] == clear["texts"]["en"]["title"]
    assert told(root, "updated") == [max(told(root, "entry/updated"))]
    links = [link.attrib for link in root.iterfind("{*}entry/{*}link[@type='application/cap+xml']")]
    for link in links:
        assert link["rel"] == "alternate"
        path = link["href"].removeprefix("http://127.0.0.1:8000")
        assert told(parsed(town.call("GET", path).data), "identifier")
    assert (
        town.call(
            "GET", "/v1/alerts.atom", **{"If-None-Match": answer.headers["ETag"], "Accept-Language": "en"}
        ).status_code
        == 304
    )
    drills = parsed(town.call("GET", "/v1/drills.atom").data)
    assert told(drills, "entry/id") == []


def test_notices_have_a_feed_of_what_is_shown_the_newest_first_and_safe_in_xml(town: Town, clock: Clock) -> None:
    empty = town.call("GET", "/v1/notices.atom")
    assert (empty.status_code, empty.mimetype) == (200, "application/atom+xml")
    hostile = {"title": "<script src=x></script> & 断水", "body": "]]><b>断水します。</b>"}
    made = []
    for texts in (
        {"ja": {"title": "一つ目", "body": "本文。"}},
        {"ja": hostile, "en": {"title": "No water", "body": "<i>"}},
    ):
        clock.pass_(minutes=5)
        draft = town.ok("POST", "/v1/staff/notices", {"texts": texts, "push": "none"}, by="author")
        path = f"/v1/staff/notices/{draft['id']}"
        sent = town.ok("POST", f"{path}/submit", {"version": draft["version"], "accept_warnings": True}, by="author")
        made.append(town.ok("POST", f"{path}/approve", {"content_hash": sent["content_hash"]}, by="approver"))
    town.ok("POST", "/v1/staff/notices", {"texts": {"ja": hostile}}, by="author")  # a draft is nobody's business
    answer = town.call("GET", "/v1/notices.atom")
    root = parsed(answer.data)
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    for path in ("id", "title", "updated", "author/name", "entry/id", "entry/updated", "entry/summary"):
        assert all(told(root, path)), path
    assert told(root, "entry/title") == [hostile["title"], "一つ目"]
    assert told(root, "entry/summary") == [hostile["body"], "本文。"]
    assert told(root, "updated") == [max(told(root, "entry/updated"))]
    for link in root.iterfind("{*}entry/{*}link[@rel='alternate']"):
        assert town.ok("GET", link.attrib["href"].removeprefix("http://127.0.0.1:8000"))["title"]
    english = town.call("GET", "/v1/notices.atom?lang=en")
    assert told(parsed(english.data), "entry/title")[0] == "No water"
    assert english.headers["Content-Language"] == "en"
    same = town.call("GET", "/v1/notices.atom", **{"If-None-Match": answer.headers["ETag"]})
    assert same.status_code == 304
    town.ok("POST", f"/v1/staff/notices/{made[1]['id']}/withdraw", {"reason": "誤り"}, by="author")
    assert told(parsed(town.call("GET", "/v1/notices.atom").data), "entry/title") == ["一つ目"]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 17), st.integers(1, 17), st.integers(1, 2)), max_size=5))
def test_a_hole_is_cut_out_and_no_ground_is_lost_or_added(holes: list[tuple[int, int, int]]) -> None:
    whole: BaseGeometry = box(140.0, 38.0, 140.2, 38.2)
    for x, y, size in holes:
        whole = whole.difference(box(140 + x / 100, 38 + y / 100, 140 + (x + size) / 100, 38 + (y + size) / 100))
    pieces = [Polygon([(lon, lat) for lat, lon in ring]) for ring in rings(whole)]
    assert all(piece.is_valid for piece in pieces)
    assert unary_union(pieces).symmetric_difference(whole).area < 1e-9
    assert sum(piece.area for piece in pieces) == pytest.approx(shapely.area(whole), abs=1e-9)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_makes_a_document_that_can_be_read(text: str) -> None:
    make = Maker(cap.NAMESPACE)
    root = make.root("alert")
    make.add(root, "note", f"a{text}<!ENTITY & ]]>")
    assert parsed(encoded(root))[0].text.endswith("<!ENTITY & ]]>")


def test_media_types_are_the_registered_ones() -> None:
    assert (cap.MEDIA_TYPE, atom.MEDIA_TYPE) == ("application/cap+xml", "application/atom+xml")
