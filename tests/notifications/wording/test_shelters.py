"""The line about the nearest shelters."""

from __future__ import annotations

import pytest

from content.texts import LANGUAGES
from geo.hazards import Hazard
from geo.sites import SiteStatus
from notifications.wording.shelters import distance, shelter_line
from notifications.wording.templates import STATUSES


def test_names_distances_and_statuses_are_in_the_order_given():
    line = shelter_line("ja", [("七郷小学校", 447.0, "open"), ("荒井市民センター", 1_250.0, "open")])
    assert line == "近くの避難場所（直線距離）：七郷小学校（約450m・開設中）、荒井市民センター（約1.2km・開設中）。"


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_unknown_status_is_said_and_doubted(language):
    known = shelter_line(language, [("Shichigo", 450.0, "open")])
    unknown = shelter_line(language, [("Shichigo", 450.0, None)])
    assert unknown == shelter_line(language, [("Shichigo", 450.0, "unknown")])
    assert unknown != known
    assert len(unknown) > len(known) + 5


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hazard", [None, *Hazard])
def test_without_shelters_the_line_says_what_to_do_instead(language, hazard):
    line = shelter_line(language, [], hazard=hazard)
    assert "{" not in line
    assert len(line) > 20


def test_the_alternative_fits_the_hazard():
    assert "がけの反対側" in shelter_line("ja", [], hazard="landslide")
    assert "高台" in shelter_line("ja", [], hazard=Hazard.TSUNAMI)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_status_has_its_word(language):
    lines = {shelter_line(language, [("A", 100.0, status)]) for status in SiteStatus}
    assert len(lines) == len(SiteStatus) == len(STATUSES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_three_long_names_stay_small(language):
    line = shelter_line(
        language, [("仙台市立とても長い名前の小学校および併設の市民センター別館" * 2, 12_345.0, None)] * 3
    )
    assert len(line.encode()) <= 600


def test_a_place_without_a_distance_is_named_without_one():
    assert shelter_line("en", [("Hill", None, "open")]).endswith("Hill (open).")


def test_english_puts_a_space_before_the_unit_and_marks_what_is_not_open():
    line = shelter_line("en", [("A", 400.0, "preparing")])
    assert line == (
        "Nearest evacuation sites (straight-line distance): A (about 400 m, getting ready to open)."
        " Those not marked open may not be open yet."
    )


def test_another_language_is_answered_in_japanese():
    assert shelter_line("vi", []) == shelter_line("ja", [])


@pytest.mark.parametrize(
    ("metres", "said"),
    [(0, "10m"), (4, "10m"), (994, "990m"), (996, "1.0km"), (9_940, "9.9km"), (9_960, "10km"), (123_456, "123km")],
)
def test_distances_are_said_as_people_say_them(metres, said):
    assert distance(metres) == said


@pytest.mark.parametrize("metres", [-1, float("nan"), float("inf")])
def test_what_is_no_distance_is_refused(metres):
    with pytest.raises(ValueError, match="no distance"):
        distance(metres)


def test_an_unknown_opening_status_is_refused():
    with pytest.raises(ValueError, match="no opening status"):
        shelter_line("ja", [("A", 1.0, "flooded")])
