"""A refusal in the provider's own shape: status, error code, details, Retry-After."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
QUOTA_FAILURE = "type.googleapis.com/google.rpc.QuotaFailure"
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that is wrong, named by its path (`message.android.ttl`), and why."""

    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer that is not a success."""

    http: int
    status: str  # the canonical name: INVALID_ARGUMENT, NOT_FOUND …
    message: str
    fcm: str | None = None  # FcmError's errorCode
    violations: tuple[Violation, ...] = ()
    details: tuple[Mapping[str, Any], ...] = field(default=())
    retry_after: str | None = None  # the header as sent: seconds or an HTTP date

    @property
    def code(self) -> str:
        """The most telling name, for the log."""
        return self.fcm or self.status

    def body(self) -> bytes:
        """The JSON that Google's APIs answer errors with."""
        details: list[Mapping[str, Any]] = []
        if self.fcm:
            details.append({"@type": FCM_ERROR, "errorCode": self.fcm})
        if self.violations:
            found = [{"field": v.field, "description": v.reason} for v in self.violations]
            details.append({"@type": BAD_REQUEST, "fieldViolations": found})
        details.extend(self.details)
        error: dict[str, Any] = {"code": self.http, "message": self.message, "status": self.status}
        if details:
            error["details"] = details
        return orjson.dumps({"error": error})


def invalid(*violations: Violation, message: str | None = None) -> Refusal:
    """400 INVALID_ARGUMENT, naming the fields."""
    text = message or "; ".join(f"Invalid value at '{v.field}': {v.reason}" for v in violations[:3])
    return Refusal(400, "INVALID_ARGUMENT", text, "INVALID_ARGUMENT", violations)


def unauthenticated(message: str) -> Refusal:
    """401: no token, an unknown one, or one that is over."""
    info = {"@type": ERROR_INFO, "reason": "ACCESS_TOKEN_EXPIRED", "domain": "googleapis.com"}
    return Refusal(401, "UNAUTHENTICATED", message, details=(info,))


def permission_denied(project: str) -> Refusal:
    """403: this account may not send for that project (or there is none of that name)."""
    info = {
        "@type": ERROR_INFO,
        "reason": "IAM_PERMISSION_DENIED",
        "domain": "iam.googleapis.com",
        "metadata": {"permission": "cloudmessaging.messages.create", "resource": f"projects/{project}"},
    }
    text = f"Permission 'cloudmessaging.messages.create' denied on project '{project}' (or it may not exist)."
    return Refusal(403, "PERMISSION_DENIED", text, details=(info,))


def not_found(path: str) -> Refusal:
    """404 without FcmError: the address itself is wrong."""
    return Refusal(404, "NOT_FOUND", f"There is nothing at {path} on this stand-in.")


def quota(*, project: str | None, retry_after: str | None) -> Refusal:
    """429: too fast for one device, or (with a project's name) for the whole project."""
    details: list[Mapping[str, Any]] = []
    if project is None:
        violation = {"subject": "device", "description": "Device message rate exceeded."}
    else:
        violation = {"subject": f"project:{project}", "description": "Message rate exceeded."}
        metadata = {"service": "fcm.googleapis.com", "consumer": f"projects/{project}"}
        details.append(
            {"@type": ERROR_INFO, "reason": "RATE_LIMIT_EXCEEDED", "domain": "googleapis.com", "metadata": metadata}
        )
    details.append({"@type": QUOTA_FAILURE, "violations": [violation]})
    text = violation["description"]
    return Refusal(429, "RESOURCE_EXHAUSTED", text, "QUOTA_EXCEEDED", details=tuple(details), retry_after=retry_after)
