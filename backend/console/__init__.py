"""/console: the pages of city hall. Rendered here, usable without scripts, everything from this server."""

from __future__ import annotations

from importlib import import_module

from flask import Flask

from backend.console import assets, cookies, door, language

# Modules whose import adds pages to `door.desk`. Add a line when yours lands.
PAGES = (
    "alert_pages", "area_pages", "break_glass", "childcare_pages", "dashboard", "entry", "event_pages",
    "facility_pages", "faults", "garbage_areas", "garbage_items", "garbage_kinds", "garbage_pages", "import_pages",
    "ledger", "maps",
    "notice_pages", "notice_writing", "people", "records", "shelter_facts", "shelters", "topic_pages",
)  # fmt: skip


def register(app: Flask) -> None:
    """Adds the console to an application."""
    for name in PAGES:
        import_module(f"backend.console.{name}")
    assets.register(app)
    cookies.register(app)
    language.register(app)
    app.register_blueprint(door.desk)
    door.register(app)
