"""GeoJSON features one after the other, with the line on which each starts (RFC 7946)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from geo.opendata.faults import OpenDataError

_SPACE = re.compile(r"[ \t\r\n]*")
# Longitude and latitude on these differ from WGS 84 by less than a metre; any other system is refused.
_KNOWN_CRS = re.compile(r"CRS84|EPSG:+(?:4326|6668|4612|4019)$")


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: the line it starts on, its properties, its geometry as it stands."""

    line: int
    properties: dict[str, Any]
    geometry: Any


def is_json(text: str) -> bool:
    """True when the text begins as a JSON object or array does."""
    return text.lstrip("\ufeff \t\r\n")[:1] in ("{", "[")


def features(text: str) -> Iterator[Feature]:
    """The features of a FeatureCollection, without holding the decoded file at once.

    Raises `OpenDataError` with the line when the text is cut off, is no GeoJSON, or is in a
    coordinate system other than longitude and latitude. What is wrong with a single geometry is
    left to whoever reads it.
    """
    return _Walk(text).features()


class _Walk:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = len(text) - len(text.lstrip("\ufeff"))
        self.line = 1
        self.counted = 0  # newlines are counted up to here
        self.decoder = json.JSONDecoder()

    def features(self) -> Iterator[Feature]:
        self.expect("{", "GeoJSONのFeatureCollectionではありません")
        found = False
        kind: Any = None
        more = not self.taken("}")
        while more:
            name = self.value()
            if not isinstance(name, str):
                raise self.fault("not_json", "JSONとして読めません")
            self.expect(":", "JSONとして読めません")
            if name == "features":
                found = True
                self.expect("[", "featuresが配列ではありません")
                yield from self.members()
            else:
                value = self.value()
                if name == "type":
                    kind = value
                elif name == "crs":
                    self.check_crs(value)
            more = self.another("}")
        if self.at < len(self.text):
            raise self.fault("not_json", "ファイルの終わりに余分な文字があります")
        if kind != "FeatureCollection" or not found:
            raise OpenDataError("not_geojson", "GeoJSONのFeatureCollectionではありません")

    def members(self) -> Iterator[Feature]:
        more = not self.taken("]")
        while more:
            line = self.line_here()
            value = self.value()
            properties = value.get("properties") if isinstance(value, dict) else None
            if not isinstance(value, dict) or value.get("type") != "Feature":
                raise OpenDataError("not_geojson", "featuresの要素がFeatureではありません", line=line)
            yield Feature(line, properties if isinstance(properties, dict) else {}, value.get("geometry"))
            more = self.another("]")

    def value(self) -> Any:
        self.skip()
        try:
            value, self.at = self.decoder.raw_decode(self.text, self.at)
        except (ValueError, RecursionError) as error:  # ValueError: also an integer of thousands of digits
            self.at = getattr(error, "pos", self.at)
            unclosed = getattr(error, "msg", "").startswith("Unterminated string")
            cut = unclosed or self.at >= len(self.text.rstrip())
            reason = "ファイルが途中で切れています" if cut else "JSONとして読めません"
            raise self.fault("truncated" if cut else "not_json", reason) from error
        self.skip()
        return value

    def taken(self, mark: str) -> bool:
        self.skip()
        if self.text[self.at : self.at + 1] != mark:
            return False
        self.at += 1
        self.skip()
        return True

    def another(self, end: str) -> bool:
        if self.taken(","):
            return True
        self.expect(end, "JSONとして読めません")
        return False

    def expect(self, mark: str, reason: str) -> None:
        if not self.taken(mark):
            cut = self.at >= len(self.text)
            raise self.fault("truncated" if cut else "not_json", "ファイルが途中で切れています" if cut else reason)

    def skip(self) -> None:
        match = _SPACE.match(self.text, self.at)
        if match is not None:
            self.at = match.end()

    def line_here(self) -> int:
        self.skip()
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def fault(self, code: str, reason: str) -> OpenDataError:
        return OpenDataError(code, reason, line=self.text.count("\n", 0, self.at) + 1)

    def check_crs(self, crs: Any) -> None:
        properties = crs.get("properties") if isinstance(crs, dict) else None
        name = properties.get("name") if isinstance(properties, dict) else None
        if crs is not None and not (isinstance(name, str) and _KNOWN_CRS.search(name)):
            raise self.fault("unknown_crs", f"緯度経度（WGS 84、JGD2011）ではない座標系です: {str(name)[:60]}")
