"""The blueprint of every resource: flask-smorest's, reading bodies strictly."""

from __future__ import annotations

from typing import Any

import flask_smorest

from backend.api.body import Parser


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """Use it as `blp = Blueprint("shelters", __name__, url_prefix="/v1", description="…")`.

    A body that is no JSON, too deep or of another type is a problem before any schema sees it; a field
    that the schema does not know is refused by its name; what a schema refuses is a 422 with `errors`.
    """

    ARGUMENTS_PARSER = Parser()

    def _prepare_arguments_doc(self, doc: Any, doc_info: dict[str, Any], **kwargs: Any) -> Any:
        """Documents a file with form fields as one multipart body: OpenAPI 3 has one, flask-smorest would make two."""
        parameters = doc_info.get("arguments", {}).get("parameters", [])
        parts = [parameter for parameter in parameters if parameter["in"] in ("files", "form")]
        if len(parts) > 1:
            schemas = [part["schema"] if isinstance(part["schema"], type) else type(part["schema"]) for part in parts]
            both = type("And".join(schema.__name__ for schema in schemas), tuple(schemas), {})
            for part in parts[1:]:
                parameters.remove(part)
            parts[0].update(schema=both, content_type="multipart/form-data")
        return super()._prepare_arguments_doc(doc, doc_info, **kwargs)
