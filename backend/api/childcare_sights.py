"""What is shown of child-rearing: guides, programmes, and the timeline of a family."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import marshmallow as ma

from backend.api import speech
from content import texts as text
from content.childcare.guides import Guide
from content.childcare.plans import Kind
from content.childcare.programmes import Programme
from content.childcare.timeline import Item, Status
from content.childcare.words import CAUTION, CAUTIOUS, told

KINDS = "check 健診 | vaccine 定期接種 | allowance 手当・給付 | application 届出・申請 | service 訪問・預かりなど"
STATUSES = (
    "maybe_passed 過ぎたかもしれない（誕生日による） | due_now いま | soon もうすぐ（始まった子もいるかもしれない） | "
    "upcoming これから | passed 過ぎた"
)


class Said(ma.Schema):
    """Words and the language they are in."""

    language = ma.fields.String(metadata={"example": "ja"})
    text = ma.fields.String(metadata={"example": "かかりつけの医師に相談してください。"})


class LinkShown(ma.Schema):
    """Where more is found."""

    url = ma.fields.String(metadata={"example": "https://www.city.mihon.example.jp/kosodate/"})
    name = ma.fields.String(allow_none=True, metadata={"example": "市のページ"})


class Sourced(ma.Schema):
    """Texts in one language, and whose word it is."""

    id = ma.fields.String(metadata={"example": "vaccine.hepatitis-b"})
    version = ma.fields.Integer(metadata={"example": 1})
    topic = ma.fields.String(allow_none=True, metadata={"example": "childcare.checkups"})
    language = ma.fields.String(metadata={"description": "title と body の実際の言語。", "example": "ja"})
    languages = ma.fields.List(ma.fields.String(), metadata={"example": ["ja", "en"]})
    title = ma.fields.String(metadata={"example": "B型肝炎ワクチン"})
    body = ma.fields.String(metadata={"example": "1歳の誕生日の前日までに3回受けます。"})
    links = ma.fields.List(ma.fields.Nested(LinkShown))
    areas = ma.fields.List(ma.fields.String(), metadata={"description": "対象の区域。空なら市内全域。"})
    effective_from = ma.fields.Date(allow_none=True, metadata={"description": "この内容が有効な最初の日。"})
    effective_to = ma.fields.Date(allow_none=True, metadata={"description": "有効な最後の日。"})
    source_name = ma.fields.String(metadata={"example": "見本市（見本データ）"})
    source_url = ma.fields.String(allow_none=True)
    licence = ma.fields.String(allow_none=True)
    as_of = ma.fields.Date(allow_none=True, metadata={"example": "2026-11-01"})
    sample = ma.fields.Boolean(metadata={"description": "見本。市が確認したものではない。", "example": True})


class GuideShown(Sourced):
    """A guide."""

    from_months = ma.fields.Integer(allow_none=True, metadata={"description": "対象の月齢（から）。", "example": 0})
    to_months = ma.fields.Integer(allow_none=True, metadata={"description": "この月齢になると対象外。", "example": 12})


class IntervalShown(ma.Schema):
    """How far two doses are apart: information only."""

    from_dose = ma.fields.Integer(metadata={"example": 1})
    to_dose = ma.fields.Integer(metadata={"example": 2})
    at_least = ma.fields.String(metadata={"description": "d 日、w 週、m 月、y 年。", "example": "27d"})
    at_most = ma.fields.String(metadata={"example": "56d"})


class PeriodShown(ma.Schema):
    """One dated part of a programme."""

    id = ma.fields.String(metadata={"example": "first"})
    name = ma.fields.String(allow_none=True, metadata={"example": "1回目"})
    window = ma.fields.Dict(
        metadata={
            "description": "受けられる期間。age は誕生日の前日に達する年齢、after_birth は生まれた日を0日とする日数、"
            "grade は年度（0 年長、1 小1）、pregnancy は出産予定日を40週0日とする妊娠週数。",
            "example": {"from": {"after_birth": "6w0d"}, "until": {"after_birth": "14w6d"}},
        }
    )
    recommended = ma.fields.Dict(allow_none=True, metadata={"description": "標準的な時期。"})
    doses = ma.fields.Integer(allow_none=True, metadata={"example": 2})
    intervals = ma.fields.List(ma.fields.Nested(IntervalShown))


class ProgrammeShown(Sourced):
    """A dated programme."""

    kind = ma.fields.String(metadata={"description": KINDS, "example": "vaccine"})
    born_from = ma.fields.Date(allow_none=True, metadata={"description": "この日以後に生まれた子が対象。"})
    born_to = ma.fields.Date(allow_none=True)
    periods = ma.fields.List(ma.fields.Nested(PeriodShown))


class AlternativeShown(ma.Schema):
    """What holds for some of the possible birthdays."""

    born_from = ma.fields.Date(metadata={"example": "2020-04-01"})
    born_to = ma.fields.Date(metadata={"example": "2020-04-01"})
    starts_on = ma.fields.Date(metadata={"example": "2025-04-01"})
    ends_on = ma.fields.Date(allow_none=True, metadata={"example": "2026-03-31"})


class Recommended(ma.Schema):
    """The recommended time that suits every possible birthday."""

    starts_on = ma.fields.Date()
    ends_on = ma.fields.Date(allow_none=True)


class ItemShown(ma.Schema):
    """Something due, with dates that hold for every day of the month."""

    programme = ma.fields.String(metadata={"example": "vaccine.rota"})
    version = ma.fields.Integer(metadata={"example": 1})
    period = ma.fields.String(metadata={"example": "first"})
    kind = ma.fields.String(metadata={"description": KINDS, "example": "vaccine"})
    status = ma.fields.String(metadata={"description": STATUSES, "example": "due_now"})
    language = ma.fields.String(metadata={"example": "ja"})
    title = ma.fields.String(metadata={"example": "ロタウイルスワクチン"})
    period_name = ma.fields.String(allow_none=True, metadata={"example": "1回目"})
    body = ma.fields.String(metadata={"example": "飲むワクチンです。"})
    starts_on = ma.fields.Date(
        allow_none=True, metadata={"description": "一番遅い始まり。null は生まれた日から。", "example": "2026-05-12"}
    )
    starts_on_earliest = ma.fields.Date(metadata={"example": "2026-04-12"})
    ends_on = ma.fields.Date(
        allow_none=True, metadata={"description": "一番早い期限。null は期限なし。", "example": "2026-06-13"}
    )
    ends_on_latest = ma.fields.Date(allow_none=True, metadata={"example": "2026-07-13"})
    days_left = ma.fields.Integer(allow_none=True, metadata={"description": "ends_on までの日数。", "example": 12})
    recommended = ma.fields.Nested(Recommended, allow_none=True)
    approximate = ma.fields.Boolean(metadata={"description": "出産予定日から計算した目安。"})
    moved_to_business_day = ma.fields.Boolean(metadata={"description": "期限が閉庁日なら次の開庁日に移る。"})
    born_from = ma.fields.Date(metadata={"description": "対象になる誕生日（ふつうは月の初日）。"})
    born_to = ma.fields.Date()
    whole_month = ma.fields.Boolean(metadata={"description": "その月のどの日に生まれても対象。"})
    depends_on_day = ma.fields.Boolean(metadata={"description": "どの誕生日にも合う日がなく、誕生日による。"})
    alternatives = ma.fields.List(ma.fields.Nested(AlternativeShown))
    doses = ma.fields.Integer(allow_none=True)
    intervals = ma.fields.List(ma.fields.Nested(IntervalShown))
    caution = ma.fields.Nested(Said, allow_none=True)
    links = ma.fields.List(ma.fields.Nested(LinkShown))
    source_name = ma.fields.String()
    source_url = ma.fields.String(allow_none=True)
    as_of = ma.fields.Date(allow_none=True)
    sample = ma.fields.Boolean()


class Child(ma.Schema):
    """One child's timeline."""

    born = ma.fields.String(metadata={"example": "2026-03"})
    expected = ma.fields.Boolean(metadata={"description": "これから生まれる（予定の月）。"})
    items = ma.fields.List(ma.fields.Nested(ItemShown))


class Timeline(ma.Schema):
    """A family's timelines as of one day."""

    on = ma.fields.Date(metadata={"description": "この日の時点。", "example": "2026-11-21"})
    area = ma.fields.String(allow_none=True, metadata={"example": "04991"})
    promise = ma.fields.Nested(Said)
    children = ma.fields.List(ma.fields.Nested(Child))


class GuidePage(ma.Schema):
    """A page of guides."""

    items = ma.fields.List(ma.fields.Nested(GuideShown))
    next = ma.fields.String(allow_none=True)


class ProgrammePage(ma.Schema):
    """A page of programmes."""

    items = ma.fields.List(ma.fields.Nested(ProgrammeShown))
    next = ma.fields.String(allow_none=True)


_SAME = ("version", "topic", "areas", "effective_from", "effective_to", "source_name", "source_url", "licence", "as_of")


def guide(row: Guide, wanted: tuple[str, ...]) -> dict[str, Any]:
    """A guide in the best language there is for a reader."""
    return {**_sourced(row, wanted), "from_months": row.from_months, "to_months": row.to_months}


def programme(row: Programme, wanted: tuple[str, ...]) -> dict[str, Any]:
    """A programme in the best language there is for a reader."""
    periods = [
        {
            "id": period["id"],
            "name": named(period.get("names") or {}, wanted),
            "window": period["window"],
            "recommended": period.get("recommended"),
            "doses": period.get("doses"),
            "intervals": period.get("intervals") or [],
        }
        for period in row.periods
    ]
    born = {"born_from": row.born_from, "born_to": row.born_to}
    return {**_sourced(row, wanted), "kind": row.kind, **born, "periods": periods}


def item(one: Item, today: dt.date, wanted: tuple[str, ...]) -> dict[str, Any]:
    """One thing due, in the best language there is for a reader."""
    plan, period = one.plan, one.period
    language, chosen = speech.choose(plan.texts, wanted)
    passed = one.status in (Status.PASSED, Status.MAYBE_PASSED)
    return {
        "programme": plan.key,
        "version": plan.version,
        "period": period.key,
        "kind": plan.kind.value,
        "status": one.status.value,
        "language": language,
        **chosen,
        "period_name": named(period.names, wanted),
        **{name: getattr(one, name) for name in ("starts_on", "starts_on_earliest", "ends_on", "ends_on_latest")},
        "days_left": (one.ends_on - today).days if one.ends_on is not None and not passed else None,
        "recommended": {"starts_on": one.recommended[0], "ends_on": one.recommended[1]} if one.recommended else None,
        "approximate": period.window.approximate,
        "moved_to_business_day": period.window.roll,
        **{name: getattr(one, name) for name in ("born_from", "born_to", "whole_month", "depends_on_day")},
        "alternatives": [
            {name: getattr(each, name) for name in ("born_from", "born_to", "starts_on", "ends_on")}
            for each in one.alternatives
        ],
        "doses": period.doses,
        "intervals": period.intervals,
        "caution": told(CAUTION, wanted) if Kind(plan.kind) in CAUTIOUS else None,
        "links": links(plan.links, wanted),
        **{name: plan.provenance.get(name) for name in ("source_name", "source_url", "as_of", "sample")},
    }


def links(listed: Sequence[Mapping[str, Any]], wanted: tuple[str, ...]) -> list[dict[str, Any]]:
    """Addresses with their names in the reader's language."""
    return [{"url": link["url"], "name": named(link.get("names") or {}, wanted)} for link in listed]


def named(names: Mapping[str, str], wanted: tuple[str, ...]) -> str | None:
    """The best name for a reader, or None when there is none at all."""
    return next((names[one] for one in (*text.chain(wanted), *text.LANGUAGES) if one in names), None)


def _sourced(row: Guide | Programme, wanted: tuple[str, ...]) -> dict[str, Any]:
    language, chosen = speech.choose(row.texts, wanted)
    return {
        "id": row.key,
        "language": language,
        "languages": [each for each in text.LANGUAGES if each in row.texts],
        **chosen,
        "links": links(row.links, wanted),
        "sample": row.sample,
        **{name: getattr(row, name) for name in _SAME},
    }
