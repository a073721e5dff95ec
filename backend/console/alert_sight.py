"""What a page shows of an alert: its names, what it will do and to whom, what is doubtful, who may do what next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from flask import g
from markupsafe import Markup

from backend import alerting, clock
from backend.config import settings
from backend.console import refusals
from backend.console.corners import corners_of
from backend.console.language import current, mark, number, say
from backend.transaction import session
from content import texts as text
from content import workflow
from content.editors import Action, may
from content.workflow import Step
from geo import areas
from geo.hazards import Hazard
from notifications import alerts, drafting, reach, wording
from notifications.alerts import Act, Alert, State
from notifications.channels.fcm.body import LARGEST
from notifications.dangers import DangerArea
from notifications.preview import Preview, Sample
from notifications.reach import Refuges, WardCount
from notifications.reviews import Verdict

STATES = {
    State.DRAFT: mark("下書き"),
    State.SUBMITTED: mark("承認待ち"),
    State.LIVE: mark("発令中"),
    State.DONE: mark("送信済み"),
    State.SUPERSEDED: mark("更新された"),
    State.CANCELLED: mark("取消された"),
    State.LIFTED: mark("解除された"),
    State.EXPIRED: mark("期限切れ"),
    State.DISCARDED: mark("破棄した"),
}
ACTS = {
    Act.ORDER: mark("発令"),
    Act.UPDATE: mark("更新"),
    Act.CANCEL: mark("取消"),
    Act.ALL_CLEAR: mark("解除"),
}
VERDICTS = {
    Verdict.RIGHT: mark("出してよかった。このままでよい"),
    Verdict.CORRECT: mark("出してよかったが、訂正や解除が要る"),
    Verdict.WRONG: mark("出すべきではなかった。取り消す"),
}
PLATFORMS = {
    "android": mark("Android"),
    "ios": mark("iPhone"),
    "web": mark("ブラウザー（Firebase）"),
    "webpush": mark("ブラウザー（Web Push）"),
}
PLACES = {
    "current": mark("いまいる場所"),
    "home": mark("自宅"),
    "work": mark("職場"),
    "family": mark("家族の家"),
    "none": mark("場所の登録なし"),
}
# Typed before an alert of level 5 is released: what is done with open eyes is not done by a slip of the hand.
CONFIRMATION = "LEVEL5"


@dataclass(frozen=True, slots=True)
class Worded:
    """One language: what a phone shows, and what is doubtful about it."""

    language: str
    name: str
    sample: Sample
    edited: bool
    errors: list[str]
    warnings: list[str]
    most_bytes: int = LARGEST


@dataclass(frozen=True, slots=True)
class Sight:
    """An alert with everything that its page says."""

    alert: Alert
    state: State
    area: DangerArea
    content_hash: str
    steps: Sequence[Step]
    follows: Alert | None
    followed_by: Alert | None
    preview: Preview
    words: list[Worded]
    missing: list[str]
    wards: list[WardCount]
    refuges: Refuges | None
    own_work: bool  # the reader had a hand in it
    lapses_at: dt.datetime | None
    corners: str | None = None
    areas: list[str] = field(default_factory=list)
    minus: list[str] = field(default_factory=list)

    @property
    def ward_counts(self) -> dict[str, str]:
        """Devices by the code of their ward, as a map writes them."""
        return {ward.code: number(ward.devices) for ward in self.wards if ward.code}

    @property
    def submittable(self) -> bool:
        """Nothing bars the way to a second person."""
        return not self.missing and not any(one.errors for one in self.words)

    @property
    def warned(self) -> bool:
        """Something must be accepted knowingly."""
        return any(one.warnings for one in self.words)

    @property
    def grave(self) -> bool:
        """The confirmation is typed."""
        return self.alert.level == 5 and self.alert.act in (Act.ORDER, Act.UPDATE)


def sight_of(alert: Alert) -> Sight:
    """Everything of one alert, from the functions that will send it."""
    now = clock.now()
    area = session().get_one(DangerArea, alert.danger_area_id)
    preview = alerting.look(alert)
    steps = workflow.steps(session(), "alert", alert.id)
    moving = alert.act in (Act.ORDER, Act.UPDATE)
    later = sa.select(Alert).where(Alert.supersedes_id == alert.id, Alert.state != State.DISCARDED.value)
    lapse = dt.timedelta(minutes=settings().approval_minutes)
    return Sight(
        alert=alert,
        state=alert.state_at(now),
        area=area,
        content_hash=alerts.content_hash(alert, area),
        steps=steps,
        follows=session().get(Alert, alert.supersedes_id) if alert.supersedes_id else None,
        followed_by=session().scalars(later.order_by(Alert.id.desc()).limit(1)).one_or_none(),
        preview=preview,
        words=_words(alert, preview, now),
        missing=text.missing(alert.texts),
        wards=reach.by_ward(session(), preview.by_cell),
        refuges=reach.refuges(session(), Hazard(alert.hazard), area, now) if moving else None,
        own_work=g.editor.id in workflow.authors_in(alert.machine, steps),
        lapses_at=alert.submitted_at + lapse if alert.submitted_at else None,
        corners=corners_of(alert.area["polygon"]),
        areas=_named(alert.area["areas"]),
        minus=_named(alert.area["minus_areas"]),
    )


def title(alert: Alert) -> str:
    """「洪水 警戒レベル4 避難指示 浜区」 in the reader's language; the area in Japanese where it has no other name."""
    language = current()
    hazard = wording.hazard_name(Hazard(alert.hazard), language)
    order = wording.order_name(alert.level, language)
    if language == "ja":
        return f"{hazard} {order} {place(alert)}"
    return f"{hazard[:1].upper()}{hazard[1:]}: {order}, {place(alert)}"


def place(alert: Alert) -> str:
    """The area's name in the reader's language, or in Japanese where it has no other."""
    return alert.area_names.get(current()) or alert.area_names.get("ja", "")


def heading(alert: Alert) -> Markup:
    """The title for a narrow line: the area goes to the next line whole, and a level keeps its number."""
    name = place(alert)
    order = title(alert).removesuffix(name).replace("Level ", "Level\N{NO-BREAK SPACE}")
    return Markup('{}<span class="part">{}</span>').format(order, name)


def followable(alert: Alert) -> bool:
    """The reader may update or lift it now."""
    return alert.state_at(clock.now()) is State.LIVE and may(g.editor, Action.DRAFT)


def _words(alert: Alert, preview: Preview, now: dt.datetime) -> list[Worded]:
    found = drafting.findings(alert, now, settings().zone)
    differing = drafting.disagreements(alert)
    listed = []
    for sample in preview.samples:
        language = sample.language
        errors: list[str] = []
        warnings: list[str] = []
        for finding in found:
            if finding.language == language:
                said = f"{refusals.field(finding.field)}: {refusals.reason(f'{finding.message}: {finding.excerpt}')}"
                (errors if finding.severity == "error" else warnings).append(said)
        warnings += [refusals.reason(reason) for other, reason in differing if other == language]
        if sample.bytes is None:
            errors.append(say("プッシュに入りきりません。短くしてください。"))
        edited = language in alert.texts_edited
        listed.append(Worded(language, text.ENDONYMS[language], sample, edited, errors, warnings))
    return listed


def _named(codes: Sequence[str]) -> list[str]:
    found = (areas.get(session(), code) for code in codes)
    return [area.name for area in found if area is not None]
