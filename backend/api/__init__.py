"""/v1 for apps: one file a resource, schema and views together."""

# The resources: each module has `blp`, a `backend.api.blueprint.Blueprint`. Add a line when yours lands.
BLUEPRINTS: list[str] = [
    "backend.api.devices",
    "backend.api.wishes",
    "backend.api.webpush",
    "backend.api.inbox",
    "backend.api.alerts",
    "backend.api.alerts:drills",
    "backend.api.staff_alerts",
    "backend.api.staff_alerts:drills",
    "backend.api.staff_messages",
    "backend.api.notices",
    "backend.api.staff_notices",
    "backend.api.areas",
    "backend.api.shelters",
    "backend.api.staff_shelters",
    "backend.api.imports",
    "backend.api.topics",
    "backend.api.staff_topics",
    "backend.api.garbage",
    "backend.api.garbage_items",
    "backend.api.childcare",
    "backend.api.facilities",
    "backend.api.events",
    "backend.api.incidents",
    "backend.api.opendata",
]
