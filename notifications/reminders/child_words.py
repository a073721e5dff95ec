"""The words of reminders of children's dates, in every language: what may be had now, what soon no more, whose word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from content import texts as text
from content.childcare.timeline import Item
from content.childcare.words import CAUTION, CAUTIOUS
from content.texts import LANGUAGES, Text, Texts
from notifications.reminders.words import name

MOST_LINES = 4  # a push is small; the rest stands in the timeline
_OPEN = {
    "ja": "・{what}：いま対象です（{day}から）。",
    "ja-x-easy": "・{what}：いま できます（{day}から）。",
    "en": "- {what}: due now (since {day}).",
    "zh-Hans": "・{what}：现在可以办理（{day}起）。",
    "ko": "· {what}: 지금 대상입니다({day}부터).",
}
_OPEN_UNTIL = {
    "ja": "・{what}：いま対象です（{day}から{last}まで）。",
    "ja-x-easy": "・{what}：いま できます（{day}から {last}まで）。",
    "en": "- {what}: due now ({day} to {last}).",
    "zh-Hans": "・{what}：现在可以办理（{day}至{last}）。",
    "ko": "· {what}: 지금 대상입니다({day}~{last}).",
}
_ENDS = {
    "ja": "・{what}：{last}までです。まだの方はお早めに。",
    "ja-x-easy": "・{what}：{last}までです。まだの 人（ひと）は 早（はや）く して ください。",
    "en": "- {what}: only until {last}. If not done yet, do it soon.",
    "zh-Hans": "・{what}：截至{last}。尚未办理请尽早。",
    "ko": "· {what}: {last}까지입니다. 아직이면 서둘러 주세요.",
}
_TITLE = {
    "ja": "【子育て】{born}生まれ：{what}",
    "ja-x-easy": "【子（こ）そだて】{born}に 生（う）まれた 子（こ）：{what}",
    "en": "Child born {born}: {what}",
    "zh-Hans": "【育儿】{born}出生：{what}",
    "ko": "[육아] {born}생: {what}",
}
_OTHERS = {
    "ja": "{what} ほか{more}件",
    "ja-x-easy": "{what} と ほかに {more}つ",
    "en": "{what} and {more} more",
    "zh-Hans": "{what}等{count}项",
    "ko": "{what} 외 {more}건",
}
_MORE = {
    "ja": "ほか{more}件はアプリの一覧で確かめてください。",
    "ja-x-easy": "ほかの {more}つは アプリで 見（み）て ください。",
    "en": "{more} more in the app.",
    "zh-Hans": "其余{more}项请在应用中查看。",
    "ko": "나머지 {more}건은 앱에서 확인하세요.",
}
_MONTH_ONLY = {
    "ja": "生まれた月だけから計算した日です。正確な日は誕生日で確かめてください。",
    "ja-x-easy": "生（う）まれた 月（つき）だけで 計算（けいさん）しました。"
    "正（ただ）しい 日（ひ）は 誕生日（たんじょうび）で 確（たし）かめて ください。",
    "en": "Reckoned from the month of birth alone: check the exact day with the birthday.",
    "zh-Hans": "仅根据出生月份计算，准确日期请按生日确认。",
    "ko": "태어난 달만으로 계산했습니다. 정확한 날짜는 생일로 확인하세요.",
}
_SOURCE = {
    "ja": "出典：{source}",
    "ja-x-easy": "情報（じょうほう）：{source}",
    "en": "Source: {source}",
    "zh-Hans": "来源：{source}",
    "ko": "출처: {source}",
}


@dataclass(frozen=True, slots=True)
class Event:
    """A date of a child: something is due from now on, or will be no more."""

    item: Item
    day: dt.date  # on which it is told
    opens: bool


def told(born: str, events: Sequence[Event]) -> Texts:
    """What families with a child of this month are told of these dates, in every language."""
    return {language: _in(language, born, events) for language in LANGUAGES}


def _in(language: str, born: str, events: Sequence[Event]) -> Text:
    first = _what(events[0].item, language)
    more = len(events) - 1
    what = _OTHERS[language].format(what=first, more=more, count=more + 1) if more else first
    lines = [_line(event, language) for event in events[:MOST_LINES]]
    if len(events) > MOST_LINES:
        lines.append(_MORE[language].format(more=len(events) - MOST_LINES))
    if any(event.item.plan.kind in CAUTIOUS for event in events):
        lines.append(CAUTION[language])
    lines.append(_MONTH_ONLY[language])
    sources = dict.fromkeys(str(event.item.plan.provenance.get("source_name") or "") for event in events)
    if said := " / ".join(filter(None, sources)):
        lines.append(_SOURCE[language].format(source=said))
    return {"title": _TITLE[language].format(born=_month(born, language), what=what), "body": "\n".join(lines)}


def _line(event: Event, language: str) -> str:
    item = event.item
    last = _date(item.ends_on, language) if item.ends_on is not None else ""
    words = _ENDS if not event.opens else _OPEN_UNTIL if last else _OPEN
    return words[language].format(
        what=_what(item, language), day=_date(item.starts_on or item.starts_on_earliest, language), last=last
    )


def _what(item: Item, language: str) -> str:
    title = text.choose(item.plan.texts, language)[1]["title"]
    period = name(item.period.names, language) if item.period.names else ""
    if not period:
        return title
    return f"{title}（{period}）" if language in ("ja", "ja-x-easy", "zh-Hans") else f"{title} ({period})"


def _month(born: str, language: str) -> str:
    year, month = born.split("-")
    number = str(int(month))
    return {
        "ja": f"{year}年{number}月",
        "ja-x-easy": f"{year}年（ねん）{number}月（がつ）",
        "en": born,
        "zh-Hans": f"{year}年{number}月",
        "ko": f"{year}년 {number}월",
    }[language]


def _date(day: dt.date, language: str) -> str:
    return {
        "ja": f"{day.year}年{day.month}月{day.day}日",
        "ja-x-easy": f"{day.year}年（ねん）{day.month}月（がつ）{day.day}日（にち）",
        "en": day.isoformat(),
        "zh-Hans": f"{day.year}年{day.month}月{day.day}日",
        "ko": f"{day.year}년 {day.month}월 {day.day}일",
    }[language]
