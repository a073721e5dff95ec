"""The stand-in's control interface, under /_standin/: faults, phones, subscriptions, the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

import orjson

from notifications.channels.standin.faults import FaultError
from notifications.channels.standin.refusal import Refusal, Violation, invalid, not_found

if TYPE_CHECKING:
    from notifications.channels.standin.server import Server


def control(
    server: Server, method: str, path: str, query: Mapping[str, str], body: bytes, content_type: str
) -> bytes | Refusal:
    """Does what is asked; the JSON of the answer. `path` without the prefix."""
    now = server.clock()
    if method == "POST" and not content_type.startswith("application/json"):
        # A form on a foreign page cannot send this type without asking first.
        return invalid(Violation("Content-Type", "must be application/json"))
    match method, path:
        case "GET", "faults":
            return orjson.dumps({"faults": [fault.as_json() for fault in server.faults.all()]})
        case "POST", "faults":
            return _put_fault(server, body)
        case "DELETE", "faults":
            return orjson.dumps({"removed": server.faults.clear(token=query.get("token"))})
        case "POST", "subscriptions":
            return _subscribe(server, body)
        case "POST", "reset":
            server.faults.clear()
            server.phones.reset()
            server.receipts.reset()
            return orjson.dumps({"last": server.receipts.last})
        case "POST", "revoke":
            return orjson.dumps({"revoked": server.grants.revoke_all()})
        case "GET", "log":
            after, limit = query.get("after", "0"), query.get("limit", "1000")
            if not after.isdigit() or not limit.isdigit():
                return invalid(Violation("after", "must be a sequence number"))
            entries = b",".join(server.receipts.after(int(after), int(limit)).splitlines())
            return b'{"last":%d,"entries":[%b]}' % (server.receipts.last, entries)
        case "GET", "phones":
            limit = query.get("limit", "1000")
            listed = server.phones.newest(now, limit=int(limit) if limit.isdigit() else 1_000)
            return orjson.dumps({"totals": server.phones.totals(), "phones": listed})
        case "GET", "health":
            return orjson.dumps({"standin": True, "project": server.project, "granted": server.grants.granted})
    if method == "GET" and path.startswith("phones/"):
        phone = server.phones.find(unquote(path.removeprefix("phones/")), now)
        if phone is not None:
            return orjson.dumps(phone)
    return not_found(f"/_standin/{path}")


def _put_fault(server: Server, body: bytes) -> bytes | Refusal:
    try:
        wish = orjson.loads(body)
        if not isinstance(wish, dict):
            raise FaultError("the body must be a JSON object")
        return orjson.dumps(server.faults.put(wish).as_json())
    except (FaultError, orjson.JSONDecodeError) as error:
        return Refusal(400, "INVALID_ARGUMENT", str(error))


def _subscribe(server: Server, body: bytes) -> bytes | Refusal:
    """A new pretend browser, or the same again: its keys follow from its name."""
    try:
        wish = orjson.loads(body)
        name, key = str(wish["name"]), wish.get("application_server_key")
        return orjson.dumps(server.browsers.subscribe(name, None if key is None else str(key)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Refusal(400, "INVALID_ARGUMENT", f"Send a name, and an application_server_key or none: {error}")
