"""The front door: a small page that says whose server this is, until the residents' pages move in."""

from __future__ import annotations

from flask import Flask, render_template

from backend.config import settings


def register(app: Flask) -> None:
    """Adds `/`."""
    app.add_url_rule("/", "landing", page)


def page() -> str:
    """Names the city and links what can be read."""
    city = settings()
    return render_template("landing.html", city=city.city_name, city_en=city.city_name_en or city.city_name)
