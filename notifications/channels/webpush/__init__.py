"""Web Push: browsers, and phones without Google's services, by the standards of the IETF (RFC 8030, 8291, 8292)."""

from notifications.channels.webpush.channel import WebPushChannel, open_channel, unusable
from notifications.channels.webpush.endpoint import Services

__all__ = ["Services", "WebPushChannel", "open_channel", "unusable"]
