"""The first page: what is in force now, what waits for whom, and the way to the next alert."""

from __future__ import annotations

from flask import g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from backend import clock
from backend.console import alert_sight, notice_sight
from backend.console.door import desk, page
from backend.transaction import session
from content import notice_search
from notifications import alerts
from notifications.alerts import Act, State
from notifications.dispatch import incidents

MOST = 20


@page("/")
def dashboard() -> ResponseReturnValue:
    """Real alerts first; drills below and looking different."""
    now = clock.now()
    g.faults = incidents.open_ones(session())
    live = alerts.live(session(), now)
    waiting = [
        one
        for drill in (False, True)
        for one in alerts.listing(session(), drill=drill, state=State.SUBMITTED, most=MOST)
    ]
    drafts = [
        one for drill in (False, True) for one in alerts.listing(session(), drill=drill, state=State.DRAFT, most=MOST)
    ]
    drills = alerts.live(session(), now, drill=True)
    notices = notice_search.waiting(session(), MOST)
    values = {"sight": alert_sight, "notice_sight": notice_sight, "Act": Act, "State": State, "notices": notices}
    return render_template("console/dashboard.html", live=live, drills=drills, waiting=waiting, drafts=drafts, **values)


@desk.route("")
def root() -> ResponseReturnValue:
    """The address people type."""
    return redirect(url_for("console.dashboard"), 302)
