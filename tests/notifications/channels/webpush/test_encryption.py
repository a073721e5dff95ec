"""The example of RFC 8291 to the byte, and messages of and for an implementation that is not ours."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st
from webpush import WebPush
from webpush.types import WebPushKeys, WebPushSubscription

from notifications.channels.standin.browsers import Browser, decrypt
from notifications.channels.webpush.encryption import LARGEST, LARGEST_MESSAGE, encrypt
from notifications.channels.webpush.subscription import from_base64url, to_base64url

# RFC 8291, 5 and appendix A.
PLAINTEXT = b"When I grow up, I want to be a watermelon"
UA_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
UA_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
AUTH = "BTBZMqHH6r4Tts7J_aSIgg"
AS_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
MESSAGE = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(from_base64url(text), "big"), ec.SECP256R1())


def browser() -> Browser:
    return Browser("of-the-rfc", private(UA_PRIVATE), from_base64url(AUTH))


def test_the_example_of_the_rfc_comes_out_to_the_byte() -> None:
    made = encrypt(
        PLAINTEXT, from_base64url(UA_PUBLIC), from_base64url(AUTH), own=private(AS_PRIVATE), salt=from_base64url(SALT)
    )
    assert to_base64url(made) == MESSAGE


def test_the_pretend_browser_reads_the_example_of_the_rfc() -> None:
    assert browser().point == from_base64url(UA_PUBLIC)
    assert decrypt(browser(), from_base64url(MESSAGE)) == PLAINTEXT


def test_the_pretend_browser_reads_what_another_implementation_wrote() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    other = WebPush(
        private_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        public_key=key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        subscriber="push@city.example",
    )
    keys = WebPushKeys(auth=AUTH, p256dh=UA_PUBLIC)
    made = other.get("川端町に避難指示", WebPushSubscription(endpoint="https://push.example/a", keys=keys))
    assert decrypt(browser(), made.encrypted).decode() == "川端町に避難指示"


@settings(max_examples=60)
@given(plaintext=st.binary(max_size=LARGEST))
def test_whatever_is_encrypted_is_read_by_its_browser_alone(plaintext: bytes) -> None:
    mine = browser()
    made = encrypt(plaintext, mine.point, mine.auth)
    assert len(made) == len(plaintext) + 103 <= LARGEST_MESSAGE
    assert decrypt(mine, made) == plaintext
    with pytest.raises(ValueError, match="somebody else"):
        decrypt(Browser("other", private(AS_PRIVATE), mine.auth), made)
    with pytest.raises(ValueError, match="altered"):
        decrypt(mine, made[:-1] + bytes([made[-1] ^ 1]))


def test_each_message_has_a_key_and_a_salt_of_its_own() -> None:
    mine = browser()
    heads = {encrypt(b"x", mine.point, mine.auth)[:86] for _ in range(20)}
    assert len(heads) == 20
    assert len({head[:16] for head in heads}) == len({head[21:] for head in heads}) == 20


def test_what_does_not_fit_one_record_is_refused() -> None:
    mine = browser()
    assert LARGEST == 3_993
    assert len(encrypt(bytes(LARGEST), mine.point, mine.auth)) == LARGEST_MESSAGE
    with pytest.raises(ValueError, match="do not fit"):
        encrypt(bytes(LARGEST + 1), mine.point, mine.auth)
    with pytest.raises(ValueError, match=r"curve|point|valid"):
        encrypt(b"x", b"\x04" + bytes(64), mine.auth)
