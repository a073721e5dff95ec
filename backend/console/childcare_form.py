"""The form of a guide or a programme: from an entry of the store to fields and back."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from werkzeug.datastructures import MultiDict

from backend.console import childcare_ages
from backend.console.edited import Wrong
from backend.console.garbage_rows import filled, texts
from backend.console.language import mark, say
from content.opendata.childcare_edit import Body
from content.texts import LANGUAGES

MOST_ROWS = 30
PLAIN = {
    "topic": mark("関係する話題"),
    "position": mark("並び順"),
    "effective_from": mark("この日から有効"),
    "effective_to": mark("この日まで有効"),
    "source_name": mark("もとになる資料"),
    "source_url": mark("資料のアドレス"),
    "licence": mark("利用の条件"),
    "as_of": mark("いつの資料か"),
    "from_age": mark("対象の年齢（から）"),
    "to_age": mark("対象の年齢（まで。この年齢は含まない）"),
    "kind": mark("種類"),
    "born_from": mark("この日以降に生まれた子"),
    "born_to": mark("この日までに生まれた子"),
}
KINDS = {
    "check": mark("健診"),
    "vaccine": mark("予防接種"),
    "allowance": mark("手当・給付"),
    "application": mark("届出・申請"),
    "service": mark("訪問・預かりなど"),
}
ENDS = {
    "age": mark("年齢（歳・月）"),
    "after_birth": mark("出生からの週・日"),
    "grade": mark("学年（0は年長、1は小1）"),
    "pregnancy": mark("妊娠の週"),
}
# How far apart doses are: information that families read beside a programme, not a reminder.
INTERVAL = {
    "from_dose": mark("何回目から"),
    "to_dose": mark("何回目まで"),
    "at_least": mark("短くても"),
    "at_most": mark("長くても"),
}
MOST_INTERVALS = 9
_CODE = re.compile("(?<![A-Za-z0-9])(?:[0-9]+[ymwd])+(?![A-Za-z0-9])")
LABELS = {
    **PLAIN,
    "id": mark("内部の名前"),
    "version": mark("版"),
    "areas": mark("区域のコード"),
    "links": mark("リンク"),
    "sample": mark("市がまだ確かめていない見本"),
    "periods": mark("期間"),
    "withdrawn": mark("取り下げた"),
    "periods[].window": mark("いつからいつまで"),
    "periods[].recommended": mark("標準的な時期"),
    "periods[].doses": mark("回数"),
    "periods[].names": mark("名前"),
    "periods[].intervals": mark("接種の間隔"),
    **{f"periods[].intervals[].{name}": label for name, label in INTERVAL.items()},
}


@dataclass(slots=True)
class PeriodTyped:
    """What stands in the fields of one period; `ends` by "window.from", "recommended.until" …"""

    key: str = ""
    names: dict[str, str] = field(default_factory=dict)
    ends: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # kind, value, day of a school year
    roll: dict[str, bool] = field(default_factory=dict)
    doses: str = ""
    intervals: list[dict[str, str]] = field(default_factory=list)  # by the names of INTERVAL
    added: bool = False

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> PeriodTyped:
        """The fields of a stored period."""
        made = cls(key=raw["id"], names=dict(raw.get("names") or {}), doses=str(raw.get("doses") or ""))
        for part in ("window", "recommended"):
            window = raw.get(part) or {}
            made.roll[part] = window.get("roll", False)
            for side in ("from", "until"):
                end = dict(window.get(side) or {})
                day = str(end.pop("day", ""))
                for kind, value in end.items():
                    made.ends[f"{part}.{side}"] = (kind, childcare_ages.spoken(str(value), age=kind == "age"), day)
        for one in raw.get("intervals") or ():
            made.intervals.append({name: childcare_ages.spoken(str(one.get(name, ""))) for name in INTERVAL})
        return made

    @classmethod
    def read(cls, form: MultiDict[str, str], at: str) -> PeriodTyped:
        """What was typed into the row that begins with `at`."""
        doses = form.get(f"{at}-doses", "").strip()
        made = cls(form.get(f"{at}-key", "").strip(), texts(form, f"{at}-names"), doses=doses)
        for number in range(MOST_INTERVALS):
            one = {name: form.get(f"{at}-interval-{number}-{name}", "").strip() for name in INTERVAL}
            made.intervals += [one] if any(one.values()) else []
        for part in ("window", "recommended"):
            made.roll[part] = f"{at}-{part}-roll" in form
            for side in ("from", "until"):
                name = f"{at}-{part}-{side}"
                said = (form.get(f"{name}-{one}", "").strip() for one in ("kind", "value", "day"))
                kind, value, day = said
                if kind:
                    made.ends[f"{part}.{side}"] = (kind, value, day)
        return made

    @property
    def says(self) -> str:
        """From when until when, as far as it was typed."""
        first, last = (self.ends.get(f"window.{side}") for side in ("from", "until"))
        parts = [say("%(what)sから", what=childcare_ages.end(*first[:2])) if first and first[1] else ""]
        parts.append(say("%(what)sまで", what=childcare_ages.end(*last[:2])) if last and last[1] else "")
        return " ".join(filter(None, parts))

    def entry(self) -> Body:
        """The period as it is stored."""
        found: Body = {"id": self.key, "names": self.names, "intervals": [_interval(one) for one in self.intervals]}
        found["doses"] = int(self.doses) if self.doses.isdecimal() else self.doses
        for part in ("window", "recommended"):
            ends = {side: self.ends.get(f"{part}.{side}") for side in ("from", "until")}
            window: Body = {side: _end(*end) for side, end in ends.items() if end is not None}
            if self.roll.get(part) and window:
                window["roll"] = True
            if part == "window" or window:
                found[part] = window
        return {name: value for name, value in found.items() if name == "window" or value not in (None, "", [], {})}


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields."""

    plain: dict[str, str] = field(default_factory=dict)
    key: str = ""
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    links: list[dict[str, str]] = field(default_factory=list)
    areas: str = ""
    sample: bool = False
    periods: list[PeriodTyped] = field(default_factory=list)
    born: str = ""
    seen: str = ""
    previewed: str = ""

    @classmethod
    def of(cls, body: Body, seen: str) -> Typed:
        """The form of a stored entry."""
        links = [{"url": one["url"], **(one.get("names") or {})} for one in body.get("links", [])]
        return cls(
            plain={name: _plain(name, str(body.get(name, ""))) for name in PLAIN},
            key=body.get("id", ""),
            texts={language: dict(text) for language, text in body.get("texts", {}).items()},
            links=links,
            areas=" ".join(body.get("areas", [])),
            sample=body.get("sample", False),
            periods=[PeriodTyped.of(one) for one in body.get("periods", [])],
            seen=seen,
        )

    @classmethod
    def read(cls, form: MultiDict[str, str]) -> Typed:
        """What was typed, right or wrong."""
        said = {}
        for language in LANGUAGES:
            both = {part: form.get(f"{language}.{part}", "") for part in ("title", "body")}
            text = {part: written.replace("\r\n", "\n").strip() for part, written in both.items()}
            if any(text.values()):
                said[language] = text
        links = [
            {"url": url, **texts(form, f"link-{at}")}
            for at in range(MOST_ROWS)
            if (url := form.get(f"link-{at}-url", "").strip())
        ]
        return cls(
            plain={name: form.get(name, "").strip() for name in PLAIN},
            key=form.get("key", "").strip(),
            texts=said,
            links=links,
            areas=form.get("areas", "").strip(),
            sample="sample" in form,
            periods=[PeriodTyped.read(form, f"period-{at}") for at in range(MOST_ROWS) if f"period-{at}-key" in form],
            born=form.get("born", ""),
            seen=form.get("seen", ""),
            previewed=form.get("previewed", ""),
        )

    def apply(self, step: str) -> bool:
        """Adds or takes away a period; False for any other step."""
        if step == "add-period" and len(self.periods) < MOST_ROWS:
            self.periods.append(PeriodTyped(key=f"p{len(self.periods) + 1}", added=True))
            return True
        found = re.fullmatch(r"drop-period-(\d{1,2})", step)
        if found and int(found[1]) < len(self.periods):
            del self.periods[int(found[1])]
            return True
        return False

    def body(self, before: Body, part: str) -> Body:
        """The whole entry that was typed; what is wrong with it is found where every file is read."""
        found: Body = {"id": before.get("id") or self.key, "version": before.get("version", 1)}
        mine = [name for name in PLAIN if (name in ("from_age", "to_age")) <= (part == "guides")]
        mine = [name for name in mine if (name in ("kind", "born_from", "born_to")) <= (part == "programmes")]
        found |= {name: self.plain.get(name, "") for name in mine}
        place = unicodedata.normalize("NFKC", found["position"])
        found["position"] = int(place) if place.isdecimal() and len(place) < 8 else 0
        found |= {name: childcare_ages.read(found[name]) for name in ("from_age", "to_age") if name in found}
        named = [(one["url"], {tag: said for tag, said in one.items() if tag != "url"}) for one in self.links]
        links = [filled({"url": url, "names": names}) for url, names in named]
        found |= {"texts": self.texts, "links": links, "areas": re.split(r"[\s,、]+", self.areas) if self.areas else []}
        if part == "programmes":
            found["periods"] = [one.entry() for one in self.periods]
        return filled(found) | {"sample": self.sample}


def wrong_of(errors: list[tuple[str, str]]) -> Wrong:
    """What the reader of files refused, tied to the fields of the form."""
    found: Wrong = []
    for place, reason in errors:
        rest = re.sub(r"^(guides|programmes)\[\d+\]\.?", "", place)
        reason = _CODE.sub(lambda code: childcare_ages.spoken(code[0]), reason)
        at = re.match(r"periods\[(\d+)\]", rest)
        between = re.fullmatch(r"periods\[(\d+)\]\.intervals\[(\d+)\]\.(\w+)", rest)
        if between is not None and between[3] in INTERVAL:
            name = " › ".join((say("期間 %(number)s", number=int(between[1]) + 1), say(INTERVAL[between[3]])))
            found.append((f"period-{between[1]}-interval-{between[2]}-{between[3]}", name, reason))
        elif at is not None:
            found.append((f"period-{at[1]}", say("期間 %(number)s", number=int(at[1]) + 1), reason))
        elif rest in PLAIN:
            found.append((rest, say(PLAIN[rest]), reason))
        elif rest.startswith("texts"):
            found.append(("ja.title", say("文章"), reason))
        else:
            found.append(("", say(LABELS.get(rest.split("[")[0], mark("内容"))), reason))
    return found


def _end(kind: str, value: str, day: str) -> Body:
    plain = childcare_ages.read(value)
    if kind == "grade":
        number = int(plain) if re.fullmatch(r"-?\d{1,2}", plain) else plain
        return filled({"grade": number, "day": day}) | {"grade": number}
    return {kind: plain}


def _interval(typed: Mapping[str, str]) -> Body:
    doses = {name: unicodedata.normalize("NFKC", typed[name]) for name in ("from_dose", "to_dose")}
    numbers: Body = {name: int(said) if re.fullmatch("[0-9]{1,2}", said) else said for name, said in doses.items()}
    return numbers | filled({name: childcare_ages.read(typed[name]) for name in ("at_least", "at_most")})


def _plain(name: str, stored: str) -> str:
    return childcare_ages.spoken(stored, age=True) if name in ("from_age", "to_age") else stored
