"""Fields of a file of guides and programmes, refusing in the words of city hall."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import marshmallow as ma

from content.childcare import windows
from content.childcare.windows import WindowError
from content.texts import LANGUAGES, TextsError, clean

_SLUG = r"[a-z0-9][a-z0-9._-]{0,63}"
REQUIRED: dict[str, Any] = {"required": "必須です", "null": "空にできません"}
_AGE = re.compile(r"(?:(\d{1,2})y)?(?:(\d{1,2})m)?")


class Words(ma.fields.String):
    """Text without control characters."""

    default_error_messages = {**REQUIRED, "invalid": "文字列で書いてください"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        found = super()._deserialize(value, attr, data, **kwargs)
        if isinstance(found, str) and (not found.isprintable() or not found.strip()):
            raise ma.ValidationError("空か、使えない文字があります")
        return found


class Whole(ma.fields.Integer):
    """A whole number."""

    default_error_messages = {**REQUIRED, "invalid": "整数で書いてください"}  # noqa: RUF012


class Truth(ma.fields.Boolean):
    """true or false."""

    default_error_messages = {**REQUIRED, "invalid": "true か false で書いてください"}  # noqa: RUF012


class Day(ma.fields.Field[dt.date]):
    """A day, as TOML's own or as text 2026-04-01."""

    default_error_messages = {**REQUIRED, "invalid": "日付は 2026-04-01 のように書いてください"}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dt.date:
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return value
        try:
            if isinstance(value, str) and len(value) == 10:
                return dt.date.fromisoformat(value)
        except ValueError:
            pass
        raise self.make_error("invalid")


class Months(ma.fields.Field[int]):
    """An age such as 2m or 1y6m, in months."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        found = _AGE.fullmatch(value) if isinstance(value, str) and value.isascii() else None
        if found is None or not value:
            raise ma.ValidationError("2m、1y6m のような年齢で書いてください")
        return int(found[1] or 0) * 12 + int(found[2] or 0)


class TextsField(ma.fields.Field[Any]):
    """Title and body in several languages, Japanese at least."""

    default_error_messages = REQUIRED

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        if not isinstance(value, Mapping) or not all(isinstance(text, Mapping) for text in value.values()):
            raise ma.ValidationError("言語ごとに title と body を持つ表で書いてください")
        try:
            return clean(value, required=("ja",))
        except TextsError as error:
            raise ma.ValidationError(str(error)) from None


class WindowField(ma.fields.Field[Any]):
    """A window as `content.childcare.windows` reads it; kept as written."""

    default_error_messages = REQUIRED

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            windows.parse(value)
        except WindowError as error:
            raise ma.ValidationError(_nested(error.place, error.reason)) from None
        return value


def names(**more: Any) -> Any:
    """A short text in several languages."""
    language = Words(validate=ma.validate.OneOf(LANGUAGES, error=f"言語は {'、'.join(LANGUAGES)} のどれかです"))
    return ma.fields.Dict(keys=language, values=Words(), error_messages={"invalid": "言語ごとの表です"}, **more)


def slug(**more: Any) -> Words:
    """A stable id of entries, periods, topics and sources."""
    wrong = "英小文字・数字・-._ で64文字までにしてください"
    return Words(validate=ma.validate.Regexp(rf"\A{_SLUG}\Z", error=wrong), **more)


def url(**more: Any) -> Words:
    """A web address."""
    wrong = "https:// か http:// で始まるアドレスを書いてください"
    return Words(validate=ma.validate.URL(schemes={"http", "https"}, require_tld=False, error=wrong), **more)


def span() -> Words:
    """A length of time such as 27d."""
    wrong = "27d、3m、1y のような長さを書いてください"
    return Words(validate=ma.validate.Regexp(r"\A\d{1,3}[dwmy]\Z", error=wrong))


def _nested(place: str, reason: str) -> Any:
    """marshmallow's form of a reason at a dotted place."""
    found: Any = [reason]
    for member in reversed(place.split(".") if place else []):
        found = {member: found}
    return found
