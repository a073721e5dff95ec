"""The nearest suitable sites come in geopy's geodesic order, whatever the places, states and areas."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import gzip
import io
import math
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shapely
from geopy.distance import geodesic
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry.base import BaseGeometry
from sqlalchemy.orm import Session

from geo import mesh, nearest, sites
from geo.hazards import Hazard
from geo.mesh import cell_of, centre
from geo.nearest import OPEN_FIRST_WITHIN_M, Found, SiteIndex, SiteIndexCache, SiteRecord
from geo.point import Point, bearing_deg, distance_m
from geo.sites import Crowding, Site, SiteKind, SiteStatus

HERE_DEG = (38.2601, 140.8821)
HERE = Point(*HERE_DEG)
NOW = dt.datetime(2026, 11, 21, 9, 0, tzinfo=dt.UTC)
FLOOD = Hazard.FLOOD.bit


def site(number: int, north_m: float = 0.0, east_m: float = 0.0, **facts: object) -> SiteRecord:
    """A site so many metres (about) north and east of HERE, designated for floods."""
    lat = HERE.lat + north_m / 111_000
    lon = HERE.lon + east_m / (111_000 * math.cos(math.radians(HERE.lat)))
    plain = SiteRecord(number, f"避難場所{number}", SiteKind.EMERGENCY_EVACUATION_SITE, lat, lon, FLOOD)
    return dataclasses.replace(plain, **facts)  # type: ignore[arg-type]


def ids(found: list[Found] | tuple[Found, ...]) -> list[int]:
    return [one.site.id for one in found]


def by_hand(
    rows: list[SiteRecord], point: Point, hazard: Hazard, limit: int, outside: BaseGeometry | None = None
) -> list[int]:
    """The rule, said with geopy over every site."""
    ranked = []
    for row in rows:
        usable = row.status in (SiteStatus.OPEN, SiteStatus.UNKNOWN, SiteStatus.PREPARING)
        if not (usable and row.hazards & hazard.bit):
            continue
        if outside is not None and outside.distance(shapely.Point(row.lon, row.lat)) <= 1e-6:
            continue
        metres = geodesic((point.lat, point.lon), (row.lat, row.lon)).m
        open_near = row.status == SiteStatus.OPEN and metres <= OPEN_FIRST_WITHIN_M
        if row.kind in (SiteKind.EMERGENCY_EVACUATION_SITE, SiteKind.TSUNAMI_REFUGE, SiteKind.SHELTER):
            ranked.append((0, not open_near, metres, row.id))
        elif row.kind == SiteKind.WELFARE_SHELTER:
            ranked.append((1, False, metres, row.id))
    if all(welfare for welfare, *_ in ranked):
        return []
    return [row_id for *_, row_id in sorted(ranked)][:limit]


@st.composite
def cities(draw: st.DrawFn) -> list[SiteRecord]:
    """Sites around HERE: some at one place, some mirrored so that their distances are equal, some very far."""
    spread = draw(st.sampled_from([30.0, 1_500.0, 15_000.0, 40_000.0, 900_000.0]))
    places = draw(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=12))
    doubled = draw(st.lists(st.tuples(st.sampled_from(places), st.sampled_from([1, -1])), max_size=6))
    places += [(north, side * east) for (north, east), side in doubled]
    rows = []
    for number, (north, east) in enumerate(places, start=1):
        rows.append(
            site(
                number,
                north * min(spread, 700_000),
                east * spread,
                kind=draw(st.sampled_from([SiteKind.EMERGENCY_EVACUATION_SITE] * 3 + list(SiteKind))),
                status=draw(st.sampled_from([SiteStatus.UNKNOWN] * 3 + [SiteStatus.OPEN] * 2 + list(SiteStatus))),
                hazards=draw(st.sampled_from([FLOOD, FLOOD, 0, 255])),
            )
        )
    return draw(st.permutations(rows))


areas = st.one_of(
    st.none(),
    st.tuples(st.floats(-0.1, 0.1), st.floats(-0.1, 0.1), st.floats(0.001, 0.2)).map(
        lambda box: shapely.box(
            HERE.lon + box[1], HERE.lat + box[0], HERE.lon + box[1] + box[2], HERE.lat + box[0] + box[2]
        )
    ),
)
offsets = st.tuples(st.floats(-0.05, 0.05), st.floats(-0.05, 0.05))


@given(rows=cities(), offset=st.one_of(st.just((0.0, 0.0)), offsets), limit=st.integers(1, 12), outside=areas)
@settings(max_examples=200, deadline=None)
def test_the_order_is_that_of_geopy_over_every_site(
    rows: list[SiteRecord], offset: tuple[float, float], limit: int, outside: BaseGeometry | None
) -> None:
    point = Point(HERE.lat + offset[0], HERE.lon + offset[1])
    found = SiteIndex.from_rows(rows).nearest(point, Hazard.FLOOD, limit=limit, outside=outside)
    assert ids(found) == by_hand(rows, point, Hazard.FLOOD, limit, outside)


@given(rows=cities(), spots=st.lists(offsets, min_size=1, max_size=8), limit=st.integers(1, 5), outside=areas)
@settings(max_examples=120, deadline=None)
def test_cells_get_what_their_centres_get(
    rows: list[SiteRecord], spots: list[tuple[float, float]], limit: int, outside: BaseGeometry | None
) -> None:
    cells = mesh.cells_of([HERE.lat + north for north, _ in spots], [HERE.lon + east for _, east in spots])
    answers = SiteIndex.from_rows(rows).nearest_to_cells(cells, Hazard.FLOOD, limit=limit, outside=outside)
    assert set(answers) == set(cells.tolist())
    for cell, found in answers.items():
        assert ids(found) == by_hand(rows, centre(cell), Hazard.FLOOD, limit, outside)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=6, deadline=None)
def test_thousands_of_cells_are_answered_as_one_by_one(seed: int) -> None:
    """Enough of both for chunks to be divided: clustered and scattered cells, 1,500 sites, some at one place."""
    rng = np.random.default_rng(seed)
    spread = rng.choice([0.05, 0.3, 3.0])
    at = rng.normal((36.5, 138.5), spread, (1_500, 2))
    at[1_400:] = at[:100]
    states = rng.choice(list(SiteStatus), 1_500)
    rows = [
        SiteRecord(i, str(i), SiteKind.SHELTER, lat, lon, FLOOD, SiteStatus(state))
        for i, ((lat, lon), state) in enumerate(zip(at.tolist(), states, strict=True))
    ]
    spots = rng.normal((36.5, 138.5), spread, (3_000, 2))
    cells = mesh.cells_of(spots[:, 0], spots[:, 1])
    index = SiteIndex.from_rows(rows)
    answers = index.nearest_to_cells(cells, Hazard.FLOOD)
    assert set(answers) == set(cells.tolist())
    for cell in rng.choice(cells, 100).tolist():
        assert list(answers[cell]) == index.nearest(centre(cell), Hazard.FLOOD)


@given(
    pairs=st.lists(
        st.tuples(st.floats(-0.3, 0.3), st.floats(0.001, 0.4), st.floats(0, 2e-13)), min_size=3, max_size=10
    ),
    limit=st.integers(1, 5),
)
@settings(max_examples=80, deadline=None)
def test_sites_mirrored_about_a_cells_centre_are_decided_by_geodesic(
    pairs: list[tuple[float, float, float]], limit: int
) -> None:
    """East and west of the centre, equally far but for less than the fast metric can tell."""
    cell = cell_of(HERE)
    middle = centre(cell)
    spots = [(middle.lat + north, middle.lon + east) for north, east, _ in pairs]
    spots += [(middle.lat + north, middle.lon - east - more) for north, east, more in pairs]
    rows = [site(number, lat=lat, lon=lon) for number, (lat, lon) in enumerate(reversed(spots))]
    answer = SiteIndex.from_rows(rows).nearest_to_cells(np.array([cell]), Hazard.FLOOD, limit=limit)
    assert ids(answer[cell]) == by_hand(rows, middle, Hazard.FLOOD, limit)


@pytest.mark.parametrize("limit", [1, 3, 7])
def test_many_sites_at_one_place_come_in_the_order_of_their_numbers(limit: int) -> None:
    rows = [site(number, 700) for number in random.Random(4).sample(range(100), 40)]
    index, cell = SiteIndex.from_rows(rows), cell_of(HERE)
    expected = sorted(row.id for row in rows)[:limit]
    assert ids(index.nearest(HERE, Hazard.FLOOD, limit=limit)) == expected
    assert ids(index.nearest_to_cells(np.array([cell]), Hazard.FLOOD, limit=limit)[cell]) == expected


def test_among_thousands_of_sites_the_order_is_geopys() -> None:
    """Too many to be measured all: they are looked for in a band of latitudes that widens."""
    rng = np.random.default_rng(5)
    dense, sparse = rng.normal(HERE_DEG, 0.2, (4_000, 2)), rng.normal((43.0, 142.0), 2.0, (500, 2))
    rows = [site(i, lat=lat, lon=lon) for i, (lat, lon) in enumerate(np.vstack((dense, sparse)).tolist())]
    index = SiteIndex.from_rows(rows)
    for lat, lon in np.vstack((rng.normal(HERE_DEG, 0.3, (20, 2)), rng.normal((43.0, 142.0), 2.0, (10, 2)))).tolist():
        found = index.nearest(Point(lat, lon), Hazard.FLOOD, limit=10)
        assert ids(found) == geodesic_order(rows, Point(lat, lon), 10)


def test_sites_on_the_rim_of_the_first_look_are_in_geopys_order() -> None:
    """At two kilometres, where the search first stops, nobody just outside is passed over."""
    far = [site(1_000 + i, 60_000 + i) for i in range(2_500)]
    ring = []
    for i in range(12):
        # 8 µm more over the surface than the straight line of 2,000 m; some a little nearer, some farther.
        end = geodesic(meters=2_000 + 7e-6 + 2e-6 * math.sin(5 * i)).destination(HERE_DEG, 30 * i)
        ring.append(site(i, lat=end.latitude, lon=end.longitude))
    found = SiteIndex.from_rows(far + ring).nearest(HERE, Hazard.FLOOD, limit=12)
    for limit in range(1, 13):
        assert ids(SiteIndex.from_rows(far + ring).nearest(HERE, Hazard.FLOOD, limit=limit)) == ids(found)[:limit]
    assert ids(found) == geodesic_order(ring, HERE, 12)


@pytest.mark.parametrize("beyond_m", [-0.5, -1e-5, 1e-5, 0.5])
def test_the_reach_of_open_sites_is_measured_by_geodesic(beyond_m: float) -> None:
    end = geodesic(meters=OPEN_FIRST_WITHIN_M + beyond_m).destination(HERE_DEG, 60)
    rows = [site(1, 100), site(2, lat=end.latitude, lon=end.longitude, status=SiteStatus.OPEN)]
    expected = [2, 1] if beyond_m < 0 else [1, 2]
    index, cell = SiteIndex.from_rows([*rows, *(site(i, 30_000 + i) for i in range(3, 9))]), cell_of(HERE)
    assert ids(index.nearest(HERE, Hazard.FLOOD, limit=2)) == expected
    (answer,) = index.nearest_to_cells(np.array([cell]), Hazard.FLOOD, limit=2).values()
    assert ids(answer) == ids(index.nearest(centre(cell), Hazard.FLOOD, limit=2))


def test_sites_of_equal_distance_come_in_the_order_of_their_numbers() -> None:
    rows = [site(3, east_m=500), site(1, east_m=500), site(2, east_m=500), site(4, east_m=501)]
    assert ids(SiteIndex.from_rows(rows).nearest(HERE, Hazard.FLOOD)) == [1, 2, 3]


def test_a_thousandth_of_a_millimetre_decides_as_geopy_does() -> None:
    """East and west of the point at distances that only the geodesic tells apart."""
    rows = [site(i, east_m=(1 if i % 2 else -1) * (40_000 + i * 1e-7)) for i in range(1, 9)]
    found = SiteIndex.from_rows(rows).nearest(HERE, Hazard.FLOOD, limit=8)
    assert ids(found) == by_hand(rows, HERE, Hazard.FLOOD, 8)


@pytest.mark.parametrize("north_m", [0.0, 12.0, 1_000.0, 80_000.0, 600_000.0])
def test_distance_direction_and_minutes_are_told(north_m: float) -> None:
    there = site(1, north_m=north_m, east_m=north_m / 2)
    (found,) = SiteIndex.from_rows([there]).nearest(HERE, Hazard.FLOOD)
    place = Point(there.lat, there.lon)
    assert found.site == there
    assert found.distance_m == pytest.approx(distance_m(HERE, place), rel=1e-5, abs=1e-6)
    assert found.bearing_deg == pytest.approx(bearing_deg(HERE, place), abs=0.002)
    assert found.walking_minutes == math.ceil(found.distance_m / 80)


def test_open_sites_come_first_and_unknown_ones_are_not_hidden() -> None:
    rows = [
        site(1, 100),
        site(2, 200, status=SiteStatus.PREPARING),
        site(3, 3_000, status=SiteStatus.OPEN),
        site(4, 900, status=SiteStatus.OPEN),
    ]
    assert ids(SiteIndex.from_rows(rows).nearest(HERE, Hazard.FLOOD, limit=9)) == [4, 3, 1, 2]


def test_the_nearest_site_of_unknown_state_can_be_told_beside_the_open_ones() -> None:
    rows = [
        site(1, 900, status=SiteStatus.OPEN),
        site(2, 700),
        site(3, 600, status=SiteStatus.PREPARING),
        site(4, 100, status=SiteStatus.CLOSED),
        site(5, 50, kind=SiteKind.WELFARE_SHELTER),
    ]
    index = SiteIndex.from_rows(rows)
    unconfirmed = index.nearest_unconfirmed(HERE, Hazard.FLOOD)
    assert unconfirmed is not None
    assert unconfirmed.site.id == 3
    around = shapely.Point(rows[2].lon, rows[2].lat).buffer(0.0001)
    elsewhere = index.nearest_unconfirmed(HERE, Hazard.FLOOD, outside=around)
    assert elsewhere is not None
    assert elsewhere.site.id == 2
    assert SiteIndex.from_rows(rows[:1]).nearest_unconfirmed(HERE, Hazard.FLOOD) is None


def test_one_area_after_another_is_told_apart() -> None:
    rows = [site(1, 100), site(2, 5_000)]
    index = SiteIndex.from_rows(rows)
    near, far = (shapely.Point(row.lon, row.lat).buffer(0.001) for row in rows)
    for _ in range(2):
        assert ids(index.nearest(HERE, Hazard.FLOOD, outside=near)) == [2]
        assert ids(index.nearest(HERE, Hazard.FLOOD, outside=far)) == [1]
        assert ids(index.nearest(HERE, Hazard.FLOOD)) == [1, 2]


def test_an_open_site_out_of_reach_does_not_lead_people_across_the_country() -> None:
    rows = [
        site(1, 100),
        site(2, 300),
        site(3, 600_000, status=SiteStatus.OPEN),
        site(4, 15_000, status=SiteStatus.OPEN),
    ]
    assert ids(SiteIndex.from_rows(rows).nearest(HERE, Hazard.FLOOD, limit=9)) == [4, 1, 2, 3]


@pytest.mark.parametrize("status", [SiteStatus.NOT_OPEN, SiteStatus.FULL, SiteStatus.CLOSED, SiteStatus.UNUSABLE])
def test_a_site_that_is_known_not_to_help_is_left_out(status: SiteStatus) -> None:
    rows = [site(1, 100, status=status), site(2, 200)]
    assert ids(SiteIndex.from_rows(rows).nearest(HERE, Hazard.FLOOD)) == [2]


@pytest.mark.parametrize("kind", [SiteKind.AED, SiteKind.CHILDCARE_FACILITY, SiteKind.PUBLIC_FACILITY])
def test_places_that_are_no_refuge_are_left_out(kind: SiteKind) -> None:
    assert SiteIndex.from_rows([site(1, 100, kind=kind)]).nearest(HERE, Hazard.FLOOD) == []


def test_only_sites_designated_for_the_hazard_are_named() -> None:
    rows = [site(1, 100), site(2, 5_000, hazards=Hazard.TSUNAMI.bit), site(3, 10, hazards=0, kind=SiteKind.SHELTER)]
    index = SiteIndex.from_rows(rows)
    assert ids(index.nearest(HERE, Hazard.TSUNAMI)) == [2]
    assert index.nearest(HERE, Hazard.VOLCANO) == []


def test_welfare_shelters_come_after_all_others_and_never_alone() -> None:
    welfare = site(1, 10, kind=SiteKind.WELFARE_SHELTER, status=SiteStatus.OPEN)
    assert SiteIndex.from_rows([welfare]).nearest(HERE, Hazard.FLOOD) == []
    both = SiteIndex.from_rows([welfare, site(2, 9_000)])
    assert ids(both.nearest(HERE, Hazard.FLOOD)) == [2, 1]
    assert ids(both.nearest(HERE, Hazard.FLOOD, limit=1)) == [2]
    cell = cell_of(HERE)
    assert ids(both.nearest_to_cells(np.array([cell]), Hazard.FLOOD)[cell]) == [2, 1]
    assert SiteIndex.from_rows([welfare]).nearest_to_cells(np.array([cell]), Hazard.FLOOD) == {cell: ()}


def test_a_site_in_or_on_the_edge_of_the_danger_area_is_left_out() -> None:
    edge = site(1, 0, 500)
    rows = [edge, site(2, 0, 400), site(3, 0, 900), site(4, 0, -2_000)]
    danger = shapely.box(HERE.lon - 0.001, HERE.lat - 0.01, edge.lon, HERE.lat + 0.01)
    assert ids(SiteIndex.from_rows(rows).nearest(HERE, Hazard.FLOOD, outside=danger)) == [3, 4]
    slanted = shapely.Polygon(
        [(edge.lon - 0.03, edge.lat - 0.01), (edge.lon + 0.03, edge.lat + 0.01), (edge.lon, 38.1)]
    )
    assert 1 not in ids(SiteIndex.from_rows([edge]).nearest(HERE, Hazard.FLOOD, outside=slanted))


def test_every_suitable_site_can_be_listed_for_a_later_choice() -> None:
    rows = [
        site(5, 100),
        site(4, 50_000, kind=SiteKind.WELFARE_SHELTER),
        site(3, 60_000),
        site(2, 50, status=SiteStatus.FULL),
        site(1, 0, 700),
        site(6, hazards=Hazard.TSUNAMI.bit),
    ]
    index = SiteIndex.from_rows(rows)
    assert [one.id for one in index.suitable(Hazard.FLOOD)] == [1, 3, 4, 5]
    box = (HERE.lon - 0.1, HERE.lat - 0.5, HERE.lon + 0.1, rows[1].lat)
    assert [one.id for one in index.suitable(Hazard.FLOOD, within=box)] == [1, 4, 5]
    danger = shapely.Point(HERE.lon, HERE.lat).buffer(0.003)
    assert [one.id for one in index.suitable(Hazard.FLOOD, outside=danger, within=box)] == [1, 4]


def test_an_empty_danger_area_excludes_nothing() -> None:
    assert ids(SiteIndex.from_rows([site(1)]).nearest(HERE, Hazard.FLOOD, outside=shapely.Polygon())) == [1]


def test_withdrawn_sites_are_not_in_the_index() -> None:
    gone = Site(**{**dataclasses.asdict(site(1)), "withdrawn_at": NOW})
    kept = Site(**{**dataclasses.asdict(site(2)), "withdrawn_at": None})
    index = SiteIndex.from_rows([gone, kept])
    assert len(index) == 1
    assert ids(index.nearest(HERE, Hazard.FLOOD)) == [2]


@pytest.mark.parametrize("limit", [0, -1])
def test_a_senseless_limit_is_refused(limit: int) -> None:
    index = SiteIndex.from_rows([site(1)])
    with pytest.raises(ValueError, match="at least 1"):
        index.nearest(HERE, Hazard.FLOOD, limit=limit)
    with pytest.raises(ValueError, match="at least 1"):
        index.nearest_to_cells(np.array([cell_of(HERE)]), Hazard.FLOOD, limit=limit)


def test_an_index_without_sites_answers_with_nothing() -> None:
    index = SiteIndex.from_rows([])
    assert index.nearest(HERE, Hazard.FLOOD) == []
    assert index.nearest_to_cells(np.array([cell_of(HERE)]), Hazard.FLOOD) == {cell_of(HERE): ()}
    assert index.nearest_to_cells(np.array([], np.int64), Hazard.FLOOD) == {}


FULL_FACTS = site(
    7,
    300,
    crowding=Crowding.SOMEWHAT_CROWDED,
    status=SiteStatus.OPEN,
    status_at=NOW,
    status_note="2階のみ",
    capacity=250,
    note="大雨：2階以上",
    address="宮城県仙台市若林区",
    name_kana="ヒナンバショ",
    name_en="Evacuation site",
    also_shelter=True,
    accepts="どなたでも",
    phone="022-000-0000",
    url="https://example.jp/7",
    elevation_m=4.5,
    municipality_code="041009",
    source="見本",
    licence="CC BY 4.0",
    as_of=dt.date(2026, 4, 1),
)


def stored(session: Session, *rows: SiteRecord) -> None:
    for row in rows:
        facts = dataclasses.asdict(row)
        session.add(Site(**{**facts, "source": row.source or "test", "source_id": str(row.id)}))
    sites.bump_revision(session)
    session.flush()


def test_what_is_stored_is_told_unchanged(session: Session) -> None:
    stored(session, FULL_FACTS, dataclasses.replace(site(8, 400), source="見本"))
    index = nearest.load(session)
    assert index.revision == sites.revision(session) == 1
    assert [one.site for one in index.nearest(HERE, Hazard.FLOOD)] == [FULL_FACTS, site(8, 400, source="見本")]


def test_the_cached_index_is_kept_until_a_site_changes(session: Session) -> None:
    stored(session, site(1, 100), site(2, 200))
    cache = SiteIndexCache()
    first = cache.get(session)
    assert cache.get(session) is first
    sites.set_status(session, 1, status=SiteStatus.FULL, crowding=None, note=None, by="当番", now=NOW)
    assert ids(cache.get(session).nearest(HERE, Hazard.FLOOD)) == [2]
    assert ids(first.nearest(HERE, Hazard.FLOOD)) == [1, 2], "who still holds the old index keeps a whole one"


COLUMNS = ("洪水", "崖崩れ、土石流及び地滑り", "高潮", "地震", "津波", "大規模な火事", "内水氾濫", "火山現象")


def published(lines: Iterator[str] | io.TextIOBase) -> list[SiteRecord]:
    rows = []
    for number, line in enumerate(csv.DictReader(lines), start=1):
        if line["緯度"] and line["経度"]:
            flags = sum(hazard.bit for hazard, name in zip(Hazard, COLUMNS, strict=True) if line[name] == "1")
            where = float(line["緯度"]), float(line["経度"])
            rows.append(SiteRecord(number, line["施設・場所名"], SiteKind.EMERGENCY_EVACUATION_SITE, *where, flags))
    return rows


def geodesic_order(rows: list[SiteRecord], point: Point, limit: int) -> list[int]:
    """geopy's order among all that a sphere, 1 % off at most, cannot rule out."""
    lat, lon = np.radians([row.lat for row in rows]), np.radians([row.lon for row in rows])
    a, b = math.radians(point.lat), math.radians(point.lon)
    half = np.sin((lat - a) / 2) ** 2 + math.cos(a) * np.cos(lat) * np.sin((lon - b) / 2) ** 2
    sphere = 2 * 6_371_000 * np.arcsin(np.sqrt(half))
    near = np.flatnonzero(sphere <= np.partition(sphere, limit - 1)[limit - 1] * 1.02 + 1.0)
    measured = [(geodesic((point.lat, point.lon), (rows[i].lat, rows[i].lon)).m, rows[i].id) for i in near.tolist()]
    return [number for _, number in sorted(measured)][:limit]


def test_sendais_published_sites_come_in_geodesic_order(shared_data: Path) -> None:
    with (shared_data / "shelters_gsi" / "sendai_emergency.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = published(file)
    assert len(rows) == 311
    index = SiteIndex.from_rows(rows)
    chance = random.Random(1)
    for hazard in Hazard:
        suitable = [row for row in rows if row.hazards & hazard.bit]
        for _ in range(12):
            point = Point(chance.uniform(38.12, 38.45), chance.uniform(140.47, 141.04))
            expected = geodesic_order(suitable, point, 10) if len(suitable) >= 10 else by_hand(rows, point, hazard, 10)
            assert ids(index.nearest(point, hazard, limit=10)) == expected
            assert ids(index.nearest(point, hazard)) == expected[:3]


def test_the_countrys_published_sites_come_in_geodesic_order(shared_data: Path) -> None:
    packed = shared_data / "shelters_gsi" / "nationwide_mergeFromCity_2_rebuilt.csv.gz"
    with gzip.open(packed, "rt", encoding="utf-8-sig", newline="") as file:
        rows = published(file)
    assert len(rows) == 115_402
    index = SiteIndex.from_rows(rows)
    chance = random.Random(2)
    for hazard in Hazard:
        suitable = [row for row in rows if row.hazards & hazard.bit]
        for _ in range(4):
            point = Point(chance.uniform(24.0, 45.5), chance.uniform(123.0, 146.0))
            expected = geodesic_order(suitable, point, 10)
            assert ids(index.nearest(point, hazard, limit=10)) == expected
            assert ids(index.nearest(point, hazard)) == expected[:3]
