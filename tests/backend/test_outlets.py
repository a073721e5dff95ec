"""Every outlet that the settings configure is opened; one that cannot be is left out aloud or refused at the start."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner

from backend import channel
from backend.cli.webpush import command
from backend.config import SettingError, Settings
from notifications.channels import webpush
from notifications.channels.promise import Outlet, PayloadError
from notifications.channels.standin.account import Account
from notifications.channels.webpush.vapid import make_key_file, public_key_of
from tests.notifications.channels.conftest import NOW, push

SUBJECT = "mailto:push@city.example"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key_file(tmp_path / "vapid.pem")
    return tmp_path / "vapid.pem"


def test_nothing_configured_opens_nothing() -> None:
    assert channel.outlets(Settings()) == {}


def test_each_outlet_is_opened_when_it_is_configured(key: Path, tmp_path: Path) -> None:
    account = Account(tmp_path / "account.json", "http://127.0.0.1:9/token")
    fcm = {"fcm_credentials": account.path, "fcm_endpoint": "http://127.0.0.1:9", "fcm_sender": "curl"}
    browsers = {"vapid_key": key, "vapid_subject": SUBJECT}
    for settings, expected in (
        (Settings(**fcm), {Outlet.FCM}),
        (Settings(**browsers), {Outlet.WEBPUSH}),
        (Settings(**fcm, **browsers), {Outlet.FCM, Outlet.WEBPUSH}),
    ):
        opened = channel.outlets(settings)
        assert set(opened) == expected
        assert {outlet: one.name for outlet, one in opened.items()} == {outlet: outlet.value for outlet in expected}
        for one in opened.values():
            one.close()


def test_without_libcurl_web_push_is_left_out_and_the_rest_goes_on(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webpush, "unusable", lambda: "pycurl cannot be loaded")
    assert channel.outlets(Settings(vapid_key=key, vapid_subject=SUBJECT)) == {}


def test_a_push_is_encoded_as_its_outlet_would_need_it() -> None:
    settings = Settings()
    assert channel.encode(settings, push(), NOW).startswith(b'{"message":')
    assert channel.encode(settings, push(platform="webpush"), NOW).startswith(b"TTL: ")
    with pytest.raises(PayloadError, match="3993"):
        channel.encode(settings, push(platform="webpush", body="あ" * 1_400), NOW)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"VAPID_KEY": "vapid.pem"}, "YOBIKAKE_VAPID_SUBJECT must be set"),
        ({"VAPID_SUBJECT": "push@city.example"}, "mailto:"),
        ({"WEBPUSH_SERVICES": "https://ntfy.sh"}, "not the name of a push service"),
        ({"WEBPUSH_STANDIN": "http://10.0.0.1:8085"}, "loopback"),
        (
            {"VAPID_KEY": "v.pem", "VAPID_SUBJECT": SUBJECT, "WEBPUSH_TIMEOUT": "20"},
            "at least twice YOBIKAKE_WEBPUSH_TIMEOUT",
        ),
    ],
)
def test_a_setting_that_cannot_be_is_refused(environment: dict[str, str], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        Settings.from_environment({f"YOBIKAKE_{name}": value for name, value in environment.items()})


def test_services_are_named_with_commas_between() -> None:
    settings = Settings.from_environment({"YOBIKAKE_WEBPUSH_SERVICES": "ntfy.sh, *.push.example.org"})
    assert settings.webpush_services == ("ntfy.sh", "*.push.example.org")
    assert channel.services(settings).check("https://ntfy.sh/upX").trusted


def test_the_command_makes_a_key_once_and_prints_the_public_one(tmp_path: Path) -> None:
    file = tmp_path / "vapid.pem"
    made = CliRunner().invoke(command, ["keys", str(file)])
    assert made.exit_code == 0
    assert made.stdout.strip() == public_key_of(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    again = CliRunner().invoke(command, ["keys", str(file)])
    assert again.exit_code == 1
    assert public_key_of(file) in again.output
    assert file.read_bytes() == before
    assert "PRIVATE" not in made.output + again.output
