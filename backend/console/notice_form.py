"""The form of a notice: from what is typed to the content that is kept, and back; what was typed is never lost."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from werkzeug.datastructures import MultiDict

from backend.config import settings
from backend.console.language import current, local, mark
from backend.transaction import session
from content import attachments
from content.attachments import AttachmentKind
from content.notices import Content, NoticeRefused, Phase, Push
from content.texts import LANGUAGES, chain
from geo import areas
from geo.areas import Area, AreaKind
from notifications import topics

MOST_LISTED, MOST_FOUND, MOST_CHOSEN = 60, 40, 200
SPARE_ROWS = 1  # empty rows for attachments
_MINUTES = "%Y-%m-%dT%H:%M"

PHASES = {
    Phase.AT_ONCE: mark("発災直後"),
    Phase.AFTER: mark("応急"),
    Phase.RECOVERY: mark("復旧"),
    Phase.REBUILDING: mark("復興"),
}
PUSHES = {
    Push.CONCERNED: mark("当てはまる人に届ける"),
    Push.EVERYONE: mark("全員に届ける"),
    Push.NONE: mark("掲載だけ（鳴らさない）"),
}
ATTACHED = {
    AttachmentKind.PAGE: mark("ページ"),
    AttachmentKind.PDF: mark("PDF"),
    AttachmentKind.IMAGE: mark("画像"),
    AttachmentKind.MAP: mark("地図"),
    AttachmentKind.FORM: mark("申し込みなどの様式"),
    AttachmentKind.VIDEO: mark("動画"),
    AttachmentKind.DATA: mark("データ"),
}


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields."""

    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    correction: dict[str, str] = field(default_factory=dict)
    topic: str = ""
    areas: list[str] = field(default_factory=list)
    find: str = ""
    from_months: str = ""
    to_months: str = ""
    phase: str = ""
    push: str = Push.CONCERNED.value
    publish_at: str = ""
    expires_at: str = ""
    link: str = ""
    attachments: list[dict[str, Any]] = field(default_factory=list)
    version: str = ""


def of_content(content: Content, version: int | None = None) -> Typed:
    """The form of a content as it is."""
    return Typed(
        texts={one: dict(content.texts.get(one, {"title": "", "body": ""})) for one in LANGUAGES},
        correction=dict(content.correction),
        topic=content.topic or "",
        areas=list(content.areas),
        from_months=_number(content.from_months),
        to_months=_number(content.to_months),
        phase=str(content.phase or ""),
        push=str(content.push),
        publish_at=_minute(content.publish_at),
        expires_at=_minute(content.expires_at),
        link=content.link or "",
        attachments=[{**one, "titles": dict(one["titles"])} for one in content.attachments],
        version="" if version is None else str(version),
    )


def read(form: MultiDict[str, str]) -> Typed:
    """What was typed, right or wrong."""
    rows = range(attachments.MOST)
    attached = [
        {
            "url": form.get(f"attachment.{row}.url", "").strip(),
            "kind": form.get(f"attachment.{row}.kind", ""),
            "titles": _phrases(form, f"attachment.{row}.title"),
        }
        for row in rows
        if f"attachment.{row}.url" in form
    ]
    texts = {
        one: {part: form.get(f"{one}.{part}", "").replace("\r\n", "\n") for part in ("title", "body")}
        for one in LANGUAGES
    }
    plain = ("topic", "from_months", "to_months", "phase", "push", "publish_at", "expires_at", "link", "version")
    return Typed(
        texts=texts,
        correction=_phrases(form, "correction"),
        areas=list(dict.fromkeys(form.getlist("area")))[:MOST_CHOSEN],
        find=form.get("find", "")[:100],
        attachments=[one for one in attached if one["url"] or one["titles"]],
        **{name: form.get(name, "").strip()[:1000] for name in plain},
    )


def content_of(typed: Typed, before: Content) -> Content:
    """The content that was typed; `before` is what the form was made of.

    Raises NoticeRefused for what cannot be read; what is read is checked where every notice is.
    """
    wrong: list[tuple[str, str]] = []
    values: dict[str, Any] = {}
    for name in ("from_months", "to_months"):
        written = getattr(typed, name)
        if written and not (written.isascii() and written.isdecimal() and len(written) < 5):
            wrong.append((name, "must be a number of months"))
        else:
            values[name] = int(written) if written else None
    for name in ("publish_at", "expires_at"):
        written, kept = getattr(typed, name), getattr(before, name)
        try:
            values[name] = kept if written == _minute(kept) else _moment(written)
        except ValueError:
            wrong.append((name, "must be a day and a time"))
    if typed.push not in set(Push):
        wrong.append(("push", "choose one"))
    if wrong:
        raise NoticeRefused(wrong)
    return replace(
        before,
        texts={one: text for one, text in typed.texts.items() if any(part.strip() for part in text.values())},
        correction=typed.correction,
        topic=typed.topic or None,
        areas=typed.areas,
        phase=typed.phase or None,
        push=typed.push,
        link=typed.link or None,
        attachments=typed.attachments,
        **values,
    )


def choices(typed: Typed) -> tuple[list[Area], bool]:
    """The areas to tick: those chosen, the wards and zones, what was searched for; and whether there are more."""
    chosen = [area for code in typed.areas if (area := areas.get(session(), code)) is not None]
    kinds = [AreaKind.WARD.value, AreaKind.ZONE.value]
    whole = sa.select(Area).where(Area.withdrawn_at.is_(None), Area.kind.in_(kinds)).order_by(Area.kind, Area.code)
    listed = list(session().scalars(whole.limit(MOST_LISTED + 1)))
    found = list(areas.find(session(), typed.find, limit=MOST_FOUND)) if typed.find.strip() else []
    every = {area.code: area for area in [*chosen, *found, *listed[:MOST_LISTED]]}
    return list(every.values()), len(listed) > MOST_LISTED


def subjects(kept: str = "") -> list[tuple[str, str]]:
    """Slug and indented name of every topic to choose from, and of one that was chosen before it was retired."""
    every = [one for one in topics.tree(session(), retired=True) if not one.retired or one.slug == kept]
    return [(one.slug, "　" * one.slug.count(".") + name_of(one.names, one.slug)) for one in every]


def name_of(names: dict[str, str], instead: str) -> str:
    """The best of some names for the reader of this page."""
    return next((names[one] for one in (*chain(current()), "ja") if one in names), instead)


def _phrases(form: MultiDict[str, str], name: str) -> dict[str, str]:
    said = {one: form.get(f"{name}.{one}", "").strip() for one in LANGUAGES}
    return {one: words for one, words in said.items() if words}


def _number(months: int | None) -> str:
    return "" if months is None else str(months)


def _minute(at: dt.datetime | None) -> str:
    return local(at).strftime(_MINUTES) if at is not None else ""


def _moment(written: str) -> dt.datetime | None:
    if not written:
        return None
    found = dt.datetime.strptime(written, _MINUTES).replace(tzinfo=settings().zone)
    if not 2000 <= found.year < 2200:
        raise ValueError("no year of a notice")
    return found.astimezone(dt.UTC)
