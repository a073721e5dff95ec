"""The form of a calendar: an area's own rules and exceptions, or those that all areas of a source share."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from backend.console.edited import Wrong
from backend.console.garbage_rows import ChangeTyped, RowError, RuleTyped, filled, texts
from backend.console.language import say
from content.opendata.garbage_edit import Body

MOST_ROWS = 80
_CONTACT = ("name", "phone", "url")


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields; `shared` for what all areas of a source have in common."""

    rules: list[RuleTyped] = field(default_factory=list)
    changes: list[ChangeTyped] = field(default_factory=list)
    ward: str = ""
    name: str = ""
    reading: str = ""
    centre: str = ""
    postcodes: str = ""
    names: dict[str, str] = field(default_factory=dict)
    note: dict[str, str] = field(default_factory=dict)
    contact: dict[str, str] = field(default_factory=dict)
    seen: str = ""
    previewed: str = ""
    shared: bool = False

    def apply(self, step: str) -> bool:
        """Adds or takes away a row; False for any other step."""
        for rows, kind, name in ((self.rules, RuleTyped, "rule"), (self.changes, ChangeTyped, "change")):
            if step == f"add-{name}" and len(rows) < MOST_ROWS:
                rows.append(kind(added=True))  # type: ignore[arg-type]
                return True
            if (found := re.fullmatch(rf"drop-{name}-(\d{{1,3}})", step)) and int(found[1]) < len(rows):
                del rows[int(found[1])]
                return True
        return False

    def body(self, before: Body) -> tuple[Body, Wrong]:
        """The whole state that was typed, what stands in no field taken from `before`; and what is wrong with it."""
        wrong: Wrong = []
        rules = [one for at, row in enumerate(self.rules) if (one := self._row(at, row, "rule", wrong)) is not None]
        changes = [one for at, row in enumerate(self.changes) if (one := self._row(at, row, "change", wrong))]
        if self.shared:
            return {"overlays": rules, "changes": changes}, wrong
        seven = [re.sub(r"\D", "", one) for one in re.split(r"[\s,、]+", _plain(self.postcodes)) if one]
        if any(len(one) != 7 for one in seven):
            wrong.append(("postcodes", say("郵便番号"), say("7桁の数字を、空白か改行で区切って書いてください。")))
        if self.contact.get("url") and not re.match("https?://", self.contact["url"]):
            wrong.append(("contact-url", say("連絡先のページ"), say("https:// で始まるアドレスを書いてください。")))
        if not self.name:
            wrong.append(("name", say("地区の名前"), say("名前を書いてください。")))
        own: Body = {
            "ward": self.ward,
            "name": self.name,
            "reading": self.reading,
            "centre": self.centre,
            "postcodes": sorted(set(seven)),
            "names": self.names,
        }
        own |= {"note": self.note, "contact": self.contact, "rules": rules}
        base = dict(before["area"])
        if self.name != base.get("name"):  # its town and block follow from the new one
            base = {name: value for name, value in base.items() if name not in ("town", "block")}
        return {"area": filled({**base, **own}), "changes": changes}, wrong

    def _row(self, at: int, row: RuleTyped | ChangeTyped, name: str, wrong: Wrong) -> dict[str, Any] | None:
        try:
            return row.element(shared=self.shared) if isinstance(row, RuleTyped) else row.element()
        except RowError as error:
            row.wrong = str(error)
            words = say("規則 %(number)s", number=at + 1) if name == "rule" else say("例外 %(number)s", number=at + 1)
            wrong.append((f"{name}-{at}", words, row.wrong))
            return None


def of_body(body: Body, seen: str) -> Typed:
    """The form of a stored state."""
    area = body.get("area")
    changes = sorted(body["changes"], key=lambda one: one["first"], reverse=True)
    typed = Typed(changes=[ChangeTyped.of(one) for one in changes], seen=seen, shared=area is None)
    if area is None:
        typed.rules = [RuleTyped.of(one) for one in body["overlays"]]
        return typed
    typed.rules = [RuleTyped.of(one) for one in area.get("rules", [])]
    typed.ward, typed.name = area.get("ward", ""), area.get("name", "")
    typed.reading, typed.centre = area.get("reading", ""), area.get("centre", "")
    typed.postcodes = " ".join(area.get("postcodes", []))
    typed.names, typed.note = dict(area.get("names", {})), dict(area.get("note", {}))
    typed.contact = dict(area.get("contact", {}))
    return typed


def read(form: MultiDict[str, str], *, shared: bool) -> Typed:
    """What was typed, right or wrong."""
    return Typed(
        rules=[RuleTyped.read(form, f"rule-{at}") for at in range(MOST_ROWS) if f"rule-{at}-kind" in form],
        changes=[ChangeTyped.read(form, f"change-{at}") for at in range(MOST_ROWS) if f"change-{at}-kind" in form],
        ward=form.get("ward", "").strip(),
        name=form.get("name", "").strip(),
        reading=_plain(form.get("reading", "")).strip(),
        centre=form.get("centre", "").strip(),
        postcodes=form.get("postcodes", "").strip(),
        names=texts(form, "names"),
        note=texts(form, "note"),
        contact={name: said for name in _CONTACT if (said := form.get(f"contact-{name}", "").strip())},
        seen=form.get("seen", ""),
        previewed=form.get("previewed", ""),
        shared=shared,
    )


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text)
