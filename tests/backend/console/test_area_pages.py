"""Named areas in the console: the tree, names and boundaries, edited after a look and without a word to anybody."""

from __future__ import annotations

import io
import json
from typing import Any

from database import db, transaction
from geo import area_edit, areas
from geo.geofence import area_km2
from tests.backend.console.browser import Browser
from tests.backend.console.conftest import Hall
from tests.backend.console.test_childcare_pages import messages
from tests.backend.console.test_garbage_pages import fill, officer

WARD, OTHER = "山の手区", "中央区"
SQUARE = "38.2400, 140.8700\n38.2400, 140.8800\n38.2500, 140.8800\n38.2500, 140.8700"


def code_of(hall: Hall, name: str) -> str:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        return areas.find(session, name)[0].code


def size(hall: Hall, code: str) -> float:
    with hall.app.app_context(), transaction(db.engine, "read") as session:
        found = areas.get(session, code)
        assert found is not None
        drawn = area_edit.shape_of(found)
        return area_km2(drawn) if drawn is not None else 0.0


def send(browser: Browser, code: str, fields: dict[str, Any]) -> int:
    """The form with a file in it, as browsers send it."""
    form = browser.form("/edit")
    whole = {**form.fields.to_dict(), **fields}
    answer = browser.client.post(f"/console/areas/{code}/edit", data=whole, content_type="multipart/form-data")
    browser._shown(answer)
    return answer.status_code


def test_areas_hang_below_each_other_and_are_found_by_name_or_reading(hall: Hall) -> None:
    browser = hall.browser("reader")
    assert WARD in browser.open("/console/areas").text
    for q in ("坂下町", "さかした", "山の手区坂下町"):
        assert "坂下町" in browser.open(f"/console/areas?q={q}").text
    town = browser.open(f"/console/areas/{code_of(hall, '坂下町')}").text
    assert "0001001" in town
    assert "山の手区坂下町</a>" in town, "the calendar of garbage that holds there"
    assert "/edit" not in town
    assert browser.open("/console/areas/nowhere").status_code == 404


def test_a_name_is_changed_found_and_brought_back(hall: Hall) -> None:
    browser, second, before = officer(hall), hall.browser("administrator"), messages(hall)
    code = code_of(hall, "緑ケ丘")
    for one in (browser, second):
        one.open(f"/console/areas/{code}/edit")
    assert fill(browser, "/edit", None, {"name": "翠ケ丘", "name_kana": "みどりがおか"}) == 200
    assert fill(second, "/edit", None, {"name": "緑が丘"}) == 409
    assert "翠ケ丘" in second.text
    assert second.form("/edit").fields["name"] == "緑が丘"
    assert code_of(hall, "翠ケ丘") == code
    assert code_of(hall, "みどりがおか") == code
    browser.open(f"/console/areas/{code}/edit")
    assert fill(browser, "/edit", None, {"name": " "}) == 422
    browser.open(f"/console/areas/{code}/history")
    browser.send("/restore/1")
    assert code_of(hall, "緑ケ丘") == code
    assert messages(hall) == before


def test_a_boundary_comes_from_corners_a_file_or_other_areas_and_is_looked_at_first(hall: Hall) -> None:
    browser, code = officer(hall), code_of(hall, WARD)
    whole, path = size(hall, code), f"/console/areas/{code_of(hall, WARD)}/edit"
    browser.open(path)
    assert fill(browser, "/edit", None, {"corners": "38.24, 140.87\n三行目"}) == 422
    assert "2行目を読めません" in browser.text
    lines = SQUARE.split("\n")
    assert fill(browser, "/edit", None, {"corners": "\n".join([lines[0], lines[2], lines[1], lines[3]])}) == 422
    assert "線が交わっています" in browser.text
    fill(browser, "/edit", None, {"corners": SQUARE})
    assert "境界が変わります" in browser.text
    assert size(hall, code) == whole
    fill(browser, "/edit", None, {})
    assert 0.9 < size(hall, code) < 1.1
    kept = browser.client.get(f"/console/areas/{code}/boundary").get_json()
    browser.open(path)
    other = browser.client.get(f"/console/areas/{code_of(hall, OTHER)}/boundary").get_json()
    file = {"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {}, "geometry": other}]}
    send(browser, code, {"file": (io.BytesIO(json.dumps(file).encode()), "new.geojson")})
    fill(browser, "/edit", None, {})
    assert abs(size(hall, code) - size(hall, code_of(hall, OTHER))) < 0.01
    browser.open(path)
    assert send(browser, code, {"file": (io.BytesIO(b"\xff\xfe"), "no.geojson")}) == 422
    assert fill(browser, "/edit", None, {"plus": "nowhere"}) == 422
    both = f"{code_of(hall, '浜区')} {code_of(hall, OTHER)}"
    fill(browser, "/edit", None, {"plus": both, "minus": code_of(hall, OTHER)})
    fill(browser, "/edit", None, {})
    assert abs(size(hall, code) - size(hall, code_of(hall, "浜区"))) < 0.01
    browser.open(f"/console/areas/{code}/history")
    assert "km²" in browser.text
    assert str(kept["coordinates"][0][0]) not in browser.text
    browser.send("/restore/1")
    assert abs(size(hall, code) - whole) < 1e-6


def test_names_in_other_languages_are_kept_with_their_history(hall: Hall) -> None:
    browser, code = officer(hall), code_of(hall, WARD)
    browser.open(f"/console/areas/{code}/edit")
    assert fill(browser, "/edit", None, {"names.en": "x\ty"}) == 422
    assert 'href="#names.en"' in browser.text
    assert fill(browser, "/edit", None, {"names.en": "Yamanote Ward", "names.ko": "야마노테구"}) == 200
    assert "Yamanote Ward" in browser.text
    browser.open("/console/language/en?next=/console/areas")
    assert "Yamanote Ward" in browser.open("/console/areas").text
    page = browser.open(f"/console/areas/{code}/history").text
    assert "Names in other languages" in page
    assert "야마노테구" in page
    browser.send("/restore/1")
    assert "Yamanote" not in browser.open(f"/console/areas/{code}").text


def test_an_area_is_on_the_map_and_told_in_words(hall: Hall) -> None:
    browser, code = officer(hall), code_of(hall, WARD)
    page = browser.open(f"/console/areas/{code}").text
    assert f'data-area="/console/map/areas?code={code}"' in page
    assert "東西" in page
    assert "北緯 38." in page
    (drawn,) = browser.client.get(f"/console/map/areas?code={code}").get_json()["features"]
    assert drawn["geometry"]["type"] == "MultiPolygon"
    browser.open(f"/console/areas/{code}/edit")
    fill(browser, "/edit", None, {"corners": SQUARE})
    assert "data-shape=" in browser.text
    assert f'data-before="/console/map/areas?code={code}"' in browser.text
    town = browser.open(f"/console/areas/{code_of(hall, '坂下町')}").text
    assert "data-area=" not in town or "境界なし" not in town
