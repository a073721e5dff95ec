"""Composing a push: the frozen message and a group's own shelters, cut to what a phone can be sent."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from typing import Any

from notifications import why, wording
from notifications.channels.manner import manner_of
from notifications.channels.promise import Channel, PayloadError, Push
from notifications.dispatch.groups import Group
from notifications.messages import Message

# What goes first when a push is too large: the outline, then the third and second shelter, then the end of the text.
_SHORT_BODY = 160


def encode(channel: Channel, message: Message, group: Group, now: dt.datetime) -> bytes:
    """The bytes of a group's push for a channel. Raises PayloadError when even the shortest form does not fit."""
    refused: PayloadError | None = None
    for push in variants(message, group, now):
        try:
            return channel.encode(push, now)
        except PayloadError as error:
            refused = error
    raise refused or PayloadError("the message has no form at all")


def variants(message: Message, group: Group, now: dt.datetime) -> Iterator[Push]:
    """A group's push as handed over now, the fullest form first. What is left out stays readable under the link."""
    text = message.texts[group.language]
    near = group.shelters
    hull = outline(message)
    yield _push(message, group, text["body"], near, hull, now)
    if hull is not None:
        yield _push(message, group, text["body"], near, None, now)
    for kept in (2, 1):
        if near and len(near) > kept:
            yield _push(message, group, text["body"], near[:kept], None, now)
    if len(text["body"]) > _SHORT_BODY:
        yield _push(message, group, text["body"][: _SHORT_BODY - 1] + "…", near[:1] if near else near, None, now)


def outline(message: Message) -> str | None:
    """The danger area as a phone can check it: the rings [[[lat, lon], …], …] of an outward hull, 40 corners in all."""
    hull = message.hull
    if hull is None:
        return None
    polygons = [hull["coordinates"]] if hull["type"] == "Polygon" else hull["coordinates"]
    rings = [[[round(lat, 5), round(lon, 5)] for lon, lat, *_ in polygon[0]] for polygon in polygons]
    return json.dumps(rings, separators=(",", ":"))


def _push(
    message: Message, group: Group, body: str, near: list[dict[str, Any]] | None, hull: str | None, now: dt.datetime
) -> Push:
    manner = manner_of(message.kind, message.level, message.hazard, message.drill)
    if near is not None:
        line = wording.shelter_line(
            group.language,
            [(site["name"], site.get("about_m"), site["status"]) for site in near],
            hazard=message.hazard,
        )
        body = f"{body}\n{line}"
    return Push(
        message_id=message.public_id,
        thread=message.thread,
        kind=message.kind,
        title=message.texts[group.language]["title"],
        body=body,
        language=group.language,
        platform=group.platform,
        urgency=manner.urgency,
        channel_id=manner.channel_id,
        # From now on, not from the beginning: whoever moves into an area on its second day is told as well.
        expires_at=min(message.expires_at, now + dt.timedelta(seconds=manner.ttl_s)),
        link=message.link,
        drill=message.drill,
        collapse=manner.collapse,
        alert_once=manner.alert_once,
        data=dict(_data(message, group, near, hull)),
    )


def _data(
    message: Message, group: Group, near: list[dict[str, Any]] | None, hull: str | None
) -> Iterator[tuple[str, str]]:
    yield "level", "" if message.level is None else str(message.level)
    yield "hazard", message.hazard or ""
    yield "reason", message.reason if group.place is None else f"{message.reason} place:{group.place}"
    yield "why", why.sentence(message.reason, group.place, group.language)
    if near is not None:
        yield "shelters", _compact(near)
    if hull is not None:
        yield "area", hull


def _compact(value: list[dict[str, Any]] | Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
