"""Codes of prefectures and municipalities (JIS X 0401, JIS X 0402), repaired where spreadsheets hurt them."""

from __future__ import annotations

import unicodedata

# JIS X 0401, in order: the first is 01.
# fmt: off
PREFECTURES = (
    "北海道", "青森県", "岩手県", "宮城県", "秋田県", "山形県", "福島県", "茨城県", "栃木県", "群馬県", "埼玉県",
    "千葉県", "東京都", "神奈川県", "新潟県", "富山県", "石川県", "福井県", "山梨県", "長野県", "岐阜県", "静岡県",
    "愛知県", "三重県", "滋賀県", "京都府", "大阪府", "兵庫県", "奈良県", "和歌山県", "鳥取県", "島根県", "岡山県",
    "広島県", "山口県", "徳島県", "香川県", "愛媛県", "高知県", "福岡県", "佐賀県", "長崎県", "熊本県", "大分県",
    "宮崎県", "鹿児島県", "沖縄県",
)
# fmt: on

# The cities with wards of their own (地方自治法 252条の19): code, name, reading.
DESIGNATED_CITIES = (
    ("01100", "札幌市", "サッポロシ"),
    ("04100", "仙台市", "センダイシ"),
    ("11100", "さいたま市", "サイタマシ"),
    ("12100", "千葉市", "チバシ"),
    ("14100", "横浜市", "ヨコハマシ"),
    ("14130", "川崎市", "カワサキシ"),
    ("14150", "相模原市", "サガミハラシ"),
    ("15100", "新潟市", "ニイガタシ"),
    ("22100", "静岡市", "シズオカシ"),
    ("22130", "浜松市", "ハママツシ"),
    ("23100", "名古屋市", "ナゴヤシ"),
    ("26100", "京都市", "キョウトシ"),
    ("27100", "大阪市", "オオサカシ"),
    ("27140", "堺市", "サカイシ"),
    ("28100", "神戸市", "コウベシ"),
    ("33100", "岡山市", "オカヤマシ"),
    ("34100", "広島市", "ヒロシマシ"),
    ("40100", "北九州市", "キタキュウシュウシ"),
    ("40130", "福岡市", "フクオカシ"),
    ("43100", "熊本市", "クマモトシ"),
)


class MunicipalityError(ValueError):
    """A text is no code of a prefecture or municipality, or could be read as two; `code` names which."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def check_digit(five: str) -> str:
    """The sixth digit: weights 6 to 2, modulo 11 (全国地方公共団体コード仕様)."""
    total = sum(int(digit) * weight for digit, weight in zip(five, (6, 5, 4, 3, 2), strict=True))
    return str((11 - total % 11) % 10)


def six_digits(text: str, prefecture: str | None = None) -> str:
    """The six-digit code that `text` means: full, without its check digit, or robbed of its leading zero.

    Spreadsheets turn 092011 into 92011, and some lists leave the check digit out; where five
    digits can be read both ways, `prefecture` (a name, or an address that begins with one)
    decides. Two digits are a prefecture. Raises `MunicipalityError`.
    """
    digits = unicodedata.normalize("NFKC", text).strip()
    if digits.endswith(".0"):  # a number cell written out as text
        digits = digits[:-2]
    if not (digits.isascii() and digits.isdecimal()) or len(digits) > 6:
        raise MunicipalityError("not_a_code", f"団体コードは6桁の数字です: 「{text[:40]}」")
    readings = [reading for reading in _readings(digits) if _numbered(reading)]
    if len(readings) > 1 and (named := prefecture_of(prefecture or "")) is not None:
        readings = [reading for reading in readings if reading[:2] == named] or readings
    if len(readings) > 1:
        raise MunicipalityError(
            "ambiguous_code",
            f"団体コード「{digits}」は{'とも'.join(readings)}とも読めます。検査数字を含む6桁で記入してください",
        )
    if not readings:
        wrong = len(digits) == 6 and _numbered(digits)
        raise MunicipalityError(
            "wrong_check_digit" if wrong else "not_a_code",
            f"団体コード「{digits}」の検査数字が合いません（{digits[:5]}なら{check_digit(digits[:5])}）"
            if wrong
            else f"団体コード「{digits}」に当たる都道府県はありません",
        )
    return readings[0]


def five_digits(text: str, prefecture: str | None = None) -> str:
    """The code without its check digit, as boundary files and `geo.areas` use it. Raises `MunicipalityError`."""
    return six_digits(text, prefecture)[:5]


def prefecture_of(text: str) -> str | None:
    """The two-digit code of the prefecture whose name `text` begins with, or None."""
    for number, name in enumerate(PREFECTURES, start=1):
        if text.startswith(name):
            return f"{number:02d}"
    return None


def designated_city_of(ward: str) -> tuple[str, str, str] | None:
    """The designated city (code, name, reading) that a five-digit ward code belongs to, or None."""
    if ward[2] != "1":  # codes from 201 are cities, from 301 towns and villages
        return None
    above = [city for city in DESIGNATED_CITIES if city[0][:2] == ward[:2] and city[0] < ward]
    return above[-1] if above else None


def _readings(digits: str) -> list[str]:
    if len(digits) <= 2:
        five = digits.zfill(2) + "000"
        return [five + check_digit(five)]
    full = digits.zfill(6)
    readings = [full] if len(digits) >= 5 and check_digit(full[:5]) == full[5] else []
    if len(digits) <= 5:
        five = digits.zfill(5)
        readings.append(five + check_digit(five))
    return readings


def _numbered(six: str) -> bool:
    """A prefecture there is, and in it the prefecture itself or one of the numbers from 100 that JIS X 0402 gives."""
    return 1 <= int(six[:2]) <= len(PREFECTURES) and (six[2:5] == "000" or six[2] != "0")
