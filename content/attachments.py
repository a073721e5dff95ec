"""What hangs on a notice: links to papers, maps and forms, each with a title in several languages."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypedDict
from urllib.parse import urlsplit

from content.texts import LANGUAGES

MOST = 10
LINK_MAX = 500
TITLE_MAX = 200

Problem = tuple[str, str]  # field, reason


class AttachmentKind(StrEnum):
    """What opens behind a link, so that an app can show it."""

    PAGE = "page"
    PDF = "pdf"
    IMAGE = "image"
    MAP = "map"
    FORM = "form"
    VIDEO = "video"
    DATA = "data"


class Attachment(TypedDict):
    """A link as it is kept."""

    url: str
    kind: str
    titles: dict[str, str]


def checked(raw: Sequence[Mapping[str, Any]]) -> tuple[list[Attachment], list[Problem]]:
    """The attachments as they are kept, and everything that bars them, each with the name of its field."""
    problems: list[Problem] = []
    if len(raw) > MOST:
        problems.append(("attachments", f"{len(raw)} attachments, at most {MOST}"))
    kept: list[Attachment] = []
    for number, one in enumerate(raw[:MOST]):
        place = f"attachments.{number}"
        url, kind = str(one.get("url", "")), str(one.get("kind", ""))
        if problem := link_problem(url):
            problems.append((f"{place}.url", problem))
        if kind not in set(AttachmentKind):
            problems.append((f"{place}.kind", f"is one of {', '.join(AttachmentKind)}"))
        titles, wrong = phrases(one.get("titles") or {}, f"{place}.titles", TITLE_MAX)
        problems += wrong or ([] if titles else [(f"{place}.titles", "a title in one language at least")])
        kept.append({"url": url, "kind": kind, "titles": titles})
    urls = [one["url"] for one in kept]
    problems += [(f"attachments.{at}.url", "is there twice") for at, url in enumerate(urls) if url in urls[:at]]
    return kept, problems


def untitled(attachments: Iterable[Attachment], language: str) -> list[Problem]:
    """Those without a title in a language that everything published must have."""
    return [
        (f"attachments.{at}.titles.{language}", "is required")
        for at, one in enumerate(attachments)
        if language not in one["titles"]
    ]


def phrases(raw: Mapping[str, Any], place: str, longest: int) -> tuple[dict[str, str], list[Problem]]:
    """One short text in several languages, tidied: NFC, no blanks at the ends, no control characters."""
    kept: dict[str, str] = {}
    problems: list[Problem] = []
    for language, said in raw.items():
        if language not in LANGUAGES:
            problems.append((f"{place}.{language}", f"unknown language; one of {', '.join(LANGUAGES)}"))
            continue
        tidy = unicodedata.normalize("NFC", said).strip() if isinstance(said, str) else ""
        if not 0 < len(tidy) <= longest:
            problems.append((f"{place}.{language}", f"must have 1 to {longest} characters"))
        elif any(unicodedata.category(one) in {"Cc", "Cs", "Co"} or one in "\u202a\u202b\u202d\u202e" for one in tidy):
            problems.append((f"{place}.{language}", "holds an unprintable character"))
        kept[language] = tidy
    return {language: kept[language] for language in LANGUAGES if language in kept}, problems


def link_problem(link: str) -> str | None:
    """Why an address cannot be shown to residents; None when it can: whole, https, nobody's name in it."""
    if len(link) > LINK_MAX:
        return f"{len(link)} characters, at most {LINK_MAX}"
    try:
        parts = urlsplit(link)
        whole = parts.scheme == "https" and bool(parts.hostname) and parts.username is None
    except ValueError:
        whole = False
    plain = all(character.isprintable() and not character.isspace() for character in link)
    return None if whole and plain else "must be a whole address that begins with https://"
