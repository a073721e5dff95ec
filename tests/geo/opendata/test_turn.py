"""Two imports of one file at the same moment both end well, and the store has each place once."""

from __future__ import annotations

import datetime as dt
import threading

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from database import transaction
from geo.areas import Area
from geo.opendata.area_import import import_areas
from geo.opendata.report import Report
from geo.opendata.site_import import import_sites
from geo.sites import Site
from tests.geo.opendata.lists import collection, feature, gsi, gsi_bytes, square

NOW = dt.datetime(2026, 9, 1, 3, 0, tzinfo=dt.UTC)
SITES = gsi_bytes(*(gsi(number) for number in range(1, 60)))
ZONES = collection(*(feature({"code": f"z{one}", "name": "見本"}, square(38.0, 140.9)) for one in range(20)))


def test_two_at_once(engine: Engine) -> None:
    together = threading.Barrier(2)
    done: list[Report] = []
    faults: list[BaseException] = []

    def work() -> None:
        try:
            together.wait()
            with transaction(engine) as session:
                reports = [import_sites(session, SITES, NOW), import_areas(session, ZONES, NOW)]
            done.extend(reports)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert sum(report.added for report in done) == 59 + 20
    assert sum(report.unchanged for report in done) == 59 + 20
    with transaction(engine, "read") as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Site)) == 59
        assert session.scalar(sa.select(sa.func.count()).select_from(Area)) == 20
