"""A private network and mount namespace: the provider's names lead to this machine, and nothing can leave it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.provider import PROVIDER_NAMES, Missing

INSIDE = "BENCHMARK_NAMESPACE"


def enter() -> None:
    """Starts this very program again inside, and ends with its code; returns at once when it is inside already.

    Raises Missing when the machine does not allow it.
    """
    if os.environ.get(INSIDE):
        return
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        raise Missing("unshare (util-linux) and ip (iproute2) are needed here")
    # Without root the kernel may allow it to a user who is root inside only.
    command = ["unshare", "--mount", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    if subprocess.run([*command, "true"], capture_output=True, check=False).returncode:
        raise Missing("this machine allows no private namespace (unshare --mount --net): run as root, or elsewhere")
    with tempfile.NamedTemporaryFile("w", prefix="yobikake-hosts-") as hosts:
        hosts.write(f"127.0.0.1 localhost {' '.join(PROVIDER_NAMES)}\n")
        hosts.flush()
        script = 'ip link set lo up && mount --bind "$1" /etc/hosts && shift && exec "$@"'
        program = [sys.executable, str(Path(sys.argv[0]).resolve()), *sys.argv[1:]]
        done = subprocess.run(
            [*command, "sh", "-c", script, "sh", hosts.name, *program], env={**os.environ, INSIDE: "1"}
        )
    raise SystemExit(done.returncode)
