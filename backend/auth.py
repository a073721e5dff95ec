"""Who is asking: a phone by its secret, a person of the city by their key; both as bearer tokens."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import wraps
from typing import Any, TypeVar

from flask import current_app, g, request

from backend import clock
from backend.errors import Problem, of_status
from backend.transaction import session
from content import editors
from notifications import devices

View = TypeVar("View", bound=Callable[..., Any])
SCHEMES = {
    "device": {
        "type": "http",
        "scheme": "bearer",
        "description": "端末の秘密鍵。登録時に一度だけ返る。The secret of a phone, given once when it registers.",
    },
    "staff": {
        "type": "http",
        "scheme": "bearer",
        "description": "職員個人の鍵。The key of one named person of the city; a machine's key drafts only.",
    },
}
LONGEST = 200  # characters; ours have about 50


def device_required(view: View) -> View:
    """The view is for a registered phone; it finds it in `g.device`. Put it outermost, above `@blp.arguments`."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        device = devices.by_secret(session(), _bearer("device"))
        if device is None:
            raise _refused("device", "No phone has this secret; it may have been deleted.")
        g.device = device
        current_app.extensions["yobikake.presence"].note(device, clock.now())
        return view(*args, **kwargs)

    marked: View = _marked(guarded, "device")
    return marked


def staff_required(*actions: str) -> Callable[[View], View]:
    """The view is for a person whose role may do every one of `actions` (none: any live key); in `g.editor`.

    Put it outermost, above `@blp.arguments`.
    """

    def decorator(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            editor = editors.by_key(session(), _bearer("staff"))
            if editor is None:
                raise _refused("staff", "Nobody has this key; it may have been revoked.")
            for action in actions:
                if not editors.may(editor, action):
                    raise of_status(403, f"The role {editor.role} may not: {action}.", action=action)
            g.editor = editor
            return view(*args, **kwargs)

        marked: View = _marked(guarded, "staff")
        return marked

    return decorator


def _bearer(scheme: str) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token.strip()
    if kind.lower() != "bearer" or not token:
        raise _refused(scheme, "Send the header Authorization: Bearer followed by the key.", sent=False)
    if len(token) > LONGEST or not token.isascii():
        raise _refused(scheme, "This is not a key of this server.")
    return token


def _refused(scheme: str, detail: str, *, sent: bool = True) -> Problem:
    challenge = f'Bearer realm="{scheme}"' + (', error="invalid_token"' if sent else "")
    return of_status(401, detail, headers={"WWW-Authenticate": challenge})


def _marked(view: Callable[..., Any], scheme: str) -> Any:
    """Documents the scheme in OpenAPI and leaves a mark that the tests of the house look for."""
    marked: Any = view
    marked._apidoc = deepcopy(getattr(view, "_apidoc", {}))
    marked._apidoc.setdefault("manual_doc", {}).update(security=[{scheme: []}])
    marked._required = scheme
    return marked
