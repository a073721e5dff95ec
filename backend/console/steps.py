"""What was done to an alert or a notice, in the words of its history."""

from __future__ import annotations

from backend.console.language import mark, say

STEPS = {
    "draft": mark("起案した"),
    "edit": mark("直した"),
    "submit": mark("提出した"),
    "return": mark("差し戻した"),
    "approve": mark("承認した"),
    "break_glass": mark("一人で承認した（緊急）"),
    "discard": mark("破棄した"),
    "supersede": mark("更新で置き換わった"),
    "cancel": mark("取り消された"),
    "lift": mark("解除された"),
    "expire": mark("期限が切れた"),
    "withdraw": mark("内容を取り下げた"),
    "correct": mark("訂正で置き換わった"),
    "restore": mark("訂正の取り下げで、また掲載された"),
}


def word(action: str) -> str:
    """An action of content.workflow for the reader; its own name where there is no word."""
    return say(STEPS.get(action, action))
