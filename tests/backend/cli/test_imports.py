"""`yobikake import` and `export` at the terminal: readable, scriptable, one transaction a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask

import database
from backend.cli import exports, imports
from database import db
from geo import areas
from geo.areas import Area
from geo.sites import Site
from tests.geo.opendata.lists import collection, feature, gsi, gsi_bytes, square


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of a small city."""
    (tmp_path / "good.csv").write_bytes(gsi_bytes(gsi(1), gsi(2)))
    (tmp_path / "bad.csv").write_bytes(gsi_bytes(gsi(3), gsi(4, 緯度="140.9", 経度="38.2")))
    (tmp_path / "other.csv").write_bytes("イベント名,開始日\n見本祭,2026-09-01\n".encode())
    names = {"N03_001": "宮城県", "N03_003": "仙台市", "N03_004": "若林区", "N03_007": "04103"}
    (tmp_path / "wards.geojson").write_bytes(collection(feature(names, square(38.2, 140.9))))
    towns = [{"town": "見本", "koaza": "", "lat": 38.2, "lng": 140.9}]
    (tmp_path / "towns.json").write_text(json.dumps(towns), encoding="utf-8")
    post = (
        '04103,"984  ","9840001","ミヤギケン","センダイシワカバヤシク","ミホン","宮城県","仙台市若林区","見本"'
        + ",0" * 6
    )
    (tmp_path / "ken.csv").write_text(post + "\r\n", encoding="utf-8")
    return tmp_path


def run(app: Flask, *words: str | Path) -> Result:
    group = exports.command if words[0] == "export" else imports.command
    return app.test_cli_runner().invoke(group, [str(word) for word in words[1:]], catch_exceptions=False)


def stored(app: Flask) -> list[str]:
    with app.app_context(), database.transaction(db.engine, "read") as session:
        return list(session.scalars(sa.select(Site.source_id).order_by(Site.id)))


def test_a_list_comes_in_with_a_report_people_can_read(app: Flask, folder: Path) -> None:
    ended = run(app, "import", "sites", folder / "good.csv", "--licence", "CC BY 4.0", "--as-of", "2026-08-01")
    assert ended.exit_code == 0
    assert "good.csv: 取り込みました" in ended.output
    assert "国土地理院 指定緊急避難場所データ" in ended.output
    assert "追加 2、変更 0、復活 0、変更なし 0、取り下げ 0、拒否 0" in ended.output
    assert len(stored(app)) == 2


def test_a_refusal_says_line_column_value_and_reason_and_ends_with_1(app: Flask, folder: Path) -> None:
    ended = run(app, "import", "sites", folder / "bad.csv")
    assert ended.exit_code == 1
    assert "拒否 3行目 「緯度・経度」 値「140.9, 38.2」: 緯度と経度が入れ替わっているようです" in ended.output
    assert "何も変えません" in ended.output
    assert stored(app) == []
    again = run(app, "import", "sites", folder / "bad.csv", "--skip-refused")
    assert (again.exit_code, stored(app)) == (1, ["E0410000003201"])


def test_each_file_is_taken_for_itself(app: Flask, folder: Path) -> None:
    ended = run(app, "import", "sites", folder / "other.csv", folder / "bad.csv", folder / "good.csv")
    assert ended.exit_code == 1
    assert "other.csv: 取り込めません" in ended.output
    assert len(stored(app)) == 2


def test_a_dry_run_changes_nothing(app: Flask, folder: Path) -> None:
    ended = run(app, "import", "sites", folder / "good.csv", "--dry-run")
    assert (ended.exit_code, stored(app)) == (0, [])
    assert "確認のみ" in ended.output


def test_json_is_for_programs(app: Flask, folder: Path) -> None:
    ended = run(app, "import", "sites", folder / "good.csv", folder / "other.csv", "--json")
    good, other = json.loads(ended.output)
    assert (good["file"], good["added"], good["applied"]) == ("good.csv", 2, True)
    assert (other["file"], other["error"]["code"]) == ("other.csv", "unknown_format")
    assert ended.exit_code == 1


def test_wards_towns_and_postcodes_come_in(app: Flask, folder: Path) -> None:
    for words in (("areas", "wards.geojson"), ("areas", "towns.json", "--parent", "041033"), ("postcodes", "ken.csv")):
        ended = run(app, "import", words[0], folder / words[1], *words[2:])
        assert ended.exit_code == 0, ended.output
    with app.app_context(), database.transaction(db.engine, "read") as session:
        assert [area.code for area in areas.by_postcode(session, "984-0001")] == ["04103-見本"]
        assert session.get_one(Area, "04103").name_kana == "ワカバヤシク"


def test_what_was_imported_is_exported_and_imported_again_unchanged(app: Flask, folder: Path) -> None:
    run(app, "import", "sites", folder / "good.csv")
    for form in ("csv", "geojson"):
        assert run(app, "export", "sites", "--format", form, "-o", folder / f"out.{form}").exit_code == 0
        ended = run(app, "import", "sites", folder / f"out.{form}", "--source", "gsi-emergency")
        assert "追加 0、変更 0、復活 0、変更なし 2" in ended.output
    assert run(app, "export", "sites").output.startswith("\ufeff全国地方公共団体コード,ID")
