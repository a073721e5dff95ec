"""Every word of the console has its English, and the catalogue holds nothing that nobody says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from backend.console import language
from tests.backend.console.conftest import Hall
from tests.tables import ROOT

CONSOLE = ROOT / "backend" / "console"
_QUOTED = re.compile(r"""\b_\(\s*("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""")
_JAPANESE = re.compile(r"[ぁ-んァ-ヶ一-龠]")


def said() -> Iterator[str]:
    """Everything that templates and code mark as words."""
    for path in CONSOLE.rglob("*.html"):
        for found in _QUOTED.findall(path.read_text(encoding="utf-8")):
            yield ast.literal_eval(found)
    for path in CONSOLE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            says = isinstance(node, ast.Call) and ast.unparse(node.func) in ("say", "mark") and node.args
            if says and isinstance(node.args[0], ast.Constant):  # type: ignore[attr-defined]
                yield str(node.args[0].value)  # type: ignore[attr-defined]


def test_every_word_has_its_english_and_no_english_is_left_over() -> None:
    spoken = {words for words in said() if _JAPANESE.search(words)}
    assert len(spoken) > 200
    known = language.catalogue()
    assert sorted(spoken - set(known)) == []
    assert sorted(set(known) - spoken) == []


def test_both_languages_fill_in_the_same_values() -> None:
    for japanese, english in language.catalogue().items():
        values = set(re.findall(r"%\((\w+)\)s", japanese))
        plurals = {f"{name}_{end}" for name in values for end in ("s", "es")}
        assert values == set(re.findall(r"%\((\w+)\)s", english)) - plurals, japanese
        assert not _JAPANESE.search(english.replace("日本語", "")), english


def test_no_template_speaks_without_asking_the_catalogue() -> None:
    for path in CONSOLE.rglob("*.html"):
        bare = re.sub(
            r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<pre>.*?</pre>", "", path.read_text(encoding="utf-8"), flags=re.S
        )
        assert not _JAPANESE.search(bare), (path.name, _JAPANESE.search(bare))


def test_the_reader_chooses_and_the_page_says_its_language(hall: Hall) -> None:
    browser = hall.browser("administrator")
    assert '<html lang="ja">' in browser.text
    browser.open("/console/language/en?next=/console/people")
    assert browser.path == "/console/people"
    assert '<html lang="en">' in browser.text
    assert "Sign out" in browser.text
    for path in ("/console/", "/console/people", "/console/journal", "/console/me", "/console/alerts"):
        page = re.sub(r'<(?:a|h2|td|b|pre)\b[^>]*>.*?</(?:a|h2|td|b|pre)>|<title>.*?</title>|<h1>.*?</h1>', "",
                      browser.open(path).text, flags=re.S)  # fmt: skip
        assert not _JAPANESE.search(page), (path, page[max(0, _JAPANESE.search(page).start() - 80) :][:160])  # type: ignore[union-attr]
    browser.open("/console/language/ja?next=/console/")
    assert '<html lang="ja">' in browser.text
    browser.client.get("/console/language/fr")
    assert '<html lang="ja">' in browser.open("/console/").text
