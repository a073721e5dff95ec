"""Pages that no link leads to: forms that came back, what somebody else saved meanwhile, the reports of imports."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count

from content.editors import Role
from tests.browser.hall import Hall
from tests.browser.officer import Officer
from tests.geo.opendata.lists import gsi, gsi_bytes

# The words that one field asks for, and what a second person types there while the first one's form is open.
NAME_OF_A_TOPIC, PLACE, PHONE_NUMBER, TOKEN = "names.ja", "place_name", "phone", "csrf_token"
_again = count(1)


def event_refused(_hall: Hall, officer: Officer) -> None:
    officer.open("/console/events/1/edit")
    _type(officer, ends_on="2026-01-01", name="")
    _send(officer, "保存する", "Save")


def event_looked_at(_hall: Hall, officer: Officer) -> None:
    officer.open("/console/events/1/edit")
    _type(officer, starts_on="2026-12-06", ends_on="2026-12-06")
    _send(officer, "見え方を確かめる", "See how it looks")


def event_met(hall: Hall, officer: Officer) -> None:
    _met(hall, officer, "/console/events/1/edit", **{PLACE: "港の倉庫"})


def topic_refused(_hall: Hall, officer: Officer) -> None:
    officer.open("/console/topics/new")
    _type(officer, last="notices", **{NAME_OF_A_TOPIC: "お知らせ"})
    _send(officer, "話題を加える", "Add a topic")


def topic_met(hall: Hall, officer: Officer) -> None:
    _met(hall, officer, "/console/topics/events", **{NAME_OF_A_TOPIC: "催し物"})


def notice_refused(_hall: Hall, officer: Officer) -> None:
    officer.open("/console/notices/new")
    _type(officer, **{"ja.title": "断水", "link": "http://city.example/"})
    _send(officer, "保存して、見え方を確かめる", "Save and see how it looks")


def notice_barred(_hall: Hall, officer: Officer) -> None:
    officer.open("/console/notices/new")
    _type(officer, **{"ja.title": "【未入力】", "ja.body": "2020年1月1日（月）から断水します。"})
    _send(officer, "保存して、見え方を確かめる", "Save and see how it looks")


def notice_met(hall: Hall, officer: Officer) -> None:
    notice_barred(hall, officer)
    _met(hall, officer, f"{officer.path}/edit", **{"ja.title": "断水のお知らせ"})


def shelter_refused(_hall: Hall, officer: Officer) -> None:
    officer.open("/console/shelters/3/facts")
    _type(officer, lat="200", name="")
    _send(officer, "保存する", "Save")


def shelter_met(hall: Hall, officer: Officer) -> None:
    _met(hall, officer, "/console/shelters/3/facts", **{PHONE_NUMBER: "022-000-9999"})


def facility_refused(_hall: Hall, officer: Officer) -> None:
    officer.open("/console/facilities/34/edit")
    _type(officer, available_days="火曜", available_from="", url="ftp://a")
    _send(officer, "保存する", "Save")


def facility_met(hall: Hall, officer: Officer) -> None:
    _met(hall, officer, "/console/facilities/34/edit", **{PHONE_NUMBER: "022-000-8888"})


def import_of_nothing(_hall: Hall, officer: Officer) -> None:
    _hand_in(officer, b"", "empty.csv", as_of="")


def import_unusable(_hall: Hall, officer: Officer) -> None:
    _hand_in(officer, "あ,い\r\n1,2\r\n".encode(), "一覧.csv")


def import_of_another_kind(_hall: Hall, officer: Officer) -> None:
    _hand_in(officer, gsi_bytes(gsi(1)), "避難場所.csv", kind="events")


def import_with_refused_rows(_hall: Hall, officer: Officer) -> None:
    _hand_in(officer, gsi_bytes(gsi(1), gsi(2, 洪水="?"), gsi(3, 緯度="北")), "避難場所.csv", source="gsi-story")


def import_with_withdrawn_rows(_hall: Hall, officer: Officer) -> None:
    first = gsi_bytes(*(gsi(number) for number in range(1, 12)))
    _hand_in(officer, first, "避難場所.csv", source="gsi-whole")
    _send(officer, "このとおり取り込む", "Take it in as reported")
    second = gsi_bytes(gsi(1, 住所="新しい住所"), *(gsi(number) for number in range(3, 13)))
    _hand_in(officer, second, "新しい避難場所.csv", source="gsi-whole")
    officer.page.locator("summary", has_text=re.compile("条件を変えて|Look again")).click()
    officer.page.locator("input[name=complete_for][value=gsi-whole]").check()
    _send(officer, "もう一度確認する", "Look again")


EVERY: dict[str, Callable[[Hall, Officer], None]] = {
    one.__name__: one
    for one in (
        event_refused, event_looked_at, event_met, topic_refused, topic_met, notice_refused, notice_barred, notice_met,
        shelter_refused, shelter_met, facility_refused, facility_met, import_of_nothing, import_unusable,
        import_of_another_kind, import_with_refused_rows, import_with_withdrawn_rows,
    )
}  # fmt: skip


# One of each kind: what a test can afford to look at.
FEW = (
    "event_met",
    "notice_refused",
    "shelter_refused",
    "facility_met",
    "import_unusable",
    "import_with_withdrawn_rows",
)


def _type(officer: Officer, **fields: str) -> None:
    """Into the fields of these names, required or not: what the browser itself would stop is sent as well."""
    officer.page.evaluate("document.querySelectorAll('form').forEach(form => { form.noValidate = true; })")
    officer.page.evaluate("document.querySelectorAll('form details').forEach(one => { one.open = true; })")
    for name, value in fields.items():
        officer.page.locator(f'main form.steps [name="{name}"], main form [name="{name}"]').first.fill(value)


def _send(officer: Officer, *words: str) -> None:
    found = officer.page.locator("main button.main, main button[name=do]").filter(
        has_text=re.compile(f"^({'|'.join(words)})$")
    )
    officer.press(found.first)


def _met(hall: Hall, officer: Officer, path: str, **fields: str) -> None:
    """Somebody else saves the same form while this one is open."""
    officer.open(path)
    other = hall.browser(hall.one(Role.APPROVER))
    page = other.get(hall.city.url + path, timeout=300).text
    token = re.findall('name="csrf_token" value="([^"]+)"', page[page.index('class="steps"') :])[0]
    typed = officer.page.evaluate("[...new FormData(document.querySelector('main form.steps')).entries()]")
    sent = [(name, f"{value}{next(_again)}" if name in fields else value) for name, value in typed if name != TOKEN]
    sent.append((TOKEN, token))
    for name, value in fields.items():
        officer.page.locator(f'main form.steps [name="{name}"]').first.fill(value)
    answer = other.post(hall.city.url + path, data=sent, timeout=300)
    assert answer.status_code < 400, answer.text[:2000]
    officer.page.locator("main form.steps button.main").last.click()
    officer.page.wait_for_load_state()


def _hand_in(officer: Officer, data: bytes, name: str, kind: str = "sites", **options: str) -> None:
    officer.open(f"/console/imports/new/{kind}")
    if options:
        officer.page.evaluate("document.querySelectorAll('form details').forEach(one => { one.open = true; })")
    for option, value in options.items():
        officer.page.locator(f"[name={option}]").fill(value)
    officer.page.set_input_files("#files", {"name": name, "mimeType": "text/csv", "buffer": data})
    officer.page.locator("main form button.main").first.click()
    officer.page.wait_for_load_state()
