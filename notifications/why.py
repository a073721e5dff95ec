"""Why a phone got a message: the code that travels with it, as a sentence in every language."""

from __future__ import annotations

from content.texts import EASY, LANGUAGES

# By the code's first word, or its first two: the longest that fits counts.
_SENTENCES: dict[str, tuple[str, str, str, str, str]] = {
    "alert": (
        "避難に関する情報の対象の区域に、あなたの場所が入っているためです。",
        "あなたの 場所（ばしょ）が あぶない ところに 入（はい）って いるからです。",
        "Because a place of yours lies in the area of this evacuation information.",
        "因为您的地点位于本避难信息的对象区域内。",
        "회원님의 장소가 이 대피 정보의 대상 구역에 있기 때문입니다.",
    ),
    "drill": (
        "訓練の対象の区域に、あなたの場所が入っているためです。",
        "訓練（くんれん）＝練習（れんしゅう）の ところに、あなたの 場所（ばしょ）が 入（はい）って いるからです。",
        "Because a place of yours lies in the area of this drill.",
        "因为您的地点位于本次演练的区域内。",
        "회원님의 장소가 이 훈련의 대상 구역에 있기 때문입니다.",
    ),
    "topic": (
        "このお知らせの話題を選んでいるためです。",
        "この お知（し）らせの テーマを 選（えら）んで いるからです。",
        "Because you follow the topic of this notice.",
        "因为您关注了该通知的主题。",
        "이 공지의 주제를 구독하고 있기 때문입니다.",
    ),
    "area": (
        "お知らせの対象の区域に、あなたの場所が入っているためです。",
        "お知（し）らせの 地域（ちいき）に、あなたの 場所（ばしょ）が 入（はい）って いるからです。",
        "Because a place of yours lies in the area of this notice.",
        "因为您的地点位于该通知的区域内。",
        "회원님의 장소가 이 공지의 대상 구역에 있기 때문입니다.",
    ),
    "child": (
        "お子さんの生まれた月が、お知らせの対象に入っているためです。",
        "子（こ）どもの 生（う）まれた 月（つき）が 対象（たいしょう）だからです。",
        "Because a child of yours was born in the months this notice is for.",
        "因为您孩子的出生月份属于该通知的对象。",
        "자녀의 출생 월이 이 공지의 대상에 해당하기 때문입니다.",
    ),
    "everyone": (
        "市内のすべての登録者へのお知らせです。",
        "みんなに 送（おく）る お知（し）らせです。",
        "This notice goes to everybody who registered.",
        "本通知发送给所有登记者。",
        "등록한 모든 분께 보내는 공지입니다.",
    ),
    "reminder:garbage:evening": (
        "この区域の収集日の前の日に知らせるよう、あなたが選んだためです。",
        "ごみの日（ひ）の 前（まえ）の 日（ひ）に 知（し）らせると、あなたが 選（えら）んだからです。",
        "Because you asked to be told on the eve of collections in this area.",
        "因为您选择了在该区域收集日的前一天接收提醒。",
        "이 구역의 수거일 전날에 알리도록 선택하셨기 때문입니다.",
    ),
    "reminder:garbage:morning": (
        "この区域の収集日の朝に知らせるよう、あなたが選んだためです。",
        "ごみの日（ひ）の 朝（あさ）に 知（し）らせると、あなたが 選（えら）んだからです。",
        "Because you asked to be told on the day of collections in this area.",
        "因为您选择了在该区域收集日当天接收提醒。",
        "이 구역의 수거일 당일에 알리도록 선택하셨기 때문입니다.",
    ),
    "correction:garbage": (
        "先にお知らせした収集日が変わったためです。",
        "まえに 知（し）らせた ごみの日（ひ）が 変（か）わったからです。",
        "Because a collection day we told you of has changed.",
        "因为此前通知您的收集日有变更。",
        "앞서 알려 드린 수거일이 변경되었기 때문입니다.",
    ),
    "reminder:child": (
        "お子さんの生まれた月を登録し、時期のお知らせを選んだためです。",
        "子（こ）どもの 生（う）まれた 月（つき）を 登録（とうろく）して、お知（し）らせを 選（えら）んだからです。",
        "Because you told the month of birth of a child and asked for its dates.",
        "因为您登记了孩子的出生月份并选择了接收时间提醒。",
        "자녀의 출생 월을 등록하고 시기 알림을 선택하셨기 때문입니다.",
    ),
    "test": (
        "あなたが受信テストを求めたためです。",
        "あなたが テストを したからです。",
        "Because you asked for a test.",
        "因为您请求了接收测试。",
        "회원님이 수신 테스트를 요청하셨기 때문입니다.",
    ),
}
_PLACES: dict[str, tuple[str, str, str, str, str]] = {
    "current": ("いまいる場所", "いま いる ところ", "where you are", "当前位置", "현재 위치"),
    "home": ("自宅", "家（いえ）", "home", "住处", "집"),
    "work": ("職場・学校", "仕事（しごと）・学校（がっこう）", "work or school", "单位或学校", "직장·학교"),
    "family": ("家族の家", "家族（かぞく）の 家（いえ）", "family", "家人住处", "가족 집"),
}
_ORDER = ("ja", EASY, "en", "zh-Hans", "ko")
CODES = tuple(_SENTENCES)


def sentence(reason: str, place: str | None, language: str) -> str:
    """Why, in one of the languages we write; empty for a code that there are no words for.

    `reason` as a message has it ("topic:garbage", "reminder:garbage:evening"); `place`: the registered place, if any.
    """
    parts = reason.split(" ")[0].split(":")
    code = next((key for long in (3, 2, 1) if (key := ":".join(parts[:long])) in _SENTENCES), None)
    if code is None or language not in LANGUAGES:
        return ""
    at = _ORDER.index(language)
    said = _SENTENCES[code][at]
    named = _PLACES[place][at] if place in _PLACES else ""
    if not named:
        return said
    return f"{said}（{named}）" if language in ("ja", EASY, "zh-Hans") else f"{said} ({named})"
