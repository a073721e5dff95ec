"""The live page: every pretend phone as a small screen, in the colours of the warning levels."""

from __future__ import annotations

import datetime as dt
from html import escape
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import orjson

_TOKYO = ZoneInfo("Asia/Tokyo")
# Background and text colour of a level: the government's own (RGB of the level table), text for contrast.
_LEVELS = {
    "5": ("rgb(12,0,12)", "#fff"),
    "4": ("rgb(170,0,170)", "#fff"),
    "3": ("rgb(255,40,0)", "#000"),
    "2": ("rgb(242,231,0)", "#000"),
    "1": ("#fff", "#000"),
}
_STYLE = """
:root{color-scheme:light dark;--ground:#eef1f4;--card:#fff;--ink:#16202a;--faint:#56636f;--line:#c9d1d8}
@media(prefers-color-scheme:dark){:root{--ground:#10161c;--card:#1b242c;--ink:#eef3f7;--faint:#a3b0bb;--line:#33414d}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);
font:16px/1.5 system-ui,"Hiragino Sans","Noto Sans JP","Noto Sans CJK JP",sans-serif}
header,footer{padding:1rem 1.25rem;max-width:80rem;margin:auto}h1{font-size:1.35rem;margin:0}p{margin:.3rem 0}
.faint{color:var(--faint);font-size:.875rem}dl{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;margin:.75rem 0}
dl div{display:flex;gap:.4rem;align-items:baseline}dt{color:var(--faint);font-size:.875rem}
dd{margin:0;font-weight:700;font-variant-numeric:tabular-nums}
form{display:flex;flex-wrap:wrap;gap:.5rem;align-items:center}
input,button{font:inherit;padding:.35rem .6rem;border:1px solid var(--line);border-radius:.4rem;
background:var(--card);color:var(--ink)}a{color:inherit}
main{display:grid;grid-template-columns:repeat(auto-fill,minmax(17rem,1fr));gap:1.25rem;padding:0 1.25rem;
max-width:80rem;margin:auto}
.phone{border:.5rem solid #222c35;border-radius:1.75rem;background:linear-gradient(#32506b,#1d2f40);min-height:20rem;
padding:.6rem;display:flex;flex-direction:column;gap:.5rem;color:#fff}
.bar{display:flex;justify-content:space-between;font-size:.8rem;padding:0 .35rem}
.bar b{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;font-weight:400}
.bar span{white-space:nowrap;padding-left:.5rem}
.note{background:var(--card);color:var(--ink);border-radius:.9rem;overflow:hidden}
.note h3{font-size:.95rem;margin:0;padding:.45rem .7rem;overflow-wrap:anywhere}
.note p{padding:0 .7rem;overflow-wrap:anywhere;font-size:.9rem;white-space:pre-line}
.note ul{margin:.25rem 0;padding:0 .7rem 0 1.7rem;font-size:.85rem}
.note small{display:block;padding:.1rem .7rem .5rem;color:var(--faint);font-size:.75rem}
.drill{outline:.25rem dashed #f2e700;outline-offset:-.25rem}.quiet{margin:auto;opacity:.85;font-size:.9rem}
.foot{margin-top:auto;font-size:.75rem;text-align:center}
"""


def live_page(
    *, phones: list[dict[str, Any]], totals: dict[str, int], log_last: int, now: dt.datetime, wanted: str, still: bool
) -> str:
    """The whole page. It loads itself again every three seconds, without scripts, unless it stands still."""
    keep = f"?q={quote(wanted)}" if wanted else ""
    refresh = "" if still else f'<meta http-equiv="refresh" content="3;url=/{escape(keep)}">'
    other = (
        f'<a href="/{escape(keep)}">再開 Resume</a>'
        if still
        else (f'<a href="/?still=1{"&amp;q=" + escape(quote(wanted)) if wanted else ""}">止める Stand still</a>')
    )
    labels = {
        "phones": "電話 Phones",
        "received": "受信 Received",
        "rings": "鳴動 Rings",
        "doubles": "重複(表示せず) Doubles, not shown",
        "replaced": "置き換え Replaced",
        "late": "期限切れ(表示せず) Late, not shown",
    }
    counts = "".join(f"<div><dt>{label}</dt><dd>{totals[name]:,}</dd></div>" for name, label in labels.items())
    screens = "".join(_screen(phone, now) for phone in phones)
    if not screens:
        screens = "<p>まだ何も届いていません。Nothing has been received yet.</p>"
    return f"""<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
{refresh}<title>スタンドイン Stand-in – Yobikake</title><style>{_STYLE}</style></head><body>
<header><h1>よびかけ スタンドイン <span lang="en">Stand-in</span></h1>
<p>配信事業者の代役です。本物の電話には何も届きません。
<span lang="en">It stands in for the push provider: no real phone receives anything.</span></p>
<dl>{counts}<div><dt>記録 Log</dt><dd>{log_last:,}</dd></div></dl>
<form method="get"><label for="q">トークンで絞り込む Filter by token</label>
<input id="q" name="q" value="{escape(wanted)}"><button>表示 Show</button> {other}</form></header>
<main>{screens}</main>
<footer class="faint">{_hour(now)}・最後に受信した{len(phones)}台を表示
<span lang="en">The {len(phones)} phones that received last</span></footer>
</body></html>"""


def _screen(phone: dict[str, Any], now: dt.datetime) -> str:
    notes = "".join(_note(notice) for notice in phone["showing"])
    if not notes:
        notes = '<p class="quiet">表示中の通知はありません<br><span lang="en">Nothing on the screen</span></p>'
    token = escape(phone["token"])
    return (
        f'<section class="phone" aria-label="{token}"><div class="bar"><b title="{token}">{token}</b>'
        f"<span>{escape(phone['platform'])} {now.astimezone(_TOKYO):%H:%M}</span></div>{notes}"
        f'<div class="foot">鳴動 Rings {phone["rings"]}・受信 Received {phone["received"]}</div></section>'
    )


def _note(notice: dict[str, Any]) -> str:
    ground, ink = _LEVELS.get(notice["level"], ("transparent", "inherit"))
    if not notice["level"] and notice["hazard"] == "tsunami" and notice["kind"] in ("alert", "update"):
        ground, ink = _LEVELS["4"]  # no warning level for a tsunami: the colour of an evacuation order
    lang = notice["language"] or "ja"
    mark = " drill" if notice["drill"] else ""
    drill = "訓練 Drill・" if notice["drill"] else ""
    until = f"<br>{_minute(notice['expires_at'])} まで until" if notice["expires_at"] else ""
    return (
        f'<article class="note{mark}" lang="{escape(lang)}">'
        f'<h3 style="background:{ground};color:{ink}">{escape(notice["title"])}</h3><p>{escape(notice["body"])}</p>'
        f"{_shelters(notice['shelters'])}"
        f"<small>{drill}{escape(notice['kind'])}・{escape(notice['loudness'])}・{escape(lang)}・"
        f"{_hour(notice['received_at'])}{until}<br>{escape(notice['link'])}</small></article>"
    )


def _shelters(text: str) -> str:
    """The shelters of a push as a list; anything unexpected is left out."""
    try:
        shelters = orjson.loads(text) if text else []
    except orjson.JSONDecodeError:
        return ""
    rows = []
    for shelter in shelters if isinstance(shelters, list) else []:
        if isinstance(shelter, dict) and shelter.get("name"):
            metres = shelter.get("distance_m", shelter.get("about_m"))
            far = f" {round(metres):,} m" if isinstance(metres, int | float) else ""
            rows.append(f"<li>{escape(str(shelter['name']))}{far}</li>")
    return f"<ul>{''.join(rows)}</ul>" if rows else ""


def _minute(time: dt.datetime) -> str:
    return f"{time.astimezone(_TOKYO):%m/%d %H:%M}"


def _hour(time: dt.datetime) -> str:
    return f"{time.astimezone(_TOKYO):%m/%d %H:%M:%S}"
