"""Lists inside JSON files, each element with the line on which it starts."""

from __future__ import annotations

import json
import re
from bisect import bisect
from typing import Any

from geo.opendata.faults import OpenDataError

Element = tuple[int, Any]
_BLANK = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


class JsonText:
    """A JSON document read piece by piece. Raises `OpenDataError` with the line where it breaks."""

    def __init__(self, text: str) -> None:
        self.text = text.removeprefix("\ufeff")
        self._starts = [0] + [found.end() for found in re.finditer("\n", self.text)]
        self._at = 0

    def elements(self) -> list[Element]:
        """The elements of the list that the whole document is."""
        found = self._list()
        self._end()
        return found

    def members(self) -> dict[str, tuple[int, list[Element] | Any]]:
        """The members of the object that the whole document is: lists with their lines, other values as they are."""
        found: dict[str, tuple[int, list[Element] | Any]] = {}
        self._take("{")
        while self._peek() != "}":
            if found:
                self._take(",")
            self._peek()
            line, key = self._value()
            if not isinstance(key, str) or key in found:
                raise OpenDataError("not_json", "項目の名前が正しくないか、二度あります", line=line)
            self._take(":")
            found[key] = (line, self._list()) if self._peek() == "[" else self._value()
        self._take("}")
        self._end()
        return found

    def _list(self) -> list[Element]:
        found: list[Element] = []
        self._take("[")
        while self._peek() != "]":
            if found:
                self._take(",")
            self._peek()
            found.append(self._value())
        self._take("]")
        return found

    def _value(self) -> Element:
        line = self._line()
        try:
            value, self._at = _DECODER.raw_decode(self.text, self._at)
        except (ValueError, RecursionError) as error:
            raise OpenDataError("not_json", f"JSONとして読めません（{error}）", line=line) from None
        return line, value

    def _peek(self) -> str:
        found = _BLANK.match(self.text, self._at)
        self._at = found.end() if found else self._at
        return self.text[self._at : self._at + 1]

    def _take(self, char: str) -> None:
        if self._peek() != char:
            raise OpenDataError("not_json", f"JSONとして読めません（「{char}」がありません）", line=self._line())
        self._at += 1

    def _end(self) -> None:
        if self._peek():
            raise OpenDataError("not_json", "JSONの後に余分な文字があります", line=self._line())

    def _line(self) -> int:
        return bisect(self._starts, self._at)
