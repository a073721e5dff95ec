"""Finds in a text what should never have been sent: placeholders, last year's date, shouting, abolished words."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

Severity = Literal["error", "warning"]

# A phone's lock screen shows about two lines.
TITLE_LONG = {"ja": 50, "ja-x-easy": 60, "en": 120, "zh-Hans": 50, "ko": 60}
BODY_LONG = 1_000
STALE_AFTER = dt.timedelta(days=7)

# What templates and half-filled forms leave behind (港区 2024-07 went out with 「未入力」, facts §6a).
_PLACEHOLDERS = re.compile(
    r"\{\{?[^{}\n]{0,40}\}?\}|\$\{?[A-Za-z_]\w*\}?|%(?:\(\w+\))?[sd](?![A-Za-z])|<[a-z_]{2,30}>|\[[A-Z_]{3,}\]"
    r"|未入力|未記入|[○◯〇●△□×✕＿]{2,}|(?<!\w)_{2,}(?!\w)|ここに入力|ダミー|サンプル文"
    r"|\b(?:TODO|TBD|TBA|FIXME|XXX+|[Ll]orem ipsum|null|undefined|NaN)\b",
)
_ABOLISHED = re.compile(r"避難勧告|避難準備|災害発生情報")  # of the alert levels, 2021-05-20

_ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925}
_YMD = re.compile(
    r"(?<!\d)(?P<era>令和|平成|昭和)?\s?(?P<y>\d{1,4}|元)\s?[年년./-]\s?(?P<m>\d{1,2})\s?[月월./-]\s?(?P<d>\d{1,2})[日일]?(?!\d)"
)
_MD_WEEKDAY = re.compile(r"(?<!\d)(?P<m>\d{1,2})月\s?(?P<d>\d{1,2})日\s?[(](?P<w>[月火水木金土日])")
_SLASH_DATE = re.compile(r"(?<!\d)\d{1,4}/\d{1,2}(?:/\d{1,2})?(?!\d)")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to put right. An error bars the way; a warning does until somebody says "it is meant so"."""

    language: str
    field: str  # title | body
    code: str
    severity: Severity
    message: str
    excerpt: str = ""


def lint(texts: Mapping[str, Mapping[str, Any]], now: dt.datetime, city_tz: ZoneInfo) -> list[Finding]:
    """What is wrong or doubtful in texts on the city's own day; an empty list is a clean text.

    Errors: empty, placeholder. Warnings: a date of another year (but for the next twelve months) or over a week
    past, one that does not exist or has another weekday, abolished names of alert levels, a title or body
    that is long, capitals throughout, a slash date in easy Japanese, a translation equal to the Japanese.
    """
    today = now.astimezone(city_tz).date()
    findings: list[Finding] = []
    for language, text in texts.items():
        for field in ("title", "body"):
            value = unicodedata.normalize("NFKC", text.get(field, ""))
            raw = text.get(field, "")
            for code, severity, message, excerpt in _look(language, field, raw, value, today):
                findings.append(Finding(language, field, code, severity, message, excerpt))
        japanese = texts.get("ja", {}).get("body", "").strip()
        if language not in ("ja", "ja-x-easy") and japanese and text.get("body", "").strip() == japanese:
            findings.append(Finding(language, "body", "untranslated", "warning", "is the Japanese text"))
    return findings


_Hit = tuple[str, Severity, str, str]


def _look(language: str, field: str, raw: str, value: str, today: dt.date) -> Iterator[_Hit]:
    if not value.strip():
        yield "empty", "error", "is empty", ""
        return
    for hit in _PLACEHOLDERS.finditer(raw):
        yield "placeholder", "error", "holds a placeholder", hit.group()
    for hit in _ABOLISHED.finditer(value):
        yield "abolished_term", "warning", "this term was abolished", hit.group()
    longest = BODY_LONG if field == "body" else TITLE_LONG.get(language, 60)
    if len(raw) > longest:
        yield "long", "warning", f"{len(raw)} characters; phones show about {longest}", raw[:20]
    letters = [c for c in value if c.isascii() and c.isalpha()]
    if len(letters) >= 20 and sum(c.isupper() for c in letters) > len(letters) * 0.7:
        yield "capitals", "warning", "capitals throughout are hard to read", value[:30]
    if language == "ja-x-easy":
        for hit in _SLASH_DATE.finditer(value):
            yield "slash_date", "warning", "easy Japanese writes dates in words (11月 21日)", hit.group()
    yield from _dates(value, today)


def _dates(value: str, today: dt.date) -> Iterator[_Hit]:
    for hit in _YMD.finditer(value):
        year = 1 if hit["y"] == "元" else int(hit["y"])
        if hit["era"]:
            year += _ERAS[hit["era"]]
        elif year < 1000:  # 6/30/24, a version number, a share: not a date of this writing
            continue
        try:
            day = dt.date(year, int(hit["m"]), int(hit["d"]))
        except ValueError:
            yield "impossible_date", "warning", "there is no such day", hit.group()
            continue
        if day.year != today.year and not today < day < today + dt.timedelta(days=366):
            yield "other_year", "warning", f"a date of another year (today is {today.isoformat()})", hit.group()
        elif day < today - STALE_AFTER:
            yield "past_date", "warning", f"a date long past (today is {today.isoformat()})", hit.group()
    for hit in _MD_WEEKDAY.finditer(value):
        # A year written before it is the one that counts; without one, this year or the next may be meant.
        written = re.search(r"(\d{4})年\s?$", value[: hit.start()])
        years = [int(written.group(1))] if written else [today.year, today.year + 1]
        if not any(_weekday(year, int(hit["m"]), int(hit["d"])) == hit["w"] for year in years):
            yield "wrong_weekday", "warning", "the day has another weekday", hit.group() + ")"


def _weekday(year: int, month: int, day: int) -> str | None:
    try:
        return "月火水木金土日"[dt.date(year, month, day).weekday()]
    except ValueError:
        return None
