"""Examples in the API's description: an answer and a body for every operation, made of the examples of their fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_JSON = "application/json"
_METHODS = ("get", "put", "post", "patch", "delete")

# For fields that have no example of their own, by name.
_TEXTS = {
    "title": "年末年始のごみ収集", "body": "12月31日から1月3日まで、ごみの収集を休みます。",
    "text": "安全な所へ逃げてください。",
    "name": "見本市", "name_kana": "ミホンシ", "name_en": "Mihon City", "language": "ja", "lang": "ja",
    "id": "q7oV3x0mS1yJ8fQm2b4K9A", "thread": "PoIgJQiZ_CTpJLhR3dXF1A", "source": "sample", "licence": "CC BY 4.0",
    "url": "https://push.city.example.jp/v1/notices/q7oV3x0mS1yJ8fQm2b4K9A", "link": "https://www.city.example.jp/",
    "phone": "022-000-0000", "address": "見本市中央区本町1-1", "note": "体育館のみ", "reason": "区域の名が誤っています",
    "detail": "There is nothing with this id.", "topic": "garbage", "slug": "garbage", "parent": "notices",
    "area_name": "浜区", "by": "見本 承認者", "content_hash": "4f" * 32, "state": "published", "kind": "notice",
    "act": "order", "action": "submit", "from_state": "draft", "to_state": "submitted", "hazard": "flood",
    "category": "子育て", "audience": "1歳～2歳", "organiser": "見本市", "place_name": "見本中央児童館",
    "description": "大雨や津波のときの避難の情報", "why": "毎週月曜日", "reading": "ミホン", "platform": "android",
    "message_id": "u0f5YWuDsj6ApWfL_I8BmQ", "status": "open",
    "outcome": "accepted", "code": "04993", "message": "見本市からのお知らせ", "cell": "57403629431",
    "secret": "yd_…", "next": "WzEyXQ", "cursor": "WzEyXQ",
}  # fmt: skip
_NUMBERS = {"level": 4, "lat": 38.23, "lon": 140.965, "limit": 50}
_FORMATS = {
    "date-time": "2026-11-21T18:00:00+09:00", "date": "2026-11-21", "time": "19:00:00",
    "uri": "https://www.city.example.jp/", "binary": "",
}  # fmt: skip
_POLYGON = {
    "type": "Polygon",
    "coordinates": [[[140.93, 38.23], [140.944, 38.23], [140.944, 38.24], [140.93, 38.24], [140.93, 38.23]]],
}
_MAPS: Mapping[str, Any] = {"geometry": _POLYGON, "hull": _POLYGON, "polygon": _POLYGON, "minus_polygon": _POLYGON}
_BY_LANGUAGE = ("names", "texts", "titles", "area_names", "correction", "about", "descriptions")


def add(document: dict[str, Any]) -> None:
    """Puts an example beside every body of an OpenAPI document that has none, in place."""
    schemas = document.get("components", {}).get("schemas", {})
    for operation in operations(document):
        bodies = [answer.get("content", {}) for code, answer in operation["responses"].items() if code[:1] == "2"]
        bodies.append(operation.get("requestBody", {}).get("content", {}))
        for body in bodies:
            media = body.get(_JSON)
            if media is not None and "example" not in media and "schema" in media:
                media["example"] = of(media["schema"], schemas)


def operations(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of a document."""
    for path in document["paths"].values():
        yield from (path[method] for method in _METHODS if method in path)


def of(schema: Schema, schemas: Mapping[str, Schema], name: str = "", above: tuple[str, ...] = ()) -> Any:
    """An example of a schema: its own, or one made of its members'. A schema inside itself ends as nothing."""
    if "$ref" in schema:
        known = schema["$ref"].rsplit("/", 1)[1]
        return None if known in above else of(schemas[known], schemas, name, (*above, known))
    if "example" in schema:
        return schema["example"]
    if "enum" in schema:
        return next(one for one in schema["enum"] if one is not None)
    for parts in ("allOf", "anyOf", "oneOf"):
        if parts in schema:
            plain = [one for one in schema[parts] if one.get("type") != "null"]
            return of(plain[0], schemas, name, above)
    kinds = schema.get("type", "object")
    kind = next((one for one in kinds if one != "null"), "null") if isinstance(kinds, list) else kinds
    if kind != kinds and name not in _TEXTS:
        return None  # what may be absent mostly is
    match kind:
        case "array":
            inner = of(schema.get("items", {}), schemas, name.removesuffix("s"), above)
            return [] if inner is None else [inner]
        case "object":
            return _object(schema, schemas, name, above)
        case "integer" | "number":
            return _NUMBERS.get(name, max(1, schema.get("minimum", 1)))
        case "boolean":
            return bool(schema.get("default", False))
        case "string":
            return _FORMATS.get(schema.get("format", "")) or _TEXTS.get(name, "見本")
    return None


def _object(schema: Schema, schemas: Mapping[str, Schema], name: str, above: tuple[str, ...]) -> Any:
    if name in _MAPS:
        return _MAPS[name]
    if "properties" in schema:
        return {member: of(inner, schemas, member, above) for member, inner in schema["properties"].items()}
    inside = schema.get("additionalProperties")
    if isinstance(inside, Mapping) and inside:
        key = "ja" if name in _BY_LANGUAGE or name.startswith("by_language") else "見本"
        return {key: of(inside, schemas, name.removesuffix("s"), above)}
    return {}
