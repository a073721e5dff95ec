"""What stands beside every timeline: that it is cautious, knows nothing, and replaces no doctor; in each language."""

from __future__ import annotations

from content.childcare.plans import Kind
from content.texts import LANGUAGES, chain

PROMISE = {
    "ja": "生まれた月だけから計算しています。期限は、その月のどの日に生まれていても間に合う一番早い日、"
    "始まりは一番遅い日です。"
    "正確な日は、お子さんの誕生日で確かめてください。済んだかどうかは記録していません。",
    "ja-x-easy": "生まれた 月（つき）だけで 計算（けいさん）しています。"
    "「いつまで」は いちばん 早（はや）い 日（ひ）、「いつから」は いちばん 遅（おそ）い 日（ひ）です。"
    "正（ただ）しい 日（ひ）は、子（こ）どもの 誕生日（たんじょうび）で 確（たし）かめて ください。",
    "en": "Reckoned from the month of birth alone: deadlines are the earliest and beginnings the latest for any "
    "birthday in that month. Check the exact days with your child's birthday. Nothing is recorded of what was done.",
    "zh-Hans": "仅根据出生月份计算：截止日为该月任何一天出生都来得及的最早日期，开始日为最晚日期。"
    "准确日期请按孩子的生日确认。系统不记录是否已完成。",
    "ko": "태어난 달만으로 계산했습니다. 기한은 그 달 어느 날 태어났어도 늦지 않는 가장 이른 날, "
    "시작은 가장 늦은 날입니다. "
    "정확한 날짜는 자녀의 생일로 확인해 주세요. 완료 여부는 기록하지 않습니다.",
}
CAUTION = {
    "ja": "受ける時期や間隔は、体調やこれまでの接種で変わります。かかりつけの医師に相談してください。",
    "ja-x-easy": "いつ 受（う）けるかは、医者（いしゃ）に 聞（き）いて ください。",
    "en": "When and at what interval depends on your child's health and earlier doses: check with your doctor.",
    "zh-Hans": "接种时间和间隔因孩子的健康状况和既往接种而异，请咨询医生。",
    "ko": "접종 시기와 간격은 건강 상태와 이전 접종에 따라 다릅니다. 의사와 상담하세요.",
}
CAUTIOUS = frozenset({Kind.VACCINE, Kind.CHECK})


def told(words: dict[str, str], wanted: tuple[str, ...]) -> dict[str, str]:
    """The words in the reader's language as far as they are written, and which one that is."""
    language = next(one for one in (*chain(wanted), *LANGUAGES) if one in words)
    return {"language": language, "text": words[language]}
