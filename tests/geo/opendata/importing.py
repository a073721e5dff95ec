"""Importing lists of places in tests: short words for what is taken in and what came of it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from geo.opendata.report import Report
from geo.opendata.site_import import ImportOptions, import_sites
from geo.sites import Site

NOW = dt.datetime(2026, 9, 1, 3, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(days=30)


def take(session: Session, data: bytes, now: dt.datetime = NOW, **options: Any) -> Report:
    return import_sites(session, data, now, ImportOptions(**options))


def all_sites(session: Session) -> dict[str, Site]:
    session.expire_all()
    return {site.source_id: site for site in session.scalars(sa.select(Site).order_by(Site.id))}


def only(session: Session) -> Site:
    (site,) = all_sites(session).values()
    return site


def counts(report: Report) -> tuple[int, ...]:
    return (report.added, report.changed, report.restored, report.unchanged, report.withdrawn, report.refused_rows)


def refusals(report: Report) -> list[tuple[int, str | None, str]]:
    return [(one.line, one.column, one.code) for one in report.refused]
