"""The tree of topics as a page: added, renamed in every language, put in order, ended; slugs never change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from backend import clock, journaling, topic_steps
from backend.console import door, edited, history, refusals
from backend.console.door import page
from backend.console.language import mark, say
from backend.console.notice_form import name_of
from backend.transaction import session
from content.texts import ENDONYMS, LANGUAGES
from notifications import audiences, topics
from notifications.audiences import Audience
from notifications.topics import DEEPEST, Topic, TopicRefused

SECTION = "console.topics"
LABELS = {
    "names": mark("名前"),
    "descriptions": mark("説明"),
    "position": mark("順番"),
    "by_default": mark("はじめから選んだ状態にする"),
    "optional": mark("利用者が外せる"),
    "retired": mark("終了"),
}


@dataclass(slots=True)
class Typed:
    """What stands in the form's fields."""

    above: str = ""
    last: str = ""  # the own part of the slug
    names: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)
    by_default: bool = False
    optional: bool = True
    seen: str = ""  # the mark of the state that the form was made of

    @property
    def slug(self) -> str:
        """The whole slug."""
        return f"{self.above}.{self.last}" if self.above else self.last

    @property
    def facts(self) -> dict[str, Any]:
        """What is kept."""
        plain = {"names": self.names, "descriptions": self.descriptions}
        return plain | {"by_default": self.by_default, "optional": self.optional}


def _read(form: MultiDict[str, str]) -> Typed:
    phrases = {
        name: {one: said for one in LANGUAGES if (said := form.get(f"{name}.{one}", "").strip())}
        for name in ("names", "descriptions")
    }
    return Typed(
        above=form.get("above", "")[:200],
        last=form.get("last", "").strip()[:200],
        by_default="by_default" in form,
        optional="locked" not in form,
        seen=form.get("seen", ""),
        **phrases,
    )


def _of(topic: Topic) -> Typed:
    above, _, last = topic.slug.rpartition(".")
    seen = edited.mark_of(topic_steps.body_of(topic))
    return Typed(above, last, topic.names, topic.descriptions, topic.by_default, topic.optional, seen)


@page("/topics", "read", name="topics")
def tree() -> ResponseReturnValue:
    """Every topic with those that chose it; those that ended below."""
    every = topics.tree(session(), retired=True)
    offered = [one for one in every if not one.retired]
    rows: dict[str | None, list[str]] = {}
    for one in offered:
        rows.setdefault(one.parent_slug, []).append(one.slug)
    first = {row[0] for row in rows.values()}
    return _show(
        "topics.html", offered=offered, ended=[one for one in every if one.retired], first=first,
        last={row[-1] for row in rows.values()}, counts=topics.counts(session()),
    )  # fmt: skip


@page("/topics/new", "shape", name="topics_new")
def new() -> ResponseReturnValue:
    """An empty form."""
    return _form(Typed(above=request.args.get("above", "")[:200]))


@page("/topics/new", "shape", post=True, name="topics_create", keeps=True)
def create() -> ResponseReturnValue:
    """Adds one, last in its row."""
    typed = _read(request.form)
    try:
        topic = topic_steps.add(typed.slug, typed.facts)
    except TopicRefused as error:
        return _form(typed, wrong=_reasons(error), at_fault=error.field, status=422)
    journaling.note(topic.slug, action="topics.create", name=topic.names["ja"])
    door.tell(say("話題を加えました。"))
    return redirect(url_for(SECTION), 303)


@page("/topics/<slug>", "read", name="topics_one")
def one(slug: str) -> ResponseReturnValue:
    """A topic: its words, those whom it reaches, and its form for who may change it."""
    topic = topic_steps.one(slug)
    return _form(_of(topic), topic=topic)


@page("/topics/<slug>", "shape", post=True, name="topics_save", keeps=True)
def save(slug: str) -> ResponseReturnValue:
    """Keeps the changes, unless somebody else was faster."""
    topic_steps.turn()
    topic, typed = topic_steps.one(slug), _read(request.form)
    now = topic_steps.body_of(topic)
    if met := edited.met(topic_steps.KIND, slug, typed.seen, now, LABELS):
        typed.seen = edited.mark_of(now)  # whoever ticks it below has been shown this state, and only this
        return _form(typed, topic=topic, met=met, status=409)
    try:
        topic_steps.change(topic, typed.facts)
    except TopicRefused as error:
        return _form(typed, topic=topic, wrong=_reasons(error), at_fault=error.field, status=422)
    journaling.note(slug, action="topics.edit", name=topic.names["ja"])
    door.tell(say("保存しました。"))
    return redirect(url_for(SECTION), 303)


@page("/topics/<slug>/move", "shape", post=True, name="topics_move")
def move(slug: str) -> ResponseReturnValue:
    """One place up or down among its siblings."""
    topic_steps.turn()
    if not topic_steps.move(topic_steps.one(slug), up=request.form.get("to") == "up"):
        journaling.nothing()
    return redirect(url_for(SECTION, _anchor=f"topic-{slug}"), 303)


@page("/topics/<slug>/retire", "shape", post=True, name="topics_retire")
def retire(slug: str) -> ResponseReturnValue:
    """Ends it: who chose it keeps it, nobody can choose it any more."""
    return _ended(slug, retired=True)


@page("/topics/<slug>/revive", "shape", post=True, name="topics_revive")
def revive(slug: str) -> ResponseReturnValue:
    """Offers it again."""
    return _ended(slug, retired=False)


def _ended(slug: str, *, retired: bool) -> ResponseReturnValue:
    topic_steps.turn()
    topic = topic_steps.one(slug)
    try:
        topic_steps.change(topic, {}, retired=retired)
    except TopicRefused as error:
        return _form(_of(topic), topic=topic, wrong=_reasons(error), status=422)
    journaling.note(slug, name=topic.names["ja"])
    door.tell(say("終了しました。") if retired else say("再開しました。"))
    return redirect(url_for(SECTION), 303)


@page("/topics/<slug>/history", "read", name="topics_history")
def changes(slug: str) -> ResponseReturnValue:
    """Every state of it, and what changed."""
    topic = topic_steps.one(slug)

    def address(number: int) -> str:
        return url_for("console.topics_restore", slug=slug, number=number)

    return history.history_page(
        topic_steps.KIND, slug, name_of(topic.names, slug), url_for("console.topics_one", slug=slug),
        address if door.may("shape") else None, labels=LABELS, section=SECTION,
    )  # fmt: skip


@page("/topics/<slug>/history/<int:number>", "shape", post=True, name="topics_restore")
def restore(slug: str, number: int) -> ResponseReturnValue:
    """Makes an earlier state the present one."""
    topic_steps.turn()
    topic = topic_steps.one(slug)
    body = edited.asked_back(topic_steps.KIND, slug, number)
    if body is None:
        return redirect(url_for("console.topics_history", slug=slug), 303)
    try:
        topic_steps.restore(topic, body)
    except TopicRefused as error:
        return _form(_of(topic), topic=topic, wrong=_reasons(error), status=422)
    journaling.note(slug, restored=number)
    door.tell(say("%(number)s 版の内容に戻しました。", number=number))
    return redirect(url_for("console.topics_one", slug=slug), 303)


def _form(
    typed: Typed,
    *,
    topic: Topic | None = None,
    wrong: Any = (),
    at_fault: str = "",
    met: Any = None,
    status: int = 200,
) -> ResponseReturnValue:
    reach = None
    if topic is not None:
        everybody = not topics.may_be_left_out(session(), topic.slug)
        asked = Audience(everyone=True) if everybody else Audience(topic=topic.slug)
        reach = audiences.count(session(), asked, clock.now())
    parents = [one for one in topics.tree(session()) if one.slug.count(".") + 1 < DEEPEST]
    return _show(
        "topic.html", status, typed=typed, topic=topic, wrong=list(wrong), at_fault=at_fault, met=met, reach=reach,
        parents=parents, chosen=topics.counts(session()).get(topic.slug, 0) if topic is not None else 0,
    )  # fmt: skip


def _reasons(error: TopicRefused) -> list[tuple[str, str]]:
    return [(refusals.field(error.field), refusals.reason(error.reason))]


def _show(template: str, status: int = 200, **values: Any) -> ResponseReturnValue:
    shared = {"section": SECTION, "name_of": name_of, "endonyms": ENDONYMS, "languages": LANGUAGES}
    return render_template(f"console/{template}", **shared, **values), status
