"""Settings are read once, refused with the variable's name and the reason, and documented one by one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from backend.config import SettingError, Settings, variables

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_document_and_the_code_name_the_same_settings_with_the_same_defaults_and_words() -> None:
    rows = re.findall(r"^\| `(YOBIKAKE_\w+)` \| (.*?) \| (.*) \|$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {name: (default.strip("`"), words) for name, default, words in rows}
    assert len(documented) == len(rows), "a setting has two rows"
    coded = {name: (field.metadata["default"] or "–", field.metadata["doc"]) for name, field in variables().items()}
    assert documented == coded


def test_every_default_passes_its_own_parser() -> None:
    assert Settings() == Settings.from_environment({})
    assert (
        Settings.from_environment({name: field.metadata["default"] for name, field in variables().items()})
        == Settings()
    )


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("YOBIKAKE_TIME_ZONE", "Asia/Tokio", "no such time zone"),
        ("YOBIKAKE_TIME_ZONE", "../etc/passwd", "no such time zone"),
        ("YOBIKAKE_FCM_SENDER", "http", "one of auto, curl, library"),
        ("YOBIKAKE_FCM_TIMEOUT", "soon", "not a number"),
        ("YOBIKAKE_FCM_TIMEOUT", "nan", "must be from 1 to 120"),
        ("YOBIKAKE_FCM_CONNECTIONS", "2.5", "not a whole number"),
        ("YOBIKAKE_LEASE_SECONDS", "0", "must be from 2 to 600"),
        ("YOBIKAKE_TRUSTED_PROXIES", "-1", "must be from 0 to 10"),
        ("YOBIKAKE_IOS_CRITICAL", "maybe", "write true or false"),
        ("YOBIKAKE_PUBLIC_URL", "push.city.example.jp", "whole address"),
        ("YOBIKAKE_FCM_ENDPOINT", "ftp://x", "whole address"),
        ("YOBIKAKE_OPERATOR_WEBHOOK_URL", "http://[::1", "whole address"),
        ("YOBIKAKE_DATABASE_URL", "mysql://city/x", "use sqlite or postgresql"),
        ("YOBIKAKE_DATABASE_URL", "data/yobikake.db", "not a database URL"),
        ("YOBIKAKE_DATABASE_URL", "sqlite://", "needs a file"),
        ("YOBIKAKE_LIMITS_URL", "redis://localhost", "use sqlite or postgresql"),
        ("YOBIKAKE_LOG_FORMAT", "xml", "one of json, console"),
        ("YOBIKAKE_MAX_BODY_BYTES", "12", "must be from 10000"),
    ],
)
def test_a_bad_value_is_refused_naming_the_variable_and_the_reason(name: str, value: str, reason: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}=.*{reason}"):
        Settings.from_environment({name: value})


def test_a_variable_that_does_not_exist_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(SettingError, match=r"YOBIKAKE_DATABSE_URL: .*did you mean YOBIKAKE_DATABASE_URL"):
        Settings.from_environment({"YOBIKAKE_DATABSE_URL": "sqlite:///x.db"})


def test_a_refused_url_does_not_show_its_password() -> None:
    with pytest.raises(SettingError) as refused:
        Settings.from_environment({"YOBIKAKE_DATABASE_URL": "mysql://city:pa55word@db/x"})
    assert "pa55word" not in str(refused.value)


def test_other_programs_variables_are_left_alone_and_an_empty_value_counts_as_not_set() -> None:
    assert (
        Settings.from_environment({"HOME": "/x", "YOBIKAKE_CITY_NAME": "", "YOBIKAKE_FCM_PROJECT": " "}) == Settings()
    )


def test_a_relative_sqlite_file_belongs_to_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_environment({"YOBIKAKE_DATABASE_URL": "sqlite:///data/city.db"})
    assert settings.database_url == f"sqlite:///{tmp_path}/data/city.db"
    assert settings.limits_url == f"sqlite:///{tmp_path}/data/city-limits.db"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_is_spoken_to_through_psycopg_and_keeps_the_limits_too(scheme: str) -> None:
    settings = Settings.from_environment({"YOBIKAKE_DATABASE_URL": f"{scheme}://city:pa55@db/house"})
    assert settings.database_url == settings.limits_url == "postgresql+psycopg://city:pa55@db/house"


def test_a_hosts_port_is_listened_on_unless_an_address_is_set() -> None:
    assert Settings.from_environment({"PORT": "5000"}).listen == "0.0.0.0:5000"
    assert Settings.from_environment({"PORT": "5000", "YOBIKAKE_LISTEN": "[::1]:80"}).listen == "[::1]:80"
    with pytest.raises(SettingError, match="PORT='x': not a whole number"):
        Settings.from_environment({"PORT": "x"})


def test_the_driver_follows_the_store_unless_it_is_named() -> None:
    postgresql = {"YOBIKAKE_DATABASE_URL": "postgresql+psycopg://city@db/yobikake"}
    assert Settings.from_environment({}).driving == "embedded"
    assert Settings.from_environment(postgresql).driving == "fleet"
    assert Settings.from_environment(postgresql | {"YOBIKAKE_DRIVER": "embedded"}).driving == "embedded"
    with pytest.raises(SettingError, match="YOBIKAKE_DRIVER=fleet needs PostgreSQL"):
        Settings.from_environment({"YOBIKAKE_DRIVER": "fleet"})
