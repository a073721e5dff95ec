"""What is committed holds no secret, no private path and no address of a package registry."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.tables import ROOT

# Written in pieces, so that this file does not find itself.
PRIVATE = {
    "a private key": "-----BEGIN [A-Z ]*PRIVATE" + " KEY-----\\\\?n?[A-Za-z0-9+/]{40}",
    "a key of city hall": "yks" + "_[a-z2-7]{40,}",
    "a key of Google": "AIza" + "[0-9A-Za-z_-]{35}",
    "a token of GitHub": "gh[pousr]" + "_[0-9A-Za-z]{30,}",
    "a password in a URL": "://[^/\\s:@'\"{}<>$…]+:(?!(?:PASSWORD|password)@)[^/\\s:@'\"{}<>$…]+" + "@",
    "a path of somebody's machine": "(?<![\\w.~-])/(?:work|root|home|Users)" + "/[a-z]",
    "the host of a registry": "(?:py" + "pi\\.org|python" + "hosted\\.org|npm" + "js\\.(?:org|com)|deb" + "ian\\.org)",
}


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode:
        pytest.skip("not a git checkout, so nothing is tracked")
    return [name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("what", PRIVATE)
def test_nothing_private_is_tracked(what: str) -> None:
    pattern = re.compile(PRIVATE[what])
    found = []
    for name in tracked():
        if what == "a password in a URL" and name.startswith("tests/"):
            continue  # invented ones, to show that they are hidden
        text = (ROOT / name).read_bytes().decode("utf-8", errors="ignore")
        found += [f"{name}: {hit[0][:60]}" for hit in pattern.finditer(text)]
    assert found == []


def test_no_lock_file_that_names_hosts() -> None:
    assert {"uv.lock", "poetry.lock", "Pipfile.lock"}.isdisjoint(tracked())
    for name in ("run", "test"):
        assert "://" not in (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")


def test_nothing_that_belongs_to_one_machine_is_tracked() -> None:
    private = re.compile(r"(^|/)(\.venv|\.env|data|__pycache__|\.coverage.*|.*\.(sqlite|db|pyc|log))(/|$)")
    assert [name for name in tracked() if private.search(name)] == []
