"""Forms that come back, with what is wrong, what somebody else saved or what would change: no barrier there either."""

from __future__ import annotations

import pytest

from content.editors import Role
from tests.browser.conftest import Comes
from tests.browser.hall import Hall
from tests.browser.officer import PHONE, Officer
from tests.browser.test_every_page import WIDER, barriers

pytestmark = pytest.mark.story

AREA, CALENDAR = "/console/areas/04991/edit", "/console/garbage/areas/1/edit"
SQUARE = "38.2400, 140.8700\n38.2400, 140.8800\n38.2500, 140.8800\n38.2500, 140.8700"


def send(
    officer: Officer, path: str | None, name: str, value: str, button: str = "main form.steps button.main"
) -> None:
    """Types into one field, wherever it is folded away, and presses the button."""
    if path is not None:
        officer.open(path)
    field = officer.page.locator(f"[name='{name}']").first
    field.evaluate("one => { for (let e = one; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true }")
    field.fill(value)
    officer.press(officer.page.locator(button).last)


def test_a_form_with_an_error_ties_it_to_its_field(hall: Hall, comes: Comes) -> None:
    officer = comes(who=hall.one(Role.DUTY_OFFICER), size=PHONE)
    send(officer, AREA, "corners", "38.24, 140.87\n三行目")
    field = officer.page.locator("#corners")
    assert field.get_attribute("aria-invalid") == "true"
    words = [
        officer.page.locator(f"#{one}").inner_text() for one in (field.get_attribute("aria-describedby") or "").split()
    ]
    assert any("2行目" in one for one in words)
    assert field.input_value() == "38.24, 140.87\n三行目"
    assert barriers(officer) == []
    assert officer.page.evaluate(WIDER) == []


def test_a_new_boundary_is_looked_at_on_the_map_and_in_words(hall: Hall, comes: Comes) -> None:
    officer = comes(who=hall.one(Role.DUTY_OFFICER), size=PHONE)
    send(officer, AREA, "corners", SQUARE)
    officer.page.locator("#place-map[data-ready=yes] path.map-saved").wait_for(state="attached")
    assert officer.page.locator("#place-map path.map-drawn").count() == 1
    assert "境界が変わります" in officer.text
    assert barriers(officer) == []
    assert officer.page.evaluate(WIDER) == []


def test_who_comes_second_reads_what_the_first_saved(hall: Hall, comes: Comes) -> None:
    first, second = (comes(who=hall.one(role), size=PHONE) for role in (Role.DUTY_OFFICER, Role.ADMINISTRATOR))
    for officer in (first, second):
        officer.open(CALENDAR)
    send(first, None, "note.ja", "先の人の注記", "button[value=preview]:not(.unseen)")
    first.press(first.page.locator("button[value=save]"))
    send(second, None, "note.ja", "後の人の注記", "button[value=preview]:not(.unseen)")
    assert "先の人の注記" in second.text
    assert second.page.locator("[name='note.ja']").input_value() == "後の人の注記"
    assert barriers(second) == []
    assert second.page.evaluate(WIDER) == []
