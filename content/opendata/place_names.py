"""Names of collection areas taken apart: 「旭ケ丘1丁目1～8」 is the block 「1丁目1～8」 of the town 「旭ケ丘」."""

from __future__ import annotations

import re
import unicodedata

_DISTRICT = re.compile(r"^(.+?(?:地区|区域|区))\s*[-‐－–―:：]\s*(.+)$")
_NUMERAL = "[0-9０-９]"
_KANJI_CHOME = "[一二三四五六七八九十]+(?:[～~・、,-][一二三四五六七八九十]+)*丁目"
_BLOCK = re.compile(
    # 字 begins a block in 「鈎取字新田町」, not in 「十文字町」.
    rf"^(?P<town>.+?)(?P<block>の一部.*|(?:(?<![文大名])字(?!町|$).*|{_KANJI_CHOME}.*|{_NUMERAL}.*|[（(].*))$",
    re.DOTALL,
)
_REST = re.compile("^(それ以外|上記以外|その他)の(.+)$")


def district(name: str) -> tuple[str, str]:
    """(district, the rest) of 「惇明地区-京町」; no district otherwise."""
    found = _DISTRICT.match(name)
    return (found[1], found[2]) if found else ("", name)


def town_and_block(name: str) -> tuple[str, str]:
    """(town, block): the block is empty for a whole town. Brackets keep their width: it is how the city prints them."""
    if rest := _REST.match(name.strip()):
        return rest[2], rest[1]
    found = _BLOCK.match(name.strip())
    if not found:
        return name.strip(), ""
    return found["town"].strip(), found["block"].strip()


def key_of(ward: str, name: str) -> str:
    """What tells one area of a list from another, whatever the width of its letters."""
    return "".join(unicodedata.normalize("NFKC", f"{ward}/{name}").split())
