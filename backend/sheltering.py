"""City hall's words about shelters, shared by the staff API and the console. They send nothing to any phone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import current_app, g

from backend import clock
from backend.api.shelter_sights import KINDS
from backend.errors import of_status
from backend.transaction import session
from geo import sites
from geo.sites import Crowding, Site, SiteStatus, StaleSite, UnknownSite
from geo.wards import WardCache, Wards

NOTE_MAX = 300  # characters
# Nobody is inside a shelter that is not open.
PEOPLED = frozenset({SiteStatus.OPEN, SiteStatus.FULL})


@dataclass(slots=True)
class Done:
    """What came of a word about many places."""

    changed: list[Site] = field(default_factory=list)
    left: list[int] = field(default_factory=list)  # ids of those that somebody else changed, or that are gone


def one(site_id: int) -> Site:
    """The shelter of an id; raises Problem 404 when there is none or it has been withdrawn."""
    site = sites.get(session(), site_id) if site_id < 2**63 else None
    if site is None or site.withdrawn_at is not None or site.kind not in KINDS:
        raise of_status(404, "There is no shelter with this id; it may have been withdrawn from the published list.")
    return site


def say(
    site_id: int, *, status: SiteStatus, crowding: Crowding | None, note: str | None, version: int | None = None
) -> Site:
    """Records what the person at the door says of a place.

    Raises Problem 404 for no such shelter, StaleSite when `version` is not the newest, ValueError for a crowding of
    a place that is not open.
    """
    if crowding is not None and status not in PEOPLED:
        raise ValueError("crowding is said only of a shelter that is open or full")
    one(site_id)
    return sites.set_status(
        session(),
        site_id,
        status=status,
        crowding=crowding,
        note=note,
        by=g.editor.name,
        now=clock.now(),
        version=version,
    )


def say_of_many(places: Sequence[tuple[int, int]], *, status: SiteStatus, note: str | None, keep_notes: bool) -> Done:
    """The same status for places of these ids and versions; whoever was changed in between stays as it is.

    `keep_notes`: a place that has a note keeps it; else `note` stands everywhere.
    """
    done = Done()
    for site_id, version in places:
        site = sites.get(session(), site_id)
        if site is None or site.kind not in KINDS:
            done.left.append(site_id)
            continue
        stays = site.crowding if site.status == status else None
        try:
            done.changed.append(
                sites.set_status(
                    session(),
                    site_id,
                    status=status,
                    crowding=Crowding(stays) if stays is not None and status in PEOPLED else None,
                    note=(site.status_note or note) if keep_notes else note,
                    by=g.editor.name,
                    now=clock.now(),
                    version=version,
                )
            )
        except (StaleSite, UnknownSite):
            done.left.append(site_id)
    return done


def wards() -> Wards:
    """The city's wards as they are now."""
    kept: WardCache = current_app.extensions.setdefault("yobikake.wards", WardCache())
    return kept.get(session())
