"""The bytes of a published file as text, whatever of the usual encodings they are in."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from geo.opendata.faults import OpenDataError

# In turn: guessing libraries failed on short Japanese files (measured); a strict decoder does not guess.
ENCODINGS = ("utf-8-sig", "cp932", "euc_jp")
MAX_BYTES = 128 * 1024 * 1024

_OTHER_FILES = (
    (b"PK\x03\x04", "Excelブックかzipファイルです。CSV（UTF-8）で保存するか、展開してから指定してください"),
    (b"\xd0\xcf\x11\xe0", "古い形式のExcelブックです。CSV（UTF-8）で保存してから指定してください"),
    (b"\x1f\x8b", "gzipで圧縮されたファイルです。展開してから指定してください"),
    (b"%PDF", "PDFファイルです。CSVかGeoJSONを指定してください"),
)


def decodings(data: bytes, max_bytes: int = MAX_BYTES) -> Iterator[tuple[str, str]]:
    """(encoding, text) for every encoding in which the bytes are valid, the likeliest first.

    More than one can be valid: EUC-JP often passes as CP932. The caller takes the first whose
    header it knows. Raises `OpenDataError` when the bytes are too many or no text at all.
    """
    if len(data) > max_bytes:
        raise OpenDataError("too_large", f"ファイルが大きすぎます（{len(data):,}バイト。上限{max_bytes:,}バイト）")
    for magic, reason in _OTHER_FILES:
        if data.startswith(magic):
            raise OpenDataError("not_text", reason)
    if not data.strip(b"\x00\t\r\n \xef\xbb\xbf"):
        raise OpenDataError("empty", "ファイルが空です")
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise OpenDataError("utf16", "UTF-16のファイルです。CSV（UTF-8）で保存してから指定してください")
    valid = False
    for encoding in ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        valid = True
        yield encoding.removesuffix("-sig"), text
    if not valid:
        raise OpenDataError("unknown_encoding", "文字コードがUTF-8、Shift_JIS（CP932）、EUC-JPのどれでもありません")
