"""Firebase Cloud Messaging: one channel, two senders, one reading of the provider's answers."""

from notifications.channels.fcm.body import TooLargeError
from notifications.channels.fcm.channel import FcmChannel, open_channel
from notifications.channels.fcm.endpoint import EndpointError

__all__ = ["EndpointError", "FcmChannel", "TooLargeError", "open_channel"]
