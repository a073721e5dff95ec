"""The signed word to each service, checked by another library than the one that signs and by hand."""

from __future__ import annotations

import base64
import datetime as dt
import json
import stat
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from notifications.channels.webpush.subscription import from_base64url
from notifications.channels.webpush.vapid import LASTS, RENEWED_AFTER, Vapid, make_key_file, public_key_of, read_key
from tests.notifications.channels.conftest import NOW

GOOGLE = "https://fcm.googleapis.com"


class Clock:
    now = NOW

    def __call__(self) -> dt.datetime:
        return self.now


def vapid(clock: Clock | None = None) -> Vapid:
    return Vapid(ec.generate_private_key(ec.SECP256R1()), "mailto:push@city.example", clock or Clock())


def parts(authorization: str) -> tuple[str, bytes]:
    scheme, _, rest = authorization.partition(" ")
    assert scheme == "vapid"
    values = dict(part.strip().split("=", 1) for part in rest.split(","))
    return values["t"], from_base64url(values["k"])


def test_the_word_holds_who_for_whom_and_until_when_and_its_signature_is_right() -> None:
    made = vapid()
    token, point = parts(made.authorization(GOOGLE))
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    claims = jwt.decode(token, public, algorithms=["ES256"], audience=GOOGLE, options={"verify_exp": False})
    assert claims == {"aud": GOOGLE, "exp": int((NOW + LASTS).timestamp()), "sub": "mailto:push@city.example"}
    # By hand (RFC 7515, 7518): the two numbers of the signature over the two texts before it.
    signed, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    public.verify(encode_dss_signature(*numbers), signed.encode(), ec.ECDSA(hashes.SHA256()))
    header = json.loads(base64.urlsafe_b64decode(signed.split(".")[0] + "=="))
    assert header == {"alg": "ES256", "typ": "JWT"}
    assert claims["exp"] - NOW.timestamp() < 24 * 3_600


def test_one_word_serves_a_service_for_half_its_time_and_no_other_service() -> None:
    clock = Clock()
    made = vapid(clock)
    first = made.authorization(GOOGLE)
    clock.now = NOW + RENEWED_AFTER - dt.timedelta(seconds=1)
    assert made.authorization(GOOGLE) is first
    assert parts(made.authorization("https://web.push.apple.com"))[0] != parts(first)[0]
    clock.now = NOW + RENEWED_AFTER
    assert made.authorization(GOOGLE) != first
    second = made.authorization(GOOGLE)
    clock.now = NOW  # a clock that was set back: the word would be from the future
    assert made.authorization(GOOGLE) not in (first, second)
    third = made.authorization(GOOGLE)
    made.renew(GOOGLE)
    assert made.authorization(GOOGLE) is not third


@pytest.mark.parametrize(
    "subject",
    ["push@city.example", "mailto:push@localhost", "mailto:", "http://city.example", "https://localhost", "", "x",
     "mailto:a b@city.example", "https://user@city.example"],
)  # fmt: skip
def test_a_subject_that_services_refuse_is_refused_here(subject: str) -> None:
    with pytest.raises(ValueError, match="mailto"):
        Vapid(ec.generate_private_key(ec.SECP256R1()), subject, Clock())


def test_a_key_file_is_its_owners_alone_and_never_written_over(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "vapid.pem"
    public = make_key_file(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(from_base64url(public)) == 65
    assert public_key_of(file) == public
    before = file.read_bytes()
    with pytest.raises(FileExistsError):
        make_key_file(file)
    assert file.read_bytes() == before


def test_a_key_that_is_none_is_refused_without_its_content(tmp_path: Path) -> None:
    p256, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP384R1())
    pem = (Encoding.PEM, PrivateFormat.PKCS8)
    wrong = {
        "absent": None,
        "text": b"SECRET-TEXT",
        "curve": other.private_bytes(*pem, NoEncryption()),
        "kind": rsa.generate_private_key(65537, 2048).private_bytes(*pem, NoEncryption()),
        "locked": p256.private_bytes(*pem, BestAvailableEncryption(b"x")),
    }
    for name, content in wrong.items():
        file = tmp_path / name
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(ValueError, match=f"the VAPID key {file}") as caught:
            read_key(file)
        assert "SECRET" not in str(caught.value)
