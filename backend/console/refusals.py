"""What the storeys below refuse, in the reader's language: they speak English to programs, the console to people."""

from __future__ import annotations

import re

from backend.api.refusals import REFUSALS, problem_of
from backend.console.language import current, mark, say
from content.editors import EditorError
from content.notices import Conflict as NoticeConflict
from content.texts import ENDONYMS
from content.workflow import NotAllowed
from notifications.dangers import AreaRefused
from notifications.drafting import Conflict

KINDS = (*REFUSALS, EditorError)

_STATUS = {
    400: mark("送られた内容を読み取れませんでした。"),
    403: mark("この操作は、あなたの役割ではできません。"),
    404: mark("このページはありません。削除されたか、アドレスが違います。"),
    405: mark("このページは、その方法では開けません。"),
    409: mark("内容が変わったか、今はできない操作です。"),
    413: mark("送られた内容が大きすぎます。"),
    429: mark("短い間に何度も試されました。しばらく待ってから、もう一度お試しください。"),
    503: mark("ただいまデータベースを使えません。何も変わっていません。少し待って、もう一度お試しください。"),
}
_RULES = {
    "unknown_action": mark("そのような操作はありません。"),
    "wrong_state": mark("今の状態では、この操作はできません。ページを開き直してください。"),
    "role": mark("この操作は、あなたの役割ではできません。"),
    "machine": mark("機械の鍵ではできません。"),
    "own_work": mark("起案・修正・提出をした人は承認できません。別の人が承認してください。"),
    "not_submitted": mark("まだ提出されていません。"),
    "hash_missing": mark("確認した内容が分かりません。ページを開き直してください。"),
    "content_changed": mark("確認した後に内容が変わりました。もう一度内容を確かめてください。"),
    "lapsed": mark("提出から時間がたったか、対象の人数が大きく変わりました。もう一度提出してください。"),
    "reason_missing": mark("理由を書いてください。"),
    "system_only": mark("この操作は人にはできません。"),
    "two_people": mark("あなたは起案に関わっていません。二人そろっているので、ふつうの承認をしてください。"),
    "second_factor": mark("確認コードが違うか、一度使ったものです。アプリに出る次の6桁を入れてください。"),
}
_FIELDS = {
    "level": mark("警戒レベル"),
    "hazard": mark("災害の種類"),
    "expires_at": mark("有効期限"),
    "follows": mark("続報の元"),
    "area": mark("区域"),
    "area.polygon": mark("区域の角"),
    "area.minus_polygon": mark("除く範囲の角"),
    "area.areas": mark("区域"),
    "area.minus_areas": mark("除く区域"),
    "area_names": mark("区域の呼び名"),
    "texts": mark("文章"),
    "title": mark("題"),
    "body": mark("本文"),
    "reason": mark("理由"),
    "topic": mark("話題"),
    "areas": mark("区域"),
    "from_months": mark("月齢（か月以上）"),
    "to_months": mark("月齢（か月未満）"),
    "push": mark("届け方"),
    "phase": mark("災害の段階"),
    "publish_at": mark("掲載を始める日時"),
    "link": mark("詳しいページ"),
    "correction": mark("何を訂正したか"),
    "corrects": mark("訂正する元"),
    "attachments": mark("添付"),
    "url": mark("アドレス"),
    "kind": mark("種類"),
    "titles": mark("題"),
    "slug": mark("話題の符号"),
    "names": mark("名前"),
    "descriptions": mark("説明"),
}
# What is said below in English (and stays so for English readers), in Japanese; the first that fits is taken.
_REASONS = (
    (
        r"nobody can be rung there",
        "境界のデータがない区域には届けられません。「掲載だけ」にするか、別の区域にしてください。",
    ),
    (r"say what was corrected", "何を訂正したかを書いてください。"),
    (r"only a notice that corrects another", "訂正ではないお知らせには書けません。"),
    (r"to be corrected is|has been corrected already", "元のお知らせは、もう訂正できません。"),
    (r"withdrawn or corrected in this moment", "元のお知らせが、たったいま訂正されたか取り下げられました。"),
    (r"is already past", "もう過ぎています。"),
    (r"must lie after publish_at", "掲載を始める日時より後にしてください。"),
    (r"must be a day and a time", "日付と時刻を入れてください。"),
    (r"must be a number of months|must lie between 0 and \d+ months", "0〜240の数字（月数）で書いてください。"),
    (r"must be more than from_months", "「から」より大きくしてください。"),
    (r"whole address that begins with https", "https:// で始まるアドレスを書いてください。"),
    (r"a title in one language at least", "題を書いてください。"),
    (r"is there twice", "同じものが二つあります。"),
    (r"there is no such area", "この区域はありません。"),
    (r"to lie under, or it is retired", "上の話題がないか、終わっています。"),
    (r"there is no topic|unknown topics", "この話題はないか、終わっています。"),
    (r"is small letters, figures", "半角の英小文字・数字・ハイフンで書いてください。上の話題との間は点（.）です。"),
    (r"below it is still offered", "下に、まだ続いている話題があります。先にそちらを終えてください。"),
    (r"is, or was, a topic's", "この符号は、すでに使われています（終わった話題のものも、二度と使えません）。"),
    (r"at most \d+ steps", "階層が深すぎます。"),
    (r"must have 1 to \d+ (printable )?characters", "空か、長すぎるか、使えない文字があります。"),
    (r"\d+ (areas|attachments), at most", "多すぎます。"),
    (r"must be a day$", "日付を入れてください。"),
    (r"must be a time such as", "時刻を 09:00 のように入れてください。"),
    (r"must not lie before", "始まりより前にはできません。"),
    (r"latitude and longitude in degrees", "緯度と経度を、両方とも度で書くか、両方とも空にしてください。"),
    (r"^choose one|^is one of", "一つ選んでください。"),
    (r"^is required", "書いてください。"),
    (r"must lie between ten minutes and fourteen days", "今から10分後〜14日後の間にしてください。"),
    (r"less than ten minutes remain", "期限まで10分を切っています。期限を延ばしてください。"),
    (r"an alert for .* has the level", "この災害には、その警戒レベルはありません。"),
    (r"name the drawn area", "図形だけのときは、区域の呼び名（日本語）を書いてください。"),
    (r"draw a polygon or name", "区域を一つ以上選ぶか、角を三つ以上書いてください。"),
    (r"there is no area", "選んだ区域が見つかりません。"),
    (r"has no boundary", "選んだ区域には境界のデータがありません。別の区域を選ぶか、角を書いてください。"),
    (r"at least three different corners", "角を三つ以上書いてください。"),
    (r"lie on one line", "角が一直線に並んでいます。"),
    (r"crosses or touches itself|hole", "線が交わっています。角の順番を確かめてください。"),
    (r"nothing remains of the shape", "除いた後に区域が残りません。"),
    (r"km² large", "区域が広すぎます。"),
    (r"at most .* (polygons|corners)|(polygons|corners); at most", "図形または角が多すぎます。"),
    (r"only one in force can be followed up|meanwhile", "元の情報は、もう発令中ではありません。"),
    (r"is missing|title and body are required", "題と本文が要ります。"),
    (r"holds a placeholder", "埋めていない所が残っています。"),
    (r"is empty", "空です。"),
    (r"\d+ characters, at most", "長すぎます。"),
    (r"too long for a push", "プッシュに入りきりません。短くしてください。"),
    (r"does not name|does not say|does not begin", "警戒レベルや発令の名前が、文章に正しく書かれていません。"),
    (r"names another level", "別の警戒レベルの名前が書かれています。"),
    (r"speaks of a drill", "訓練ではないのに「訓練」と書かれています。"),
    (r"a drill begins with", "訓練の文章は【訓練】で始め、本文でも訓練だと書いてください。"),
    (r"a date of another year", "別の年の日付が書かれています。"),
    (r"a date long past", "一週間以上前の日付が書かれています。"),
    (r"no such day", "存在しない日付が書かれています。"),
    (r"another weekday", "日付と曜日が合っていません。"),
    (r"term was abolished", "今は使われない言葉です。"),
    (r"phones show about", "長いので、スマートフォンの画面では途中で切れます。"),
    (r"capitals throughout", "大文字ばかりで読みにくい文です。"),
    (r"writes dates in words", "やさしい日本語では、日付を「11月21日」のように書きます。"),
    (r"is the Japanese text", "日本語の文章のままです。"),
    (r"unprintable character", "使えない文字が入っています。"),
    (r"a login has 2 to 32", "職員IDは2〜32文字の半角英数字（途中に . _ - も可）にしてください。"),
    (r"the login .* is taken", "この職員IDは、ほかの人が使っています。"),
    (r"the name .* is taken", "この名前の人は、もう登録されています。"),
    (r"signs in as", "この人の職員IDは決まっています。"),
    (r"choose a role", "役割を選んでください。"),
    (r"a person needs a name", "名前を書いてください。"),
    (r"a password has", "パスワードは12〜200文字にしてください。"),
    (
        r"too easy to guess",
        "推測されやすいパスワードです。使う文字の種類を増やし、名前や職員IDを含めないでください。",
    ),
    (r"a place needs a name", "名前を書いてください。"),
    (r"an address begins with https", "https:// か http:// で始まるアドレスを書いてください。"),
    (r"look swapped", "緯度と経度が入れ替わっているようです。"),
    (r"lies outside Japan|not a position|is not between", "日本の中の緯度・経度を、度で書いてください。"),
    (r"capacity is no number of people", "定員は人数を数字で書いてください。"),
    (r"there is no hazard", "災害の種類を選び直してください。"),
    (r"is a machine|is disabled", "この人にはサインインのリンクを渡せません。"),
)


def of_status(status: int) -> str:
    """What an HTTP status means to the reader."""
    return say(_STATUS.get(status, mark("思わぬことが起きました。何も変わっていないか、一覧で確かめてください。")))


def status_of(error: Exception) -> int:
    """The HTTP status of a refusal, as the API answers it."""
    return 422 if isinstance(error, EditorError) else problem_of(error).status


def headline(error: Exception) -> str:
    """One sentence for the top of a page."""
    if isinstance(error, NotAllowed):
        return say(_RULES.get(error.code, error.reason))
    if isinstance(error, (Conflict, NoticeConflict)):
        return say("ほかの人が先に変更しました。あなたの変更は保存されていません。新しい内容を確かめてください。")
    return say("次の点を直してください。")


def reasons(error: Exception) -> list[tuple[str, str]]:
    """Each field that is at fault with its reason; the field is "" for the whole."""
    if isinstance(error, (NotAllowed, Conflict, NoticeConflict)):
        return []
    if isinstance(error, AreaRefused):
        place = "" if error.lat is None else f" ({error.lat:.6f}, {error.lon:.6f})"
        return [(field(error.field), reason(error.reason) + place)]
    listed: list[tuple[str, str]] | None = getattr(error, "errors", None)
    if listed is None:
        return [("", reason(str(error)))]
    return [(field(name), reason(said)) for name, said in listed]


def fields(error: Exception) -> list[str]:
    """The fields that are at fault, as the storeys below name them."""
    if isinstance(error, AreaRefused):
        return [error.field]
    return [name for name, _ in getattr(error, "errors", None) or ()]


def field(name: str) -> str:
    """A field's name for people: 「English・本文」 for `texts.en.body`."""
    if name in _FIELDS:
        return say(_FIELDS[name])
    parts = [part for part in name.split(".") if part not in ("texts", "area_names")]
    return "・".join(ENDONYMS.get(part) or _part(part) for part in parts)


def _part(part: str) -> str:
    return say("%(number)s番目", number=int(part) + 1) if part.isdecimal() else say(_FIELDS.get(part, part))


def reason(said: str) -> str:
    """A reason in Japanese, with what it quotes; English readers get the original words."""
    if current() == "en":
        return said[:1].upper() + said[1:]
    for pattern, japanese in _REASONS:
        if re.search(pattern, said):
            quoted = said.partition(": ")[2] if "holds" in said or "date" in said or "weekday" in said else ""
            return japanese + (f"「{quoted}」" if quoted else "")
    return said
