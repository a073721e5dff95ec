"""The pages of imports: a file is handed in, its report read before anything is written, then it is taken in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backend import clock, importing, journaling
from backend.console import door, file_faults, history, import_words, table
from backend.console.door import page
from backend.console.import_words import DAYS, OPTIONS, TICKS
from backend.console.language import mark, say
from backend.errors import of_status
from backend.transaction import session
from content import revisions
from content.opendata import intake_lines, intakes
from content.opendata.intake_lines import IntakeLine
from content.opendata.intakes import Intake, State
from content.opendata.kinds import KINDS
from notifications.dispatch import worker

LARGEST = 64_000_000  # bytes of a form; the nation's list of evacuation sites has less than half
MOST_FILES = 10
PAGE = 30
LINES = 40
_COLUMNS = (
    mark("区分"), mark("ファイル"), mark("行"), mark("列"), mark("ID・値"), mark("名前・理由"), mark("項目"),
    mark("変更前"), mark("変更後"),
)  # fmt: skip

Wrong = list[tuple[str, str]]


@page("/imports", "import")
def imports() -> ResponseReturnValue:
    """The kinds of files, and what was handed in so far."""
    before = request.args.get("before", "")
    start = int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else None
    found = intakes.listed(session(), before=start, most=PAGE + 1)
    older = url_for("console.imports", before=found[PAGE - 1].id) if len(found) > PAGE else None
    return _show("imports.html", found=found[:PAGE], older=older)


@page("/imports/new/<kind>", "import")
def import_new(kind: str) -> ResponseReturnValue:
    """The form for a file of this kind."""
    return _form(_kind(kind))


@page("/imports/new/<kind>", "import", post=True, name="import_hand_in", large=LARGEST)
def hand_in(kind: str) -> ResponseReturnValue:
    """Keeps the files and has them read; nothing else is written yet."""
    known = _kind(kind)
    options, wrong = _options(kind)
    sent = [one for one in request.files.getlist("files") if one.filename]
    files = {(one.filename or "")[-intakes.NAME_MAX :]: one.read() for one in sent}
    if not files:
        wrong.append((say("ファイル"), say("ファイルを選んでください。")))
    elif len(files) < len(sent):
        wrong.append((say("ファイル"), say("同じ名前のファイルが二つあります。")))
    elif len(files) > (MOST_FILES if KINDS[kind].several else 1):
        wrong.append((say("ファイル"), say("ファイルが多すぎます。")))
    elif not all(files.values()):
        wrong.append((say("ファイル"), say("空のファイルがあります。")))
    if wrong:
        return _form(known, wrong), 422
    now = clock.now()
    intakes.tidy(session(), now)
    intake = intakes.hand_in(session(), now, kind=kind, files=files, options=options, by=g.editor)
    importing.at_once(session(), intake, now)
    journaling.note(f"import {intake.id}", action="imports.hand_in", kind=kind, files=list(files), sha256=intake.sha256)
    return redirect(url_for("console.import_one", intake_id=intake.id), 303)


@page("/imports/<int:intake_id>", "import")
def import_one(intake_id: int) -> ResponseReturnValue:
    """How far it is, or its report."""
    return _one(_intake(intake_id))


@page("/imports/<int:intake_id>/lines.csv", "import")
def import_lines(intake_id: int) -> ResponseReturnValue:
    """Every line of the report that the page lists."""
    intake = _intake(intake_id)
    wanted = _wanted()
    found = intake_lines.search(session(), intake.id, act=wanted["act"], text=wanted["text"], most=100_000)
    header = [say(one) for one in _COLUMNS]
    return table.csv_of(header, (row for line in found for row in _cells(line)), f"import-{intake.id}.csv")


@page("/imports/<int:intake_id>/again", "import", post=True)
def import_again(intake_id: int) -> ResponseReturnValue:
    """A new report of the same file with other options."""
    intake = _intake(intake_id)
    options, wrong = _options(intake.kind)
    if wrong:
        return _one(intake, wrong), 422
    if not intakes.again(session(), intake, _version(), options):
        return _overtaken(intake)
    importing.at_once(session(), intake, clock.now())
    journaling.note(f"import {intake.id}", action="imports.again", options=intake.options)
    return redirect(url_for("console.import_one", intake_id=intake.id), 303)


@page("/imports/<int:intake_id>/confirm", "import", post=True)
def import_confirm(intake_id: int) -> ResponseReturnValue:
    """Takes in exactly what was reported."""
    intake = _intake(intake_id)
    if import_words.hindrance(intake.reports or {}):
        return _one(intake), 409
    if not intakes.confirm(session(), intake, _version(), request.form.get("outcome", ""), g.editor):
        return _overtaken(intake)
    journaling.note(f"import {intake.id}", action="imports.confirm", outcome=intake.outcome, sha256=intake.sha256)
    if importing.at_once(session(), intake, clock.now()) and intake.state == State.APPLIED:
        door.tell(say("取り込みました。"))
    return redirect(url_for("console.import_one", intake_id=intake.id), 303)


@page("/imports/<int:intake_id>/drop", "import", post=True)
def import_drop(intake_id: int) -> ResponseReturnValue:
    """Throws the file away."""
    intake = _intake(intake_id)
    if not intakes.drop(session(), intake, _version(), clock.now()):
        return _overtaken(intake)
    journaling.note(f"import {intake.id}", action="imports.drop")
    door.tell(say("取りやめました。何も変わっていません。"))
    return redirect(url_for("console.imports"), 303)


def _overtaken(intake: Intake) -> ResponseReturnValue:
    journaling.nothing()
    door.tell(say("ほかの人が先に進めたか、報告が新しくなりました。今の内容を確かめてください。"), "warning")
    return redirect(url_for("console.import_one", intake_id=intake.id), 303)


def _one(intake: Intake, wrong: Wrong | None = None) -> str:
    wanted, after = _wanted(), request.args.get("after", "")
    start = int(after) if after.isascii() and after.isdecimal() and len(after) < 9 else 0
    act, text = wanted["act"], wanted["text"]
    lines = intake_lines.search(session(), intake.id, act=act, text=text, after=start, most=LINES + 1)
    more = None
    if len(lines) > LINES:
        last = lines[LINES - 1].number
        more = url_for("console.import_one", intake_id=intake.id, act=act, text=text, after=last)
    reports = intake.reports or {}
    counts = {name: sum(one.get(name, 0) for one in reports.values()) for name in import_words.COUNTS}
    listed = {act: sum(one.get("told", {}).get(act, 0) for one in reports.values()) for act in import_words.ACTS}
    listed |= {"refused": sum(one["refused_cells"] for one in reports.values()), "warning": counts["warning_count"]}
    running = intake.state in intakes.OPEN
    return _show(
        "import.html", intake=intake, known=_kind(intake.kind), reports=reports, counts=counts, listed=listed,
        lines=lines[:LINES], more=more, start=start, wanted=wanted, in_words=_in_words, running=running,
        writes=any(counts[name] for name in ("added", "changed", "restored", "withdrawn", "redated")),
        hindrance=import_words.hindrance(reports), wrong=wrong or [],
        fault=file_faults.fault(intake.fault) if intake.fault else None,
        nobody=running and not worker.alive(session(), clock.now()),
        sources=sorted({source for one in reports.values() for source in one["sources"]}),
        formats=sorted({f"{one['format_ja']} ({one['encoding']})" for one in reports.values()}),
        given={**intake.options, **request.form.to_dict()} if wrong else intake.options,
    )  # fmt: skip


def _form(kind: dict[str, Any], wrong: Wrong | None = None) -> str:
    return _show("import_form.html", known=kind, wrong=wrong or [], given=request.form.to_dict(), most=MOST_FILES)


def _show(template: str, **values: Any) -> str:
    return render_template(
        f"console/{template}", words=import_words, section="console.imports", largest=LARGEST // 1_000_000, **values
    )


def _kind(key: str) -> dict[str, Any]:
    """What the pages say of a kind; 404 for one that there is not."""
    if key not in KINDS:
        raise of_status(404)
    kind = KINDS[key]
    return {
        "key": key, "name": import_words.KINDS[key][0], "hint": import_words.KINDS[key][1], "several": kind.several,
        "texts": [name for name in OPTIONS if name in kind.options], "days": DAYS,
        "ticks": [name for name in TICKS if name in kind.options], "complete": "complete_for" in kind.options,
    }  # fmt: skip


def _options(kind: str) -> tuple[dict[str, Any], Wrong]:
    """The options of the form as the kind knows them, and what is wrong with them."""
    said, wrong, known = dict[str, Any](), Wrong(), KINDS[kind].options
    for name in (*OPTIONS, "complete_for"):
        written = request.form.get(name, "").strip()
        if name not in known or not written:
            continue
        if name in DAYS:
            try:
                said[name] = dt.date.fromisoformat(written)
            except ValueError:
                wrong.append((say(OPTIONS[name][0]), say("日付ではありません。")))
        elif len(written) > 500 or not written.isprintable():
            wrong.append(
                (say(OPTIONS[name][0]) if name in OPTIONS else name, say("長すぎるか、使えない文字があります。"))
            )
        else:
            said[name] = written
    return said | {name: True for name in TICKS if name in known and request.form.get(name) == "yes"}, wrong


def _in_words(line: IntakeLine) -> list[history.Said]:
    if "after" not in line.detail:
        return []
    before, after = line.detail["before"], line.detail["after"]
    if line.act == "withdrawn":
        before, after = after, {}  # what is told of it is what goes
    found = revisions.changes(before, after)
    return list(history.in_words(found, import_words.FIELDS, import_words.value))


def _cells(line: IntakeLine) -> Iterator[list[object]]:
    head = [say(import_words.ACTS[line.act]), line.file, line.line, line.column, line.key, line.name]
    said = _in_words(line)
    for one in said:
        sides = {sign: "\n".join(str(at.text) for at in one.lines if at.sign == sign) for sign in "-+"}
        yield [*head, one.label, sides["-"], sides["+"]]
    if not said:
        yield [*head, "", "", ""]


def _wanted() -> dict[str, str]:
    act = request.args.get("act", "")
    return {"act": act if act in import_words.ACTS else "", "text": request.args.get("text", "")[:200]}


def _version() -> int:
    said = request.form.get("version", "")
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 10 else -1


def _intake(intake_id: int) -> Intake:
    found = intakes.get(session(), intake_id)
    if found is None:
        raise of_status(404)
    return found
