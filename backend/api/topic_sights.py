"""What is shown of a topic: its name in the reader's language, what it is for, whether it can be switched off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import marshmallow as ma

from content.texts import chain
from notifications.topics import Topic


class TopicSchema(ma.Schema):
    """One subject; its slug never changes and says where it stands in the tree."""

    slug = ma.fields.String(metadata={"example": "childcare.checkups"})
    parent = ma.fields.String(allow_none=True, metadata={"example": "childcare"})
    name = ma.fields.String(metadata={"description": "求めた言語での名前。", "example": "乳幼児健診・予防接種"})
    description = ma.fields.String(
        allow_none=True,
        metadata={"description": "何が届くか。", "example": "健診と予防接種の時期が近づくとお知らせします。"},
    )
    names = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    descriptions = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.String())
    position = ma.fields.Integer(metadata={"description": "同じ親の中での順。", "example": 0})
    by_default = ma.fields.Boolean(metadata={"description": "アプリは初回の設定画面で選んだ状態にする。"})
    optional = ma.fields.Boolean(
        metadata={"description": "false なら外せない（選ばなくても届く）。スイッチを固定して見せる。"}
    )
    retired = ma.fields.Boolean(metadata={"description": "終わった話題。新しくは選べない。"})


class TopicTree(TopicSchema):
    """A subject with those below it."""

    children = ma.fields.List(
        ma.fields.Nested(lambda: TopicTree()),
        metadata={"description": "下の話題。親を選ぶと、下の話題もすべて届く。"},
    )


def flat(topic: Topic, wanted: Sequence[str], *, optional: bool | None = None) -> dict[str, Any]:
    """One topic. `optional`: whether it may be left out, where those above it have a say."""
    tags = (*chain(wanted), "ja")
    return {
        "slug": topic.slug,
        "parent": topic.parent_slug,
        "name": next((topic.names[tag] for tag in tags if tag in topic.names), topic.slug),
        "description": next((topic.descriptions[tag] for tag in tags if tag in topic.descriptions), None),
        "names": topic.names,
        "descriptions": topic.descriptions,
        "position": topic.position,
        "by_default": topic.by_default,
        "optional": topic.optional if optional is None else optional,
        "retired": topic.retired,
    }


def nested(topics: Sequence[Topic], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """The tree of topics that come parents first. Below what cannot be switched off, nothing can."""
    roots: list[dict[str, Any]] = []
    known: dict[str, dict[str, Any]] = {}
    for topic in topics:
        above = known.get(topic.parent_slug) if topic.parent_slug is not None else None
        optional = topic.optional and (above is None or above["optional"])
        node = flat(topic, wanted, optional=optional) | {"children": []}
        known[topic.slug] = node
        (roots if above is None else above["children"]).append(node)
    return roots
