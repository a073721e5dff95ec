"""Values of settings are refused where they could do harm later."""

from __future__ import annotations

import pytest

from backend import values


@pytest.mark.parametrize(
    "written",
    [
        "https://tiles.example.jp/{z}/{x}/{y}.png",
        "https://t.example:8443/a/{z}-{y}-{x}",
        "http://127.0.0.1:9/{z}/{x}/{y}",
    ],
)
def test_tiles_are_an_address_with_three_places(written: str) -> None:
    assert values.tiles(written) == written


def test_no_tiles_are_asked_for_by_a_word() -> None:
    assert values.tiles("none") == values.tiles("None") == ""


@pytest.mark.parametrize(
    "written",
    [
        "http://tiles.example.jp/{z}/{x}/{y}.png", "https://tiles.example.jp/{z}/{x}.png", "//tiles/{z}/{x}/{y}",
        "https://{s}.example.jp/{z}/{x}/{y}.png", "https://a; script-src *@b/{z}/{x}/{y}", "https://*/{z}/{x}/{y}",
        "https://user@tiles.example.jp/{z}/{x}/{y}", "https://tiles.example.jp/?{z}{x}{y}", "https://a:b/{z}/{x}/{y}",
        "https://tiles.example.jp/{z}/{x}/{y}/{y}", "https://tiles.example.jp/{z}/{x}/{y};x", "tiles",
    ],
)  # fmt: skip
def test_what_is_no_address_of_tiles_never_reaches_a_header(written: str) -> None:
    with pytest.raises(ValueError, match="must be `none` or an https address"):
        values.tiles(written)
