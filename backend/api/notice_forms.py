"""The forms of /v1/staff/notices: what city hall hands in for a notice, and what it is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import marshmallow as ma
from marshmallow import validate

from backend.api.alert_forms import OneText
from backend.api.alert_sights import FindingSchema
from backend.api.history import StepSchema
from backend.api.notice_sights import KINDS, PHASES
from content.attachments import MOST, AttachmentKind
from content.childcare.ages import OLDEST_MONTHS
from content.drafts import MOST_AREAS
from content.notices import Content, Phase, Push
from content.texts import LANGUAGES


def _words(**metadata: Any) -> ma.fields.Dict:
    return ma.fields.Dict(
        keys=ma.fields.String(validate=validate.OneOf(LANGUAGES)), values=ma.fields.String(), metadata=metadata
    )


class AttachmentForm(ma.Schema):
    """A link to a paper, a map, a form."""

    url = ma.fields.String(
        required=True, metadata={"description": "https のみ。", "example": "https://www.city.mihon.example.jp/map.pdf"}
    )
    kind = ma.fields.String(
        required=True, validate=validate.OneOf(list(AttachmentKind)), metadata={"description": KINDS, "example": "pdf"}
    )
    titles = ma.fields.Dict(
        required=True,
        keys=ma.fields.String(validate=validate.OneOf(LANGUAGES)),
        values=ma.fields.String(),
        metadata={
            "description": "公開には ja が要る。",
            "example": {"ja": "断水区域の地図", "en": "Map of the outage"},
        },
    )


class NoticeForm(ma.Schema):
    """What an author says. In an edit, what is left out stays, and a language given as null is taken out."""

    texts = ma.fields.Dict(
        keys=ma.fields.String(validate=validate.OneOf(LANGUAGES)),
        values=ma.fields.Nested(OneText, allow_none=True),
        metadata={
            "description": "言語ごとの題と文。公開には ja が要る。",
            "example": {"ja": {"title": "断水のお知らせ", "body": "泉町で水道工事のため断水します。"}},
        },
    )
    topic = ma.fields.String(
        allow_none=True,
        metadata={"description": "何についてか。/v1/topics の slug。", "example": "notices.living"},
    )
    areas = ma.fields.List(
        ma.fields.String(validate=validate.Length(1, 100)),
        validate=validate.Length(max=MOST_AREAS),
        metadata={"description": "対象の区域の符号（/v1/areas）。空なら市内全域。", "example": ["04991"]},
    )
    from_months = ma.fields.Integer(
        allow_none=True,
        validate=validate.Range(0, OLDEST_MONTHS),
        metadata={"description": "対象の子の月齢（から）。null なら年齢を問わない。", "example": None},
    )
    to_months = ma.fields.Integer(
        allow_none=True,
        validate=validate.Range(1, OLDEST_MONTHS),
        metadata={"description": "この月齢になると対象外。3 歳の誕生日の前日までなら 36。", "example": None},
    )
    phase = ma.fields.Enum(
        Phase, by_value=True, allow_none=True, metadata={"description": PHASES, "example": "recovery"}
    )
    push = ma.fields.Enum(
        Push,
        by_value=True,
        metadata={
            "description": "公開時に誰の端末を鳴らすか。none 掲載だけ | concerned topic・areas・月齢のうち書いたもの"
            "すべてに当てはまる人（どれもなければ誰も鳴らない） | everyone 全員。",
            "example": "concerned",
        },
    )
    attachments = ma.fields.List(
        ma.fields.Nested(AttachmentForm),
        validate=validate.Length(max=MOST),
        metadata={"description": "添付（リンク）。書くと全部が置き換わる。"},
    )
    correction = _words(
        description="訂正のお知らせで、何を訂正したか。公開には ja が要る。",
        example={"ja": "終わりの時刻を16時に訂正しました。"},
    )
    link = ma.fields.String(allow_none=True, metadata={"description": "詳しいページ（https）。", "example": None})
    publish_at = ma.fields.AwareDateTime(
        allow_none=True, metadata={"description": "この時刻から。null なら承認と同時に。", "example": None}
    )
    expires_at = ma.fields.AwareDateTime(allow_none=True, metadata={"example": None})


class NoticeEdit(NoticeForm):
    """Changes to the version that the editor has read, named here or in If-Match."""

    version = ma.fields.Integer()


class CorrectionForm(NoticeForm):
    """What the correction changes of the published notice; all else is taken over from it."""

    correction = ma.fields.Dict(
        required=True,
        keys=ma.fields.String(validate=validate.OneOf(LANGUAGES)),
        values=ma.fields.String(),
        metadata={
            "description": "何を訂正したか。読む人に必ず見える。",
            "example": {"ja": "終わりの時刻を16時に訂正しました。", "en": "Corrected: it ends at 16:00."},
        },
    )


class NoticeSubmit(ma.Schema):
    """The version that is handed over, named here or in If-Match."""

    version = ma.fields.Integer()
    accept_warnings = ma.fields.Boolean(
        load_default=False, metadata={"description": "校正の警告（別の年の日付など）を承知で出す。"}
    )


class NoticeWithdraw(ma.Schema):
    """Why; a published notice needs a reason."""

    reason = ma.fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 1000))


class StaffNotice(ma.Schema):
    """A notice as city hall sees it."""

    id = ma.fields.String()
    state = ma.fields.String(metadata={"description": "draft | submitted | published | withdrawn"})
    version = ma.fields.Integer()
    content_hash = ma.fields.String(metadata={"description": "承認はこの内容に結び付く。"})
    topic = ma.fields.String(allow_none=True)
    texts = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Nested(OneText))
    missing_languages = ma.fields.List(ma.fields.String(), metadata={"description": "まだない言語。"})
    link = ma.fields.String(allow_none=True)
    areas = ma.fields.List(ma.fields.String())
    from_months = ma.fields.Integer(allow_none=True)
    to_months = ma.fields.Integer(allow_none=True)
    phase = ma.fields.String(allow_none=True, metadata={"description": PHASES})
    push = ma.fields.String(metadata={"description": "none | concerned | everyone"})
    attachments = ma.fields.List(ma.fields.Nested(AttachmentForm))
    corrects = ma.fields.String(allow_none=True, metadata={"description": "訂正するお知らせ。"})
    correction = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    publish_at = ma.fields.AwareDateTime(allow_none=True)
    expires_at = ma.fields.AwareDateTime(allow_none=True)
    created_at = ma.fields.AwareDateTime()
    updated_at = ma.fields.AwareDateTime()
    published_at = ma.fields.AwareDateTime(allow_none=True)
    shown_from = ma.fields.AwareDateTime(allow_none=True)
    corrected_at = ma.fields.AwareDateTime(
        allow_none=True, metadata={"description": "この時刻から訂正のお知らせが代わりに出る。"}
    )
    withdrawn_at = ma.fields.AwareDateTime(allow_none=True)


class StaffNoticeFull(StaffNotice):
    """With its history, what the proofreading says, and what can be done next by somebody."""

    steps = ma.fields.List(ma.fields.Nested(StepSchema))
    findings = ma.fields.List(ma.fields.Nested(FindingSchema))
    actions = ma.fields.List(ma.fields.String())


class Reach(ma.Schema):
    """Whose phones it would ring if it were shown now: counted by the function that sends."""

    devices = ma.fields.Integer(metadata={"description": "端末の数。掲載だけなら 0。", "example": 1280})
    reachable = ma.fields.Integer(metadata={"description": "そのうちプッシュを試みられるもの。", "example": 1191})
    by_language = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())
    by_platform = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer())


_PLAIN = (
    "topic", "link", "publish_at", "expires_at", "areas", "from_months", "to_months", "phase", "push", "attachments",
    "correction",
)  # fmt: skip


def content(form: dict[str, Any], before: Content) -> Content:
    """The content that a form makes of the one before."""
    said = {name: form[name] for name in _PLAIN if name in form}
    texts = {**before.texts, **form.get("texts", {})}
    return replace(before, texts={language: one for language, one in texts.items() if one is not None}, **said)
