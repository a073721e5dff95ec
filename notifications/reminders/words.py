"""The words of reminders of collection days, in every language: dates in full, so that they stay true when late."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from content.texts import LANGUAGES, Text, Texts, chain

_WEEKDAYS = {
    "ja": "月火水木金土日",
    "zh-Hans": "一二三四五六日",
    "ko": "월화수목금토일",
    "ja-x-easy": ("月曜日（げつようび）", "火曜日（かようび）", "水曜日（すいようび）", "木曜日（もくようび）",
                  "金曜日（きんようび）", "土曜日（どようび）", "日曜日（にちようび）"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}  # fmt: skip
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_AND = {"ja": "・", "ja-x-easy": "・", "en": ", ", "zh-Hans": "、", "ko": "·"}
_SPACE = {"ja": "", "ja-x-easy": " ", "en": " ", "zh-Hans": "", "ko": " "}

_COLLECTED = {
    "ja": "【ごみ】{day}は{names}",
    "ja-x-easy": "【ごみ】{day}は {names}の 日（ひ）です",
    "en": "Garbage {day}: {names}",
    "zh-Hans": "【垃圾】{day}：{names}",
    "ko": "[쓰레기] {day}: {names}",
}
_NOTHING = {
    "ja": "【ごみ】{day}は収集がありません",
    "ja-x-easy": "【ごみ】{day}は ごみを あつめません",
    "en": "Garbage {day}: no collection",
    "zh-Hans": "【垃圾】{day}不收集",
    "ko": "[쓰레기] {day}: 수거 없음",
}
_UNTIL = {
    "ja": "当日の{hour}までに出してください。",
    "ja-x-easy": "その日（ひ）の {hour}までに 出（だ）して ください。",
    "en": "Put it out by {hour} that day.",
    "zh-Hans": "请在当天{hour}前拿出来。",
    "ko": "당일 {hour}까지 내놓아 주세요.",
}
_IN_TIME = {
    "ja": "当日、決められた時間までに出してください。",
    "ja-x-easy": "その日（ひ）の 決（き）められた 時間（じかん）までに 出（だ）して ください。",
    "en": "Put it out that day by the hour set for your area.",
    "zh-Hans": "请在当天规定的时间前拿出来。",
    "ko": "당일 정해진 시간까지 내놓아 주세요.",
}
_MOVED = {
    "ja": "{names}は{day}の分の振替です。",
    "ja-x-easy": "{names}は {day}の かわりです。",
    "en": "{names}: instead of {day}.",
    "zh-Hans": "{names}：代替{day}的收集。",
    "ko": "{names}: {day} 수거를 대신합니다.",
}
_EXTRA = {
    "ja": "{names}は臨時の収集です。",
    "ja-x-easy": "{names}は いつもと ちがう 日（ひ）に あつめます。",
    "en": "{names}: a special collection.",
    "zh-Hans": "{names}：临时收集。",
    "ko": "{names}: 임시 수거입니다.",
}
_MISSED = {
    "ja": "{names}の収集はありません。",
    "ja-x-easy": "{names}は あつめません。",
    "en": "{names}: not collected.",
    "zh-Hans": "{names}：当天不收集。",
    "ko": "{names}: 수거하지 않습니다.",
}
_INSTEAD = {
    "ja": "{names}の収集はありません（{day}に振替）。",
    "ja-x-easy": "{names}は あつめません。{day}に あつめます。",
    "en": "{names}: not collected, but on {day}.",
    "zh-Hans": "{names}：当天不收集，改为{day}。",
    "ko": "{names}: 수거하지 않습니다. {day}에 수거합니다.",
}
_WRONG_TITLE = {
    "ja": "【訂正】{title}",
    "ja-x-easy": "【なおします】{title}",
    "en": "Correction – {title}",
    "zh-Hans": "【更正】{title}",
    "ko": "[정정] {title}",
}
_WRONG = {
    "ja": "先にお送りした{day}の収集のお知らせは、変更により正しくなくなりました。正しくは次のとおりです。",
    "ja-x-easy": "まえに おくった {day}の おしらせは まちがいに なりました。これが 正（ただ）しいです。",
    "en": "What we told you earlier about {day} is no longer right. This is correct:",
    "zh-Hans": "此前关于{day}收集的通知因变更已不正确，请以此为准：",
    "ko": "앞서 알려 드린 {day} 수거 안내는 변경되어 더 이상 맞지 않습니다. 정확한 내용은 다음과 같습니다.",
}

_GONE_TITLE = {
    "ja": "【訂正】【ごみ】収集地区が変わりました",
    "ja-x-easy": "【なおします】【ごみ】ごみを あつめる 地区（ちく）が かわりました",
    "en": "Correction – Garbage: your collection area has changed",
    "zh-Hans": "【更正】【垃圾】收集区域已变更",
    "ko": "[정정] [쓰레기] 수거 구역이 변경되었습니다",
}
_GONE = {
    "ja": "お選びの収集地区は、変更によりなくなりました。"
    "先にお送りした{day}の収集のお知らせは、正しくないことがあります。\nアプリで収集地区を選び直してください。",
    "ja-x-easy": "あなたが えらんだ 地区（ちく）は なくなりました。"
    "まえに おくった {day}の おしらせは まちがいかも しれません。\n"
    "アプリで 地区（ちく）を もう一度（いちど） えらんで ください。",
    "en": "The collection area you chose no longer exists. What we told you earlier about {day} may not be right.\n"
    "Please choose your area again in the app.",
    "zh-Hans": "您选择的收集区域因变更已不存在。此前关于{day}收集的通知可能不正确。\n请在应用中重新选择收集区域。",
    "ko": "선택하신 수거 구역은 변경되어 없어졌습니다. 앞서 알려 드린 {day} 수거 안내는 맞지 않을 수 있습니다.\n"
    "앱에서 수거 구역을 다시 선택해 주세요.",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A category on its day: its names by language, and why it is on this day where that is unusual."""

    names: Mapping[str, str]
    moved_from: dt.date | None = None
    extra: bool = False


@dataclass(frozen=True, slots=True)
class Left:
    """A category that is not collected although its rule means the day."""

    names: Mapping[str, str]
    instead: dt.date | None = None


def reminder(
    day: dt.date, taken: Sequence[Taken], left: Sequence[Left], cutoff: dt.time | None, *, wrong: bool = False
) -> Texts:
    """What is collected on a day and what is not, until which hour. `wrong`: the earlier word is taken back."""
    return {language: _in(language, day, taken, left, cutoff, wrong) for language in LANGUAGES}


def area_gone(day: dt.date) -> Texts:
    """The earlier word about a day is doubtful: its area was withdrawn, and what holds there is not known here."""
    return {tag: {"title": _GONE_TITLE[tag], "body": _GONE[tag].format(day=date(day, tag))} for tag in LANGUAGES}


def date(day: dt.date, language: str) -> str:
    """A day without a year, as it is said."""
    weekday = _WEEKDAYS[language][day.weekday()]
    if language == "en":
        return f"{weekday} {day.day} {_MONTHS[day.month]}"
    if language == "ko":
        return f"{day.month}월 {day.day}일({weekday})"
    if language == "zh-Hans":
        return f"{day.month}月{day.day}日（周{weekday}）"
    if language == "ja":
        return f"{day.month}月{day.day}日（{weekday}）"
    return f"{day.month}月（がつ）{day.day}日（にち） {weekday}"


def hour(time: dt.time, language: str) -> str:
    """A time of the day as it is said."""
    if language in ("en", "zh-Hans"):
        return f"{time.hour}:{time.minute:02d}"
    if language == "ko":
        return f"{time.hour}시" + (f" {time.minute}분" if time.minute else "")
    if language == "ja":
        return f"{time.hour}時" + (f"{time.minute}分" if time.minute else "")
    return f"{time.hour}時（じ）" + (f"{time.minute}分（ふん）" if time.minute else "")


def name(names: Mapping[str, str], language: str) -> str:
    """A name in a language, or in the next one that there is."""
    return next((names[tag] for tag in (*chain(language), *LANGUAGES) if names.get(tag)), "")


def _in(
    language: str, day: dt.date, taken: Sequence[Taken], left: Sequence[Left], cutoff: dt.time | None, wrong: bool
) -> Text:
    said = date(day, language)

    def names(some: Sequence[Taken] | Sequence[Left]) -> str:
        return _AND[language].join(dict.fromkeys(name(one.names, language) for one in some))

    title = (_COLLECTED if taken else _NOTHING)[language].format(day=said, names=names(taken))
    lines = [_WRONG[language].format(day=said)] if wrong else []
    if wrong:
        lines.append(title)
        title = _WRONG_TITLE[language].format(title=title)
    if taken:
        until = _UNTIL[language].format(hour=hour(cutoff, language)) if cutoff else _IN_TIME[language]
        lines.append(until)
    for moved in sorted({one.moved_from for one in taken if one.moved_from is not None}):
        some = [one for one in taken if one.moved_from == moved]
        lines.append(_MOVED[language].format(names=names(some), day=date(moved, language)))
    if extra := [one for one in taken if one.extra]:
        lines.append(_EXTRA[language].format(names=names(extra)))
    for instead in sorted({one.instead for one in left}, key=lambda other: other or dt.date.max):
        some_left = [one for one in left if one.instead == instead]
        if instead is None:
            lines.append(_MISSED[language].format(names=names(some_left)))
        else:
            lines.append(_INSTEAD[language].format(names=names(some_left), day=date(instead, language)))
    return {"title": title, "body": "\n".join(lines) if wrong else _SPACE[language].join(lines) or title}
