"""The catalogue of what is open: for programs (members after DCAT), for people, and as オープンデータ一覧."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from backend.opendata.dataset import MEDIA, DataSet, Origin, Publisher
from backend.opendata.sets import SETS
from geo import sites

# オープンデータ一覧 of the 推奨データセット (2019–22).
COLUMNS = (
    *("都道府県コード又は市区町村コード", "NO", "都道府県名", "市区町村名", "データ名称", "データ概要", "データ形式"),
    *("分類", "更新頻度", "URL", "API対応有無", "ライセンス", "登録日", "最終更新日", "備考"),
)


def datasets(session: Session, by: Publisher, public_url: str) -> list[dict[str, Any]]:
    """Every set that has a row, with its sources, size, age and files."""
    found = []
    for one in SETS.values():
        origins = one.origins(session, by)
        if origins:
            found.append(_described(session, one, origins, public_url))
    return found


def rows(found: list[dict[str, Any]], by: Publisher) -> Iterator[dict[str, Any]]:
    """The catalogue as records of the standard list, one a file."""
    number = 0
    for one in found:
        for file in one["distributions"]:
            number += 1
            yield {
                "NO": number,
                "市区町村名": by.name,
                "データ名称": one["title"]["ja"],
                "データ概要": one["description"],
                "データ形式": file["format"],
                "URL": file["url"],
                "API対応有無": 1,
                "ライセンス": "、".join(one["licences"]) or None,
                "最終更新日": one["updated_at"].date().isoformat() if one["updated_at"] else None,
                "備考": one["standard"],
            }


def updated_at(session: Session, one: DataSet) -> dt.datetime | None:
    """When a set last changed, where that is known."""
    return sites.changed(session, one.revision)[1] if one.revision is not None else None


def _described(session: Session, one: DataSet, origins: list[Origin], public_url: str) -> dict[str, Any]:
    return {
        "id": one.name,
        "title": {"ja": one.ja, "en": one.en},
        "description": one.about,
        "standard": one.standard,
        "rows": sum(origin.rows for origin in origins),
        "updated_at": updated_at(session, one),
        "licences": sorted({origin.licence for origin in origins if origin.licence}),
        "sources": [
            {"source": origin.source, "licence": origin.licence, "as_of": origin.as_of, "rows": origin.rows}
            for origin in origins
        ],
        "distributions": [
            file
            for form in one.forms
            for file in _files(one, form, sorted({origin.source for origin in origins}), public_url)
        ],
    }


def _files(one: DataSet, form: str, sources: list[str], public_url: str) -> Iterator[dict[str, Any]]:
    """One file, or one a source where a file holds one."""
    wanted: list[str | None] = list(sources) if form in one.one_source and len(sources) > 1 else [None]
    for source in wanted:
        query = f"?{urlencode({'source': source})}" if source is not None else ""
        yield {
            "format": form,
            "media_type": MEDIA[form],
            "url": f"{public_url}/opendata/{one.name}.{form}{query}",
            "source": source,
            "importer": one.importer.get(form),
        }
