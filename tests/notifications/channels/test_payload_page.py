"""docs/payload.md is the contract with the city's apps: it names what the code sends, no more and no less."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import orjson
import pytest

from notifications.channels.fcm.body import LARGEST, encode
from notifications.channels.manner import CHANNELS, COLLAPSE_KEYS, KINDS, manner_of
from notifications.channels.promise import Urgency
from notifications.channels.standin.faults import FaultName
from notifications.channels.webpush import body as webpush
from tests.notifications.channels.conftest import NOW, push

PAGE = (Path(__file__).parents[3] / "docs" / "payload.md").read_text(encoding="utf-8")
BY_THE_MESSAGE = {"level", "hazard", "reason", "why", "shelters", "area"}  # put into Push.data by who composes the push


def section(title: str) -> str:
    """The text under a heading."""
    return re.split(r"^## ", PAGE, flags=re.MULTILINE)[[t.split("\n")[0] for t in _sections()].index(title) + 1]


def _sections() -> list[str]:
    return re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]


def first_column(text: str) -> set[str]:
    """Every `name` in the first column of the tables."""
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_every_data_key_is_written_down() -> None:
    sent: set[str] = set()
    for platform in ("android", "ios", "web"):
        for alert_once in (False, True):
            made = push(platform=platform, alert_once=alert_once, data=dict.fromkeys(BY_THE_MESSAGE, "x"))
            sent |= set(orjson.loads(encode(made, NOW, critical_entitled=True))["message"]["data"])
    assert first_column(section("Data keys")) == sent


def test_every_android_channel_is_written_down() -> None:
    assert first_column(section("Android")) == set(CHANNELS)
    for key in COLLAPSE_KEYS:
        assert f"`{key}`" in section("Android")


def test_every_fault_of_the_stand_in_is_written_down() -> None:
    listed = section("Try it without Firebase").split("Faults:")[1]
    assert set(re.findall(r"`([A-Z_]+)`", listed)) == set(FaultName)


@pytest.mark.parametrize(
    ("kind", "level", "drill", "row"),
    [
        ("alert", 4, False, "| evacuation orders, updates, lifting | 24 hours |"),
        ("all_clear", None, False, "| evacuation orders, updates, lifting | 24 hours |"),
        ("shelter", None, False, "| shelters | 6 hours |"),
        ("garbage", None, False, "| reminders of garbage days | 12 hours |"),
        ("child", None, False, "| child-rearing | 7 days |"),
        ("notice", None, False, "| notices | 3 days |"),
        ("digest", None, False, "| digests | 24 hours |"),
        ("alert", 4, True, "| drills | 1 hour |"),
        ("test", None, False, "| test | 10 minutes |"),
    ],
)
def test_the_times_are_those_of_the_code(kind: str, level: int | None, drill: bool, row: str) -> None:
    number, unit = row.split("|")[2].split()
    seconds = {"minutes": 60, "hour": 3_600, "hours": 3_600, "days": 86_400}[unit]
    assert manner_of(kind, level, None, drill).ttl_s == int(number) * seconds
    assert row in PAGE


def test_the_size_and_the_levels_are_those_of_the_code() -> None:
    assert f"{LARGEST:,} bytes" in section("Sizes")
    for urgency in Urgency:
        assert f"`{urgency}`" in section("iOS")
    used = {manner_of(kind, level, "tsunami", False).urgency for kind in KINDS for level in (None, 3, 4, 5)}
    assert used == set(Urgency)


def test_the_example_is_a_push_that_can_be_sent() -> None:
    example = orjson.loads(section("Data keys").split("```json")[1].split("```")[0])
    own = {"message_id", "thread", "kind", "drill", "expires_at", "lang", "link"}
    made = dataclasses.replace(
        push(),
        message_id=example["message_id"],
        thread=example["thread"],
        link=example["link"],
        data={name: value for name, value in example.items() if name not in own},
    )
    assert orjson.loads(encode(made, NOW, critical_entitled=False))["message"]["data"] == example
    assert all(isinstance(shelter["lat"], float) for shelter in orjson.loads(example["shelters"]))
    assert orjson.loads(example["area"])[0][0] == orjson.loads(example["area"])[0][-1]


def test_what_a_browser_gets_is_as_the_page_says() -> None:
    text = section("Web Push (without Firebase)")
    example = orjson.loads(text.split("```json")[1].split("```")[0])
    sent = orjson.loads(webpush.split(webpush.encode(push(platform="webpush", link="https://a.example/b"), NOW))[1])
    assert example.keys() == sent.keys()
    assert example["notification"].keys() == sent["notification"].keys()
    assert example["web_push"] == sent["web_push"]
    assert f"{webpush.LARGEST:,} bytes" in text
    data = orjson.loads(webpush.split(webpush.encode(push(platform="webpush", alert_once=True), NOW))[1])
    assert data["notification"]["data"].keys() <= first_column(section("Data keys"))
