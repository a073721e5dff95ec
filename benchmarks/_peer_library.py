"""A peer of the sending benchmark: firebase-admin's own `send_each`, 500 messages a call, one call after another.

Called with a JSON file (credentials, project, bodies, tokens); prints {"accepted", "cpu_s"}. The messages are made
before the clock starts, so that only sending is measured. Runs where the provider's names lead to this machine.
"""

from __future__ import annotations

import copy
import json
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import firebase_admin
from firebase_admin import credentials, messaging

from benchmarks._machine import own_s
from notifications.channels.fcm.rebuilt import rebuild

CALL = 500


def main() -> None:
    """Sends them all."""
    warnings.simplefilter("ignore")
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    firebase_admin.initialize_app(credentials.Certificate(task["credentials"]), {"projectId": task["project"]})
    kinds = [rebuild(body.encode()) for body in task["bodies"]]
    made = []
    for number, token in enumerate(task["tokens"]):
        message = copy.copy(kinds[number % len(kinds)])
        message.token = token
        made.append(message)
    messaging.send_each(made[:1])  # access token and connection
    began = own_s()
    accepted = sum(messaging.send_each(made[at : at + CALL]).success_count for at in range(0, len(made), CALL))
    print(json.dumps({"accepted": accepted, "cpu_s": own_s() - began}))


if __name__ == "__main__":
    main()
