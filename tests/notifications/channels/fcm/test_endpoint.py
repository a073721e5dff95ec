"""A real key never reaches a stand-in, the stand-in's never Google, and nothing is sent anywhere else."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from notifications.channels.fcm import EndpointError, open_channel
from notifications.channels.fcm.endpoint import check_endpoint
from tests.notifications.channels.conftest import Standin

LOOPBACK = "http://127.0.0.1:8085"
OURS = {
    "client_email": "sender@yobikake-standin.invalid",
    "project_id": "yobikake-standin",
    "token_uri": f"{LOOPBACK}/token",
}
REAL = {
    "client_email": "push@a-city.iam.gserviceaccount.com",
    "project_id": "a-city",
    "token_uri": "https://oauth2.googleapis.com/token",
}


def test_google_is_the_default() -> None:
    endpoint = check_endpoint(None, REAL, None)
    assert endpoint.send_url == "https://fcm.googleapis.com/v1/projects/a-city/messages:send"
    assert not endpoint.loopback
    assert check_endpoint("https://fcm.googleapis.com/", REAL, "other").project_id == "other"


def test_a_named_loopback_address_with_its_own_key_is_taken() -> None:
    endpoint = check_endpoint(f"{LOOPBACK}/", OURS, None)
    assert endpoint.send_url == f"{LOOPBACK}/v1/projects/yobikake-standin/messages:send"
    assert endpoint.loopback
    ipv6 = dict(OURS, token_uri="http://[::1]:9/token")
    assert check_endpoint("http://[::1]:9", ipv6, None).origin == "http://[::1]:9"


@pytest.mark.parametrize(
    ("endpoint", "info", "reason"),
    [
        (LOOPBACK, REAL, "a real key is never sent"),
        (LOOPBACK, dict(REAL, token_uri=f"{LOOPBACK}/token"), "a real key is never sent"),
        (LOOPBACK, dict(OURS, token_uri="http://127.0.0.1:8086/token"), "must be the same stand-in"),
        (LOOPBACK, dict(OURS, token_uri="https://oauth2.googleapis.com/token"), "must be the same stand-in"),
        (None, OURS, "refused for Google"),
        (None, dict(OURS, token_uri="https://oauth2.googleapis.com/token"), "refused for Google"),
        (None, dict(REAL, token_uri="https://oauth2.example.com/token"), "is not Google's"),
        (None, dict(REAL, token_uri="http://oauth2.googleapis.com/token"), "is not Google's"),
        (None, dict(REAL, token_uri=None), "is not Google's"),
        ("http://192.168.0.5:8085", OURS, "neither Google nor a loopback address"),
        ("http://localhost:8085", OURS, "neither Google nor a loopback address"),
        ("https://fcm.googleapis.com.example.com", REAL, "neither Google nor a loopback address"),
        ("http://127.0.0.1.example.com", OURS, "neither Google nor a loopback address"),
        ("http://user@127.0.0.1:8085", OURS, "scheme, host and port only"),
        ("http://127.0.0.1:8085/v1", OURS, "scheme, host and port only"),
        ("ftp://127.0.0.1:8085", OURS, "scheme, host and port only"),
        ("http://127.0.0.1:x", OURS, "is not a number"),
        ("127.0.0.1:8085", OURS, "scheme, host and port only"),
        (None, dict(REAL, project_id=None), "project id '' is empty"),
        (None, dict(REAL, project_id="a/../b"), "malformed"),
    ],
)
def test_every_other_pair_is_refused(endpoint: str | None, info: dict[str, Any], reason: str) -> None:
    with pytest.raises(EndpointError, match=reason):
        check_endpoint(endpoint, info, None)


def test_a_real_looking_key_is_refused_before_anything_is_sent(standin: Standin) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    real = dict(REAL, type="service_account", private_key=pem.decode(), private_key_id="1", client_id="1")
    before = standin.control("GET", "health")
    with pytest.raises(EndpointError, match="a real key is never sent"):
        open_channel(credentials=real, endpoint=standin.url)
    assert standin.control("GET", "health") == before


def test_credentials_files_are_refused_by_name_and_reason(tmp_path: Path) -> None:
    missing, text, other = tmp_path / "missing.json", tmp_path / "text.json", tmp_path / "list.json"
    text.write_text("secret words")
    other.write_text("[]")
    for file, reason in ((missing, "cannot be read"), (text, "is not JSON"), (other, "is not a service account")):
        with pytest.raises(ValueError, match=f"{file.name} {reason}") as caught:
            open_channel(credentials=file)
        assert "secret" not in str(caught.value)
    with pytest.raises(ValueError, match="type"):
        open_channel(credentials=dict(REAL, private_key="x"))


def test_the_standins_key_is_for_its_owner_only(standin: Standin) -> None:
    assert stat.S_IMODE(standin.key_file.stat().st_mode) == 0o600
    info = json.loads(standin.key_file.read_text())
    assert info["client_email"].endswith(".invalid")
    assert info["token_uri"] == f"{standin.url}/token"
    assert info["project_id"] == "yobikake-standin"
