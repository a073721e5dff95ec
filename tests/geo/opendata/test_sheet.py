"""Tables are read by content: any encoding in use, any RFC 4180 file, with the true line of every record."""

from __future__ import annotations

import pytest

from geo.opendata import sheet as sheets
from geo.opendata.faults import OpenDataError
from geo.opendata.sheet import header_key, open_sheet

KNOWN = frozenset({"名称", "緯度"})


def known(keys: frozenset[str]) -> bool:
    return keys >= KNOWN


@pytest.mark.parametrize(
    ("encoding", "said"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp932", "cp932"), ("euc_jp", "euc_jp")]
)
def test_every_encoding_in_use_is_recognised(encoding: str, said: str) -> None:
    text = "名称,緯度\r\n見本小学校（ひらがな・カタカナ）,38.2\r\n"
    found = open_sheet(text.encode(encoding), known)
    assert found.encoding == said
    assert [record.cells for record in found.records()] == [["見本小学校（ひらがな・カタカナ）", "38.2"]]


def test_letters_only_microsoft_has_are_read() -> None:
    found = open_sheet("名称,緯度\n①髙橋〜－ビル,38\n".encode("cp932", "replace"), known)
    assert next(found.records()).cells[0].startswith("①髙橋")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_counted_as_an_editor_counts_them(end: str) -> None:
    text = end.join(["名称,緯度", '"二行', 'の名",1', "", "三,2", ""])
    found = open_sheet(text.encode(), known)
    assert [(record.line, record.cells[-1:]) for record in found.records() if record.cells] == [(2, ["1"]), (5, ["2"])]


def test_quotes_commas_and_line_ends_inside_cells() -> None:
    found = open_sheet('名称,緯度\n"いわゆる ""旧館"", 2階\r\nのみ",38\n'.encode(), known)
    assert next(found.records()).cells == ['いわゆる "旧館", 2階\r\nのみ', "38"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("災害種別_崖崩れ、土石流及び地滑り", "災害種別＿崖崩れ,土石流及び地滑り"),
        ("建物名等(方書)", "建物名等（方書）"),
        ("施設・場所名", "施設･場所名"),
        ("ＩＤ", "id"),
        (" 名称 _ カナ", "名称_ｶﾅ"),
        ("#property", "property"),
    ],
)
def test_headers_may_vary_in_width_spaces_and_punctuation(one: str, other: str) -> None:
    assert header_key(one) == header_key(other)


def test_different_headers_stay_different() -> None:
    assert len({header_key(name) for name in ("名称", "名称_カナ", "緯度", "経度", "flood_L1", "flood_L2")}) == 6


def test_a_title_above_the_header_is_stepped_over() -> None:
    found = open_sheet("見本市 避難場所一覧,,\n\n令和8年4月現在\n名称,緯度,\n甲,38,\n".encode(), known)
    assert found.columns == ("名称", "緯度")
    assert [record.line for record in found.records()] == [5]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf\r\n", "empty"),
        (b"PK\x03\x04rest", "not_text"),
        (b"\xd0\xcf\x11\xe0rest", "not_text"),
        (b"\x1f\x8brest", "not_text"),
        (b"%PDF-1.7", "not_text"),
        ("名称".encode("utf-16"), "utf16"),
        (b"\xff\x00\xff\x81", "unknown_encoding"),
        ('名称,緯度\n"閉じない,38\n乙,39\n'.encode(), "not_csv"),
        ('名称,緯度\n"甲"x,38\n'.encode(), "not_csv"),
    ],
)
def test_what_is_no_table_is_refused_as_a_whole(data: bytes, code: str) -> None:
    with pytest.raises(OpenDataError) as refused:
        list(open_sheet(data, known).records())
    assert refused.value.code == code


def test_a_quote_that_is_never_closed_is_found_where_it_opens() -> None:
    with pytest.raises(OpenDataError) as refused:
        list(open_sheet('名称,緯度\n甲,38\n"乙,38\n丙,39\n'.encode(), known).records())
    assert refused.value.line == 3


def test_ceilings_have_clear_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_ROWS", 2)
    monkeypatch.setattr(sheets, "MAX_CELL", 10)
    monkeypatch.setattr(sheets, "MAX_COLUMNS", 4)
    header = "名称,緯度\n"
    for body, code, line in (
        ("a,1\nb,2\nc,3\n", "too_many_rows", 4),
        (f"{'長' * 11},1\n", "cell_too_long", 2),
        ("a,1,,,\n", "too_many_columns", 2),
    ):
        with pytest.raises(OpenDataError) as refused:
            list(open_sheet((header + body).encode(), known).records())
        assert (refused.value.code, refused.value.line) == (code, line)
    with pytest.raises(OpenDataError) as refused:
        open_sheet(header.encode(), known, max_bytes=5)
    assert refused.value.code == "too_large"
