"""Logs hold what happened and how long it took; never where somebody is, never a key."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
import structlog
from flask import Flask

from backend import logs
from backend.config import Settings
from tests.backend.conftest import Clock, opened


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str], settings: Settings) -> Any:
    """What has been written to the log since the last call, parsed; also the text itself."""
    logs.configure(settings)

    def read() -> list[dict[str, Any]]:
        text = capsys.readouterr().err
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]

    return read


@pytest.fixture
def settings(tmp_path: Any) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'empty.db'}")


def test_a_request_is_one_line_with_its_route_and_without_path_and_query(
    lines: Any, settings: Settings, clock: Clock
) -> None:
    for app in opened(settings, clock):

        @app.get("/nearest/<int:cell>")
        def nearest(cell: int) -> str:
            return "ok"

        response = app.test_client().get(
            "/nearest/57403629144?lat=38.2416&lon=140.9552", headers={"Authorization": "Bearer ykd_abcdef"}
        )
        (line,) = lines()
        assert line["route"] == "/nearest/<int:cell>"
        assert (line["method"], line["status"], line["level"]) == ("GET", 200, "info")
        assert line["duration_ms"] >= 0
        assert line["request_id"] == response.headers["X-Request-Id"]
        for hidden in ("57403629144", "38.24", "140.95", "ykd_", "127.0.0.1"):
            assert hidden not in json.dumps(line)


def test_an_unknown_address_is_not_logged_either(lines: Any, settings: Settings, clock: Clock) -> None:
    for app in opened(settings, clock):
        app.test_client().get("/38.2416,140.9552")
        (line,) = lines()
        assert (line["route"], line["status"]) == (None, 404)
        assert "38.24" not in json.dumps(line)


def test_a_client_cannot_choose_the_id_under_which_it_is_logged(bare_app: Flask) -> None:
    response = bare_app.test_client().get("/healthz", headers={"X-Request-Id": 'x", "level": "error'})
    assert len(response.headers["X-Request-Id"]) == 16


def test_a_fault_is_logged_with_its_traceback_and_without_secrets(lines: Any, settings: Settings, clock: Clock) -> None:
    for app in opened(settings, clock):

        @app.post("/fault")
        def fault() -> str:
            raise ValueError("Bearer ykd_0123456789abcdef at 38.241600, 140.955200")

        response = app.test_client().post("/fault")
        fault_line, access_line = lines()
        assert "ValueError" in fault_line["exception"]
        assert fault_line["request_id"] == access_line["request_id"] == response.headers["X-Request-Id"]
        for hidden in ("ykd_", "38.2416", "140.9552"):
            assert hidden not in json.dumps(fault_line)


@pytest.mark.parametrize(
    "event",
    [
        {"authorization": "ykd_9f3a"},
        {"token": "9f3a"},
        {"fcm_token": "9f3a"},
        {"tokens": ["9f3a"]},
        {"device": {"Secret": "9f3a"}},
        {"headers": {"Set-Cookie": "9f3a"}},
        {"staff_key": "9f3a"},
        {"lat": 9.1},
        {"place": {"lon": 9.1, "cells": [9]}},
        {"geometry": {"type": "Polygon"}},
        {"query": "lat=9.1"},
        {"remote_addr": "192.0.2.9"},
        {"note": "sent to Bearer 9f3a"},
        {"note": "yks_9f3a was used"},
        {"note": "GET /nearest?lat=39.91&lon=139.91"},
        {"note": "postgresql://city:9f3a@db/house"},
        {"note": "Point(39.9123, 139.9123)"},
        {"note": ["deep", {"password": "9f3a"}]},
    ],
)
def test_what_is_sensitive_is_masked_wherever_it_stands(event: dict[str, Any]) -> None:
    masked = json.dumps(logs.masked(None, "info", dict(event)))
    assert "9" not in masked, masked
    assert "masked" in masked or "[number]" in masked


def test_what_is_harmless_stays() -> None:
    event = {
        "event": "batch closed",
        "recipients": 500,
        "duration_ms": 12.345,
        "version": "3.11.2",
        "at": "09:00:00.123",
    }
    assert logs.masked(None, "info", dict(event)) == event


def test_libraries_logs_take_the_same_way(lines: Any) -> None:
    logging.getLogger("some.library").warning("refused token=%s", "9f3a")
    structlog.stdlib.get_logger("ours").warning("refused", token="9f3a")
    theirs, ours = lines()
    assert theirs["event"] == "refused token=[masked]"
    assert ours["token"] == "[masked]"
    assert theirs["logger"] == "some.library"


def test_people_may_read_it_instead(capsys: pytest.CaptureFixture[str], settings: Settings) -> None:
    logs.configure(Settings(database_url=settings.database_url, log_format="console", log_level="warning"))
    structlog.stdlib.get_logger("ours").warning("look here", token="9f3a")
    structlog.stdlib.get_logger("ours").info("not this")
    text = capsys.readouterr().err
    assert "look here" in text
    assert "9f3a" not in text
    assert "not this" not in text
