"""An area is drawn, mended and subtracted from on the map, by mouse and by keyboard; the list of corners follows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from content.editors import Role
from tests.browser.conftest import Comes
from tests.browser.hall import Hall

pytestmark = pytest.mark.story


class Drawing:
    """The map of a form, and the list beside it."""

    def __init__(self, comes: Comes, hall: Hall, path: str) -> None:
        officer = comes(who=hall.one(Role.AUTHOR))
        officer.open(path)
        self.page: Page = officer.page
        self.map: Locator = self.page.locator("#area-map[data-ready=yes]")
        self.map.scroll_into_view_if_needed()
        size = self.map.bounding_box()
        assert size is not None
        self.size = size

    def place(self, x: float, y: float) -> tuple[float, float]:
        return self.size["x"] + self.size["width"] * x, self.size["y"] + self.size["height"] * y

    def click(self, *corners: tuple[float, float]) -> None:
        for corner in corners:
            self.page.mouse.click(*self.place(*corner))

    def drag(self, before: tuple[float, float], after: tuple[float, float]) -> None:
        self.page.mouse.move(*self.place(*before))
        self.page.mouse.down()
        self.page.mouse.move(*self.place(*after), steps=4)
        self.page.mouse.up()

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tool(self, name: str) -> None:
        self.page.locator(f"[data-do={name}]").click()

    def corners(self, field: str = "corners") -> list[str]:
        return self.page.locator(f"#{field}").input_value().splitlines()

    def says(self, words: str) -> None:
        expect(self.page.locator("[data-said]")).to_contain_text(re.compile(words))


def test_a_city_with_too_many_shelters_shows_those_in_view(hall: Hall, comes: Comes) -> None:
    officer = comes(who=hall.one(Role.AUTHOR))
    asked: list[str] = []

    def too_many(route: Route) -> None:
        asked.append(route.request.url)
        found = route.fetch().json()
        route.fulfill(json={**found, "more": "in=" not in route.request.url})

    officer.page.route("**/console/map/shelters*", too_many)
    officer.open("/console/alerts/new")
    officer.page.locator("#area-map[data-ready=yes]").scroll_into_view_if_needed()
    expect(officer.page.locator(".map-site").first).to_be_attached()
    far = len(asked)
    assert [bool(re.search(r"\?in=[\d.,-]+(&hazard=\w+)?$", one)) for one in asked][:2] == [False, True]
    officer.page.locator(".leaflet-control-zoom-in").click()
    expect(officer.page.locator(".map-site").first).to_be_attached()
    officer.page.wait_for_load_state("networkidle")
    assert len(asked) > far
    assert asked[-1] != asked[far - 1]
    officer.page.unroute_all(behavior="ignoreErrors")


def test_by_mouse(hall: Hall, comes: Comes) -> None:
    drawing = Drawing(comes, hall, "/console/alerts/new")
    drawing.tool("target")
    drawing.click((0.3, 0.3), (0.6, 0.3), (0.6, 0.6), (0.3, 0.6))
    assert len(drawing.corners()) == 4
    drawing.click((0.3, 0.3))
    drawing.says("対象の図形ができました。角4")
    first = drawing.corners()

    drawing.drag((0.6, 0.3), (0.7, 0.2))
    moved = drawing.corners()
    assert [at for at in range(4) if moved[at] != first[at]] == [1]
    drawing.drag((0.45, 0.6), (0.45, 0.7))
    assert len(drawing.corners()) == 5
    drawing.tool("corner")
    assert drawing.corners() == moved

    crossing = drawing.page.locator("[data-crossing]")
    expect(crossing).to_be_hidden()
    drawing.drag((0.3, 0.6), (0.8, 0.4))
    expect(crossing).to_be_visible()
    drawing.tool("undo")
    expect(crossing).to_be_hidden()
    assert drawing.corners() == moved

    drawing.tool("minus")
    drawing.click((0.4, 0.4), (0.5, 0.4), (0.5, 0.5))
    drawing.tool("finish")
    assert len(drawing.corners("minus_corners")) == 3

    field = drawing.page.locator("#corners")
    drawing.page.get_by_text("図形の角を書く", exact=True).click()
    field.fill("38.20, 140.90\n38.20, 140.93\n38.23")
    drawing.says("3行目を読めません")
    drawing.tool("target")
    drawing.says("3行目を読めません")
    assert drawing.corners()[2] == "38.23"
    field.fill("38.20, 140.90\n38.20, 140.93\n38.23, 140.93")
    drawing.says("一覧のとおりに描きました")
    expect(drawing.page.locator(".map-corner.target")).to_have_count(3)


def test_by_keyboard(hall: Hall, comes: Comes) -> None:
    drawing = Drawing(comes, hall, "/console/drills/new")
    drawing.page.locator("[data-do=target]").focus()
    drawing.press("Enter")
    expect(drawing.map).to_be_focused()
    drawing.press("Enter", "ArrowRight", "ArrowRight", "Enter", "ArrowDown", "ArrowDown", "Enter", "Enter")
    drawing.says("対象の図形ができました。角3")
    expect(drawing.page.locator(".map-cross")).to_be_visible()
    first = drawing.corners()
    lat, lon = zip(*((float(part) for part in corner.split(", ")) for corner in first), strict=True)
    assert lat[2] < lat[1]
    assert lon[0] < lon[1] == lon[2]

    # Picked up, carried, put down; picked up again and taken back.
    drawing.press("Enter", "ArrowLeft", "Shift+ArrowDown", "Enter")
    drawing.says("角3を動かしました")
    moved = drawing.corners()
    assert moved[:2] == first[:2]
    assert moved[2] != first[2]
    drawing.press("Enter", "ArrowUp", "Escape")
    assert drawing.corners() == moved

    # Half-way along a line Enter adds a corner; Delete takes it away; three must stay.
    drawing.press("PageDown")
    drawing.says("角1")
    drawing.press("ArrowRight", "Enter", "ArrowUp", "Enter")
    assert len(drawing.corners()) == 4
    drawing.press("Delete")
    assert drawing.corners() == moved
    drawing.press("PageDown", "Delete")
    drawing.says("角は三つ要ります")

    # Esc gives a drawing up, Ctrl+Z brings it back.
    drawing.page.locator("[data-do=minus]").focus()
    drawing.press("Enter", "Enter", "ArrowDown", "Enter", "Escape")
    assert drawing.corners("minus_corners") == []
    drawing.press("Control+z")
    assert len(drawing.corners("minus_corners")) == 2
    assert drawing.corners() == moved
