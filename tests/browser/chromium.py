"""Finds a Chromium for the suite, and gets one where none is found: `python tests/browser/chromium.py`.

Looked at in turn: the program that TESTS_CHROMIUM names, what an earlier call put into .cache, the usual names on the
PATH, the usual places. Getting one changes nothing outside this folder and needs no root: on Debian the packages are
fetched by apt and only unpacked; elsewhere Playwright fetches the build that it was made for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "TESTS_CHROMIUM"
UNPACKED = ROOT / ".cache" / "chromium"
FETCHED = ROOT / ".cache" / "playwright"
ON_THE_PATH = (
    "chromium", "chromium-browser", "chromium-headless-shell", "google-chrome-stable", "google-chrome",
    "microsoft-edge-stable", "microsoft-edge",
)  # fmt: skip
PLACES = tuple(
    f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Chromium", "Google Chrome", "Microsoft Edge")
)
# The first is the second without a window; older releases have only the second.
PACKAGES = ("chromium-headless-shell", "chromium")
FONT = "fonts-ipafont-gothic"
PATIENCE_S = 600


class NoBrowser(Exception):
    """There is none, or the one that was named does not run."""


def find() -> Path:
    """The first Chromium that says its version; raises NoBrowser."""
    named = os.environ.get(VARIABLE)
    if named:
        if not runs(Path(named)):
            raise NoBrowser(f"{VARIABLE} names {named}, which does not run")
        return Path(named)
    for path in candidates():
        if runs(path):
            return path
    raise NoBrowser(f"no Chromium was found; {VARIABLE}=/path/to/it names one, `tasks.py setup --test` gets one")


def candidates() -> Iterator[Path]:
    """Where one may be."""
    yield UNPACKED / "run"
    yield from (Path(found) for name in ON_THE_PATH if (found := shutil.which(name)))
    yield from (Path(place) for place in PLACES)
    for name in ("chrome-headless-shell", "headless_shell", "chrome"):
        yield from sorted(FETCHED.glob(f"*/*/{name}"))


def runs(path: Path) -> bool:
    """Whether this program starts and says its version: a snap's place-holder, say, does not."""
    if not path.is_file():
        return False
    try:
        said = subprocess.run([path, "--version"], capture_output=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return said.returncode == 0 and re.search(rb"\d+\.\d+", said.stdout) is not None


def get() -> Path:
    """Puts one into .cache; raises NoBrowser with what was tried."""
    tried = []
    for way in (unpack, fetch):
        try:
            way()
            return find()
        except NoBrowser as reason:
            tried.append(str(reason))
    raise NoBrowser("; ".join(tried))


def unpack(packages: tuple[str, ...] = PACKAGES) -> None:
    """By apt, with lists and archives of its own in .cache, so that no root is needed: fetched, unpacked, not
    installed."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise NoBrowser("apt is not here")
    shutil.rmtree(UNPACKED, ignore_errors=True)
    for folder in ("lists/partial", "archives/partial", "root"):
        (UNPACKED / folder).mkdir(parents=True)
    print("Fetching a Chromium by apt into .cache/chromium …", flush=True)
    apt("--error-on=any", "update")
    wanted: list[str] = []
    for name in packages:
        # What this machine lacks for it, and nothing else.
        said = apt("--simulate", "--no-install-recommends", "install", name, FONT, must=False)
        wanted = [f"{name}={version}" for name, version in re.findall(r"^Inst (\S+) (?:\[.*?\] )?\((\S+)", said, re.M)]
        if wanted:
            break
    if not wanted:
        raise NoBrowser(f"apt knows none of {', '.join(packages)}")
    apt("download", *wanted, folder="archives")
    root = UNPACKED / "root"
    for archive in sorted((UNPACKED / "archives").glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", archive, root], check=True)
    programs = [path for name in PACKAGES for path in root.glob(f"usr/lib/*/{name}") if path.is_file()]
    if not programs:
        raise NoBrowser("the packages of apt hold no Chromium")  # Ubuntu's only point to a snap
    libraries = {path.parent for path in root.rglob("*.so*") if "usr/lib/chromium" not in path.as_posix()}
    write(programs[0], sorted(libraries))
    for folder in ("lists", "archives"):
        shutil.rmtree(UNPACKED / folder)
    if not runs(UNPACKED / "run"):
        raise NoBrowser("the Chromium of apt does not run here without being installed")


def write(program: Path, libraries: list[Path]) -> None:
    """The script that starts an unpacked Chromium with its libraries and fonts."""
    fonts = [UNPACKED / "root/usr/share/fonts", Path("/usr/share/fonts"), Path("/usr/local/share/fonts")]
    (UNPACKED / "fonts.conf").write_text(
        "<fontconfig>" + "".join(f"<dir>{one}</dir>" for one in fonts) + f"<cachedir>{UNPACKED / 'fonts'}</cachedir>"
        "</fontconfig>\n"
    )
    script = UNPACKED / "run"
    script.write_text(
        "#!/bin/sh\n"
        f"export LD_LIBRARY_PATH='{os.pathsep.join(map(str, libraries))}'\n"
        f"export FONTCONFIG_FILE='{UNPACKED / 'fonts.conf'}'\n"
        f"exec '{program}' \"$@\"\n"
    )
    script.chmod(0o755)


def apt(*words: str, folder: str = "", must: bool = True) -> str:
    """What apt-get says; its own state stays in .cache, only the list of installed packages is the machine's."""
    own = {
        "Dir::State::lists": UNPACKED / "lists", "Dir::Cache": UNPACKED, "Dir::Cache::archives": UNPACKED / "archives",
        "Debug::NoLocking": "1", "APT::Sandbox::User": "", "Acquire::Languages": "none", "Acquire::Retries": "3",
    }  # fmt: skip
    options = [word for name, value in own.items() for word in ("-o", f"{name}={value}")]
    done = subprocess.run(
        ["apt-get", "--quiet", "--yes", *options, *words], cwd=UNPACKED / folder, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    if done.returncode and must:
        raise NoBrowser(f"apt-get {words[-1] if len(words) < 3 else words[0]}: {done.stdout.strip()[-300:]}")
    return "" if done.returncode else done.stdout


def fetch() -> None:
    """By Playwright's own installer, for systems without apt."""
    print("Fetching a Chromium by Playwright into .cache/playwright …", flush=True)
    command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
    done = subprocess.run(
        command, env={**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(FETCHED)}, text=True, errors="replace",
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S, check=False,
    )  # fmt: skip
    if done.returncode:
        last = (done.stdout.strip().splitlines() or [""])[-1]
        raise NoBrowser(f"Playwright could not fetch one: {last[:300]}")


def main() -> int:
    """Says which one the suite will use; never fails, since the tests themselves say that they were skipped."""
    try:
        print(f"Chromium for the suite: {find()}", flush=True)
        return 0
    except NoBrowser:
        pass
    try:
        print(f"Chromium for the suite: {get()}", flush=True)
    except (NoBrowser, OSError, subprocess.SubprocessError) as reason:
        print(f"No Chromium for the suite, its tests of the console's pages will be skipped: {reason}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
