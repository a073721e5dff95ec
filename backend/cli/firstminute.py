"""The README's first minute: shown by the demonstration with its keys filled in, and performed by the suite."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from content.editors import Role

README = Path(__file__).resolve().parents[2] / "README.md"
TOKEN = "pretend-phone-0001"  # noqa: S105 - the token of a phone that does not exist
MARK = "<!-- first minute -->"
RENEW = ".venv/bin/yobikake staff key"


def commands(readme: str | None = None) -> str:
    """The commands between the README's marks, as one script. Raises ValueError when they cannot be found."""
    text = README.read_text(encoding="utf-8") if readme is None else readme
    parts = text.split(MARK)
    blocks = re.findall(r"^```sh\n(.*?)^```$", parts[1] if len(parts) == 3 else "", re.MULTILINE | re.DOTALL)
    if not blocks:
        raise ValueError(f"README.md has no commands between two {MARK}")
    return "\n".join(blocks)


def settings(city: str, phones: str, keys: Mapping[Role, str]) -> str:
    """The variables that the commands use, as shell assignments."""
    missing = "yks_…"
    return "\n".join(
        (
            f"CITY={city}",
            f"PHONES={phones}",
            f"AUTHOR={keys.get(Role.AUTHOR, missing)}",
            f"APPROVER={keys.get(Role.APPROVER, missing)}",
        )
    )


def script(city: str, phones: str, keys: Mapping[Role, str]) -> str:
    """Everything to paste: variables, then commands."""
    return f"{settings(city, phones, keys)}\n{commands()}"


def welcome(city: str, phones: str, keys: Mapping[Role, str], links: Mapping[Role, str] | None = None) -> str:
    """What is printed when all is up. `links`: ways into the console, each good once."""
    lost = (
        "The keys were printed on the first run and are stored only hashed. New ones:\n"
        f"  {RENEW} '見本 起案者'\n  {RENEW} '見本 承認者'"
    )
    both = {Role.AUTHOR, Role.APPROVER} <= keys.keys()
    given = "The keys below are printed this once and stored only hashed." if both else lost
    return f"""
見本市 is up. Ctrl-C stops everything.
  city            {city}/
  documentation   {city}/docs
  pretend phones  {phones}/
  console         {city}/console
{_doors(links or {})}
{given}

The first minute, to paste into another terminal:

{script(city, phones, keys)}
"""


def _doors(links: Mapping[Role, str]) -> str:
    if not links:
        return "  (both people of the sample set their passwords; a new link: .venv/bin/yobikake staff invite NAME)"
    lines = [f"    as {role.value:9} {link}" for role, link in links.items()]
    return "\n".join(
        (
            "  City hall's side, each link once: set a password and an authenticator app, in two browsers",
            "  (or one private window); without a phone: .venv/bin/yobikake authenticator KEY-FROM-THE-PAGE",
            *lines,
        )
    )
