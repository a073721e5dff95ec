"""The outlets that these settings lead to: what carries pushes to each provider."""

from __future__ import annotations

import datetime as dt
import logging
from functools import lru_cache

from backend.config import Settings
from notifications.channels import fcm, webpush
from notifications.channels.fcm import body as fcm_body
from notifications.channels.promise import Channel, Outlet, Push, outlet_of
from notifications.channels.webpush import body as webpush_body
from notifications.dispatch.governor import Pace

_log = logging.getLogger(__name__)


def outlets(settings: Settings) -> dict[Outlet, Channel]:
    """The channel of each outlet that is configured, checked and ready. Contacts nobody yet.

    Raises ValueError naming what does not fit. Web Push is left out, and said to be, where libcurl is missing:
    phones should not wait for what only browsers need. Devices of an outlet that is not here read their inbox.
    """
    found: dict[Outlet, Channel] = {}
    if settings.fcm_credentials is not None:
        found[Outlet.FCM] = fcm.open_channel(
            credentials=settings.fcm_credentials,
            project_id=settings.fcm_project,
            endpoint=settings.fcm_endpoint,
            sender=settings.fcm_sender,  # type: ignore[arg-type]
            timeout_s=settings.fcm_timeout,
            connections=settings.fcm_connections,
            critical_entitled=settings.ios_critical,
            ca_file=str(settings.fcm_ca_file) if settings.fcm_ca_file is not None else None,
        )
    if settings.vapid_key is not None and settings.vapid_subject is not None:
        missing = webpush.unusable()
        if missing is not None:
            _log.error("no Web Push: %s", missing)
            return found
        try:
            found[Outlet.WEBPUSH] = webpush.open_channel(
                key=settings.vapid_key,
                subject=settings.vapid_subject,
                services=services(settings),
                timeout_s=settings.webpush_timeout,
                connections=settings.webpush_connections,
                proxy=settings.webpush_proxy,
            )
        except ValueError:
            for channel in found.values():
                channel.close()
            raise
    return found


def services(settings: Settings) -> webpush.Services:
    """The push services that browsers may name."""
    return _services(settings.webpush_services or (), settings.webpush_standin)


def paces(settings: Settings) -> dict[Outlet, Pace]:
    """What each provider allows, shared by all workers. Push services publish no quota: they say 429 when it is one."""
    fcm_pace = Pace(settings.fcm_quota_per_minute, settings.fcm_quota_share, settings.fcm_ramp_seconds)
    return {Outlet.FCM: fcm_pace}


def encode(settings: Settings, push: Push, now: dt.datetime) -> bytes:
    """A push as its outlet would need it, configured or not: what is too large is found before it is approved.

    Raises PayloadError.
    """
    if outlet_of(push.platform) is Outlet.WEBPUSH:
        return webpush_body.encode(push, now)
    return fcm_body.encode(push, now, critical_entitled=settings.ios_critical)


@lru_cache(maxsize=8)
def _services(added: tuple[str, ...], standin: str | None) -> webpush.Services:
    return webpush.Services(added, standin)
