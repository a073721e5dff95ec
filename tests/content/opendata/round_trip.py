"""Everything public taken out of one database and into another, and both compared row by row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from content.childcare.guides import Guide
from content.childcare.programmes import Programme
from content.events import Event
from content.garbage.areas import GarbageArea, GarbageAreaLink
from content.garbage.categories import GarbageCategory
from content.garbage.dictionary import GarbageItem, GarbageItemWord
from content.garbage.rules import GarbageChange, GarbageRule
from content.garbage.sources import GarbageSource
from content.opendata import childcare_export, event_export, garbage_export
from content.opendata.childcare_import import import_childcare
from content.opendata.event_import import EventOptions, import_events
from content.opendata.garbage_import import import_garbage
from geo.areas import Area
from geo.opendata import area_export, facility_export
from geo.opendata.area_import import AreaOptions, import_areas
from geo.opendata.report import Report
from geo.opendata.site_import import ImportOptions, import_sites
from geo.opendata.written import collection, table
from geo.sites import Site, SiteKind

LATER = dt.datetime(2027, 2, 3, 4, 5, tzinfo=dt.UTC)
# Numbers and when and how a row came in; of a site also what staff say of it, which is in no list.
BOOKKEEPING = {
    "id",
    "content_hash",
    "imported_at",
    "version",
    "withdrawn_at",
    "schedule_version",
    "schedule_changed_at",
}
SAID = {"status", "crowding", "status_note", "status_at", "status_by"}
VERSIONED = (Guide, Programme)  # whose version is part of what they are
SETS: Mapping[str, tuple[SiteKind, ...]] = {
    "places": (
        *(SiteKind.EMERGENCY_EVACUATION_SITE, SiteKind.TSUNAMI_REFUGE),
        *(SiteKind.SHELTER, SiteKind.WELFARE_SHELTER),
    ),
    "aeds": (SiteKind.AED,),
    "childcare": (SiteKind.CHILDCARE_FACILITY,),
    "public": (SiteKind.PUBLIC_FACILITY,),
}


def exported(session: Session, *, geojson: bool = False) -> dict[str, list[bytes]]:
    """Every set as files, by the importer that takes them."""
    sites = []
    for kinds in SETS.values():
        layout, found = facility_export.records(session, kinds)
        if records := list(found):
            sites.append(collection(records, left_out=layout.left_out()) if geojson else table(layout.columns, records))
    events = list(event_export.published(session))
    areas = list(area_export.published(session))
    written = {
        "areas": [collection(areas, at=None)] if areas else [],
        "sites": sites,
        "events": [collection(events) if geojson else table(event_export.COLUMNS, events)] if events else [],
        "childcare": [childcare_export.document(session, one) for one in childcare_export.all_sources(session)],
        "garbage": [garbage_export.document(session, one) for one in garbage_export.all_sources(session)],
    }
    return {name: ["".join(pieces).encode() for pieces in files] for name, files in written.items()}


def taken_in(session: Session, files: Mapping[str, list[bytes]]) -> list[Report]:
    """The files into an empty database, without a word beside them."""
    reports = [import_areas(session, data, LATER, AreaOptions(as_exported=True)) for data in files["areas"]]
    site, event = ImportOptions(as_exported=True), EventOptions(as_exported=True)
    reports += [import_sites(session, data, LATER, site) for data in files["sites"]]
    reports += [import_events(session, data, LATER, event) for data in files["events"]]
    reports += [import_childcare(session, data, LATER) for data in files["childcare"]]
    for data in files["garbage"]:
        reports += import_garbage(session, {"garbage.json": data}, LATER).values()
    return reports


def rows(session: Session) -> dict[str, list[dict[str, Any]]]:
    """Every present row of every public table, numbers of other rows replaced by their names."""
    named: dict[str, dict[int, Any]] = {
        "area_id": {one.id: one.key for one in session.scalars(sa.select(GarbageArea))},
        "category_id": {one.id: one.key for one in session.scalars(sa.select(GarbageCategory))},
        "item_id": {one.id: one.key for one in session.scalars(sa.select(GarbageItem))},
    }
    tables: tuple[type[Any], ...] = (
        *(Site, Area, Event, Guide, Programme, GarbageSource, GarbageCategory, GarbageArea, GarbageAreaLink),
        *(GarbageRule, GarbageChange, GarbageItem, GarbageItemWord),
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for one in tables:
        left_out = BOOKKEEPING - ({"version"} if one in VERSIONED else set()) | (SAID if one is Site else set())
        columns = [column.key for column in sa.inspect(one).columns if column.key not in left_out]
        plain = [
            {
                name: named[name].get(value, value) if name in named else value
                for name in columns
                for value in [getattr(row, name)]
            }
            for row in session.scalars(sa.select(one))
            if getattr(row, "withdrawn_at", None) is None
        ]
        found[one.__tablename__] = sorted(plain, key=repr)
    return found
