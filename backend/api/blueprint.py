"""The blueprint of every resource: flask-smorest's, reading bodies strictly."""

from __future__ import annotations

import flask_smorest

from backend.api.body import Parser


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """Use it as `blp = Blueprint("shelters", __name__, url_prefix="/v1", description="…")`.

    A body that is no JSON, too deep or of another type is a problem before any schema sees it; a field
    that the schema does not know is refused by its name; what a schema refuses is a 422 with `errors`.
    """

    ARGUMENTS_PARSER = Parser()
