"""What is missing or mistyped in a template file is named by file and key."""

from __future__ import annotations

import copy
import tomllib

import pytest

from geo.hazards import Hazard
from notifications.wording import checks, render, templates, texts_agree, texts_complete


@pytest.fixture
def korean(monkeypatch):
    """The Korean file, to be spoilt."""
    file = copy.deepcopy(templates.language_file("ko"))
    whole = templates.language_file
    for module in (templates, checks):
        monkeypatch.setattr(module, "language_file", lambda language: file if language == "ko" else whole(language))
    return file


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        (("orders", "4"), None, "ko: orders.4: missing"),
        (("orders", "none"), "", "ko: orders.none: missing"),
        (("who", "5"), None, "ko: who.5: missing"),
        (("drill", "mark"), None, "ko: drill.mark: missing"),
        (("titles", "cancel"), None, "ko: titles.cancel: missing"),
        (("statuses", "unknown"), None, "ko: statuses.unknown: missing"),
        (("shelters", "gap"), None, "ko: shelters.gap: missing"),
        (("hazards", "flood", "situation_3"), None, "ko: hazards.flood.situation_3: missing"),
        (("hazards", "tsunami", "action"), None, "ko: hazards.tsunami.action: missing"),
        (("area_title",), 0, "ko: area_title: not a number"),
        (("titles", "order"), "【{order}】{aera}", "ko: titles.order: unknown {aera}"),
    ],
)
def test_a_gap_is_named(korean, path, value, complaint):
    table = korean
    for key in path[:-1]:
        table = table[key]
    if value is None:
        del table[path[-1]]
    else:
        table[path[-1]] = value
    assert complaint in templates.gaps("ko")
    assert complaint in checks.templates_missing()


def test_a_file_that_is_not_there_is_named():
    assert templates.gaps("tlh")[0].startswith("tlh: ")


def test_a_file_that_is_no_toml_is_named(monkeypatch):
    def broken(_language):
        return tomllib.loads("titles = [")

    monkeypatch.setattr(templates, "language_file", broken)
    (found,) = templates.gaps("ko")
    assert found.startswith("ko: ")


def test_every_hazard_has_its_levels():
    assert all(templates.levels_for(hazard) for hazard in Hazard)


def test_a_cancel_whose_title_was_edited_into_an_order_is_named():
    texts = render(
        act="cancel", level=4, hazard="flood", area_names={"ja": "泉区"}, drill=False, values={"issuer": "仙台市"}
    )
    texts["ja"]["title"] = "【警戒レベル4 避難指示】泉区（洪水）"
    assert texts_complete(texts) == []
    found = texts_agree(texts, act="cancel", level=4, hazard="flood", drill=False)
    assert found == ["ja: the title does not begin with 【訂正・取消】"]
