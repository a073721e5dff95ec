"""The languages a reader wants (`?lang=`, then Accept-Language), and those he is answered in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import Response, after_this_request, has_request_context, request

from content import texts as text
from content.texts import Text

MOST = 10
_SPOKEN = "yobikake.spoken"


def wanted() -> tuple[str, ...]:
    """Language tags, the dearest first; empty when nothing was asked.

    The answer then varies by the header, and says in Content-Language which languages it really speaks.
    """

    @after_this_request
    def say(response: Response) -> Response:
        response.vary.add("Accept-Language")
        for language in request.environ.get(_SPOKEN, ()):
            response.content_language.add(language)
        return response

    asked = request.args.get("lang", "")
    accepted = [tag for tag, quality in request.accept_languages if quality > 0 and tag != "*"]
    return tuple(tag for tag in ([asked] if asked else []) + accepted[:MOST] if len(tag) <= 35)


def choose(texts: Mapping[str, Text], tags: Sequence[str]) -> tuple[str, Text]:
    """The best text for a reader and the language it is in, which the answer then names. Raises TextsError."""
    language, chosen = text.choose(texts, tags)
    spoke(language)
    return language, chosen


def spoke(language: str) -> None:
    """Notes that the answer to this request speaks a language."""
    if has_request_context():
        request.environ.setdefault(_SPOKEN, {})[language] = None
