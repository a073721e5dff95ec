"""The languages a reader wants: `?lang=`, then Accept-Language."""

from __future__ import annotations

from flask import Response, after_this_request, request

MOST = 10


def wanted() -> tuple[str, ...]:
    """Language tags, the dearest first; empty when nothing was asked. The answer then varies by the header."""

    @after_this_request
    def vary(response: Response) -> Response:
        response.vary.add("Accept-Language")
        return response

    asked = request.args.get("lang", "")
    accepted = [tag for tag, quality in request.accept_languages if quality > 0 and tag != "*"]
    return tuple(tag for tag in ([asked] if asked else []) + accepted[:MOST] if len(tag) <= 35)
