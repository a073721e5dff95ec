"""The first page: what is in force now, what waits for whom."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from backend.console.door import desk, page


@page("/")
def dashboard() -> ResponseReturnValue:
    """What matters now."""
    return render_template("console/dashboard.html")


@desk.route("")
def root() -> ResponseReturnValue:
    """The address people type."""
    return redirect(url_for("console.dashboard"), 302)
