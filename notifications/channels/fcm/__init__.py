"""Firebase Cloud Messaging: one channel, two senders, one reading of the provider's answers."""

from notifications.channels.fcm.body import OverdueError, TooLargeError
from notifications.channels.fcm.channel import FcmChannel, open_channel
from notifications.channels.fcm.endpoint import EndpointError

__all__ = ["EndpointError", "FcmChannel", "OverdueError", "TooLargeError", "open_channel"]
