""" "Can I receive?": a real push that a device asks for, to itself only."""

from __future__ import annotations

import datetime as dt
import secrets

from sqlalchemy.orm import Session

from notifications import messages
from notifications.audiences import Audience
from notifications.devices import Device
from notifications.identifier import RandomBytes, derived_identifier, new_identifier
from notifications.messages import Kind, Lane, Message, Saying

VALID_FOR = dt.timedelta(minutes=10)

TEXTS = {
    "ja": {"title": "受信テスト", "body": "このスマートフォンは、市からのお知らせを受け取れます。"},
    "ja-x-easy": {
        "title": "テスト",
        "body": "これは テスト です。この スマートフォンは 市からの お知らせを 受けることが できます。",
    },
    "en": {"title": "Test notification", "body": "This phone can receive messages from the city."},
    "zh-Hans": {"title": "接收测试", "body": "这部手机可以收到本市发送的通知。"},
    "ko": {"title": "수신 테스트", "body": "이 휴대전화는 시에서 보내는 알림을 받을 수 있습니다."},
}


def send(
    session: Session, device: Device, now: dt.datetime, public_url: str, random_bytes: RandomBytes = secrets.token_bytes
) -> Message:
    """Sends a device a test message through the very path an alert takes. Its outcome shows in the inbox."""
    saying = Saying(
        origin=f"test:{new_identifier(random_bytes)}",
        # Each test replaces the one before on the phone.
        thread=derived_identifier("test", device.public_id),
        kind=Kind.TEST,
        lane=Lane.TEST,
        texts=TEXTS,
        link=f"{public_url.rstrip('/')}/v1/devices/me/inbox",
        reason="test",
        audience=Audience(device_id=device.id),
        expires_at=now + VALID_FOR,
    )
    return messages.post(session, saying, now)
