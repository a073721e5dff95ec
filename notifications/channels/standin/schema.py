"""Strict checking of JSON against the provider's published schema: every unknown field and wrong type is named."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from notifications.channels.standin.refusal import Violation

Found = list[Violation]
Check = Callable[[str, object, Found], None]

_CAMEL = re.compile(r"_([a-z])")
_DURATION = re.compile(r"-?\d{1,12}(\.\d{1,9})?s")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


def add(found: Found, path: str, reason: str) -> None:
    """Notes a fault."""
    found.append(Violation(path, reason))


def text(pattern: str | None = None, *, longest: int | None = None, reason: str = "malformed") -> Check:
    """A string; with a pattern the whole of it must match; `longest` in UTF-8 bytes."""
    compiled = re.compile(pattern) if pattern else None

    def check(path: str, value: object, found: Found) -> None:
        if not isinstance(value, str):
            add(found, path, "must be a string (TYPE_STRING)")
        elif compiled is not None and not compiled.fullmatch(value):
            add(found, path, reason)
        elif longest is not None and len(value.encode()) > longest:
            add(found, path, f"longer than {longest} bytes")

    return check


def boolean(path: str, value: object, found: Found) -> None:
    """true or false."""
    if not isinstance(value, bool):
        add(found, path, "must be true or false (TYPE_BOOL)")


def number(lowest: float | None = None, highest: float | None = None, *, whole: bool = False) -> Check:
    """A number within limits."""

    def check(path: str, value: object, found: Found) -> None:
        if isinstance(value, bool) or not isinstance(value, int | float) or (whole and value != int(value)):
            add(found, path, "must be a whole number (TYPE_INT32)" if whole else "must be a number (TYPE_DOUBLE)")
        elif (lowest is not None and value < lowest) or (highest is not None and value > highest):
            add(found, path, f"must be from {lowest} to {highest}")

    return check


def one_of(*names: str, any_case: bool = False) -> Check:
    """One of the names of an enumeration."""
    allowed = frozenset(names)

    def check(path: str, value: object, found: Found) -> None:
        if not isinstance(value, str) or (value.upper() if any_case else value) not in allowed:
            add(found, path, f"must be one of {', '.join(names)} (TYPE_ENUM)")

    return check


def duration(longest_s: int) -> Check:
    """Seconds as text with an s, `3600s`, from 0 to `longest_s`."""

    def check(path: str, value: object, found: Found) -> None:
        if not isinstance(value, str) or not _DURATION.fullmatch(value):
            add(found, path, "must be seconds with an s, such as 3600s (google.protobuf.Duration)")
        elif not 0 <= float(value[:-1]) <= longest_s:
            add(found, path, f"must be from 0s to {longest_s}s")

    return check


def timestamp(path: str, value: object, found: Found) -> None:
    """An RFC 3339 time."""
    if not isinstance(value, str) or not _TIMESTAMP.fullmatch(value):
        add(found, path, "must be an RFC 3339 time (google.protobuf.Timestamp)")


def struct(path: str, value: object, found: Found) -> None:
    """Any JSON object."""
    if not isinstance(value, dict):
        add(found, path, "must be an object (google.protobuf.Struct)")


def strings(keys: Check | None = None, values: Mapping[str, Check] | None = None) -> Check:
    """An object of strings; `keys` checks each name, `values` the values of known names (in lower case)."""

    def check(path: str, value: object, found: Found) -> None:
        if not isinstance(value, dict):
            add(found, path, "must be an object of strings (TYPE_MAP)")
            return
        for name, entry in value.items():
            place = f"{path}[{name}]"
            if keys is not None:
                keys(place, name, found)
            if not isinstance(entry, str):
                add(found, place, "must be a string (TYPE_STRING)")
            elif values is not None and (special := values.get(name.lower())) is not None:
                special(place, entry, found)

    return check


def many(check_one: Check) -> Check:
    """A list."""

    def check(path: str, value: object, found: Found) -> None:
        if not isinstance(value, list):
            add(found, path, "must be a list")
            return
        for index, entry in enumerate(value):
            check_one(f"{path}[{index}]", entry, found)

    return check


def fields(known: Mapping[str, Check], *, open_ended: bool = False) -> Check:
    """An object with known fields, by their own or their camelCase name; null is the same as absent."""
    accepted = {name: (name, check) for name, check in known.items()}
    accepted |= {_CAMEL.sub(lambda m: m[1].upper(), name): (name, check) for name, check in known.items()}

    def check(path: str, value: object, found: Found) -> None:
        if not isinstance(value, dict):
            add(found, path, "must be an object")
            return
        seen: set[str] = set()
        for given, entry in value.items():
            match = accepted.get(given)
            if match is None:
                if not open_ended:
                    add(found, path, f'Unknown name "{given[:80]}": Cannot find field.')
                continue
            name, check_one = match
            if name in seen:
                add(found, f"{path}.{name}", "given twice")
            seen.add(name)
            if entry is not None:
                check_one(f"{path}.{name}", entry, found)

    return check
