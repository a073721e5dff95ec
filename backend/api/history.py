"""What was done to a notice or an alert, by whom, when and why: the steps, as city hall reads them."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from backend.transaction import session
from content import workflow


class StepSchema(ma.Schema):
    """One thing that was done."""

    at = ma.fields.AwareDateTime()
    by = ma.fields.String(allow_none=True, metadata={"description": "null は機械的な処理（期限切れなど）。"})
    action = ma.fields.String(metadata={"example": "submit"})
    from_state = ma.fields.String(allow_none=True)
    to_state = ma.fields.String()
    reason = ma.fields.String(allow_none=True)
    content_hash = ma.fields.String(allow_none=True)


def steps_view(subject_kind: str, subject_id: int) -> list[dict[str, Any]]:
    """The steps of a content, oldest first."""
    plain = ("at", "action", "from_state", "to_state", "reason", "content_hash")
    return [
        {**{name: getattr(step, name) for name in plain}, "by": step.editor.name if step.editor else None}
        for step in workflow.steps(session(), subject_kind, subject_id)
    ]
