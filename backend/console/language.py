"""The console's languages: Japanese, as it is written in templates and code, and English from a catalogue."""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Flask, g, has_request_context, request
from markupsafe import Markup, escape

from backend import clock
from backend.config import settings

LANGUAGES = {"ja": "日本語", "en": "English"}
COOKIE = "yobikake_console_language"
_WEEKDAYS = {"ja": "月火水木金土日", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def mark(japanese: str) -> str:
    """Marks words that are translated later (`_(…)`), so that the catalogue's test finds them."""
    return japanese


def say(japanese: str, **values: Any) -> str:
    """The words in the reader's language, with `%(name)s` filled in; `%(name_s)s` is an English “s” unless after 1."""
    if current() != "en":
        return japanese % values if values else japanese
    words = catalogue().get(japanese, japanese)
    ends = {f"{name}_{end}": "" if str(value) == "1" else end for name, value in values.items() for end in ("s", "es")}
    return words % (values | ends) if values else words


def current() -> str:
    """The language of this request."""
    if not has_request_context():
        return "ja"
    if "language" not in g:
        wanted = request.cookies.get(COOKIE, "ja")
        g.language = wanted if wanted in LANGUAGES else "ja"
    return str(g.language)


@cache
def catalogue() -> dict[str, str]:
    """English by Japanese."""
    words: dict[str, str] = tomllib.loads((files("backend.console") / "en.toml").read_text(encoding="utf-8"))
    return words


def local(at: dt.datetime) -> dt.datetime:
    """A moment on the city's clock."""
    return at.astimezone(settings().zone)


def moment(at: dt.datetime | None) -> Markup:
    """A moment for people: day, weekday and minute on the city's clock; the year where it is another one."""
    if at is None:
        return Markup("–")
    there, language = local(at), current()
    weekday = _WEEKDAYS[language][there.weekday()]
    other = there.year != local(clock.now()).year
    if language == "ja":
        words = f"{f'{there.year}年' if other else ''}{there.month}月{there.day}日({weekday}) {there:%H:%M}"
    else:
        words = f"{weekday} {there.day} {_MONTHS[there.month - 1]}{f' {there.year}' if other else ''} {there:%H:%M}"
    return Markup('<time datetime="{}">{}</time>').format(there.isoformat(timespec="seconds"), escape(words))


def day(on: dt.date | None) -> Markup:
    """A day for people, with weekday and year."""
    if on is None:
        return Markup("–")
    language = current()
    weekday = _WEEKDAYS[language][on.weekday()]
    english = f"{weekday} {on.day} {_MONTHS[on.month - 1]} {on.year}"
    words = f"{on.year}年{on.month}月{on.day}日({weekday})" if language == "ja" else english
    return Markup('<time datetime="{}">{}</time>').format(on.isoformat(), words)


def number(value: float | None) -> str:
    """12,345; a dash where nothing is known."""
    return "–" if value is None else f"{value:,}"


def listed(words: Iterable[str]) -> str:
    """「北区、南区」."""
    return (", " if current() == "en" else "、").join(words)


def register(app: Flask) -> None:
    """Gives the templates `_`, `moment`, `day`, `number` and `listed`."""
    app.jinja_env.globals.update(_=say, console_language=current, console_languages=LANGUAGES, console_now=clock.now)
    app.jinja_env.filters.update(moment=moment, day=day, number=number, listed=listed)
