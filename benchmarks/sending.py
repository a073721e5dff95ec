"""How fast each sender hands over to the stand-in, and how long a push takes to encode.

Sender and stand-in run side by side on this machine, so rates are of both together; the processor time of each is
told apart. The stand-in speaks HTTP/1.1: against the provider libcurl multiplexes over HTTP/2 and is faster still.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from notifications.channels.fcm import FcmChannel, open_channel
from notifications.channels.promise import Outcome, Push, Urgency
from notifications.channels.standin.account import FILE_NAME

STAND_IN = "import backend.cli.standin as standin; standin.command()"


def a_push(number: int) -> Push:
    """An evacuation order of the usual size, in one of many groups."""
    return Push(
        message_id="m" * 22,
        thread="t" * 22,
        kind="alert",
        title="【警戒レベル4・避難指示】見本市川端町 洪水",
        body="危険な場所から全員避難してください。川の水があふれるおそれがあります。" * 2,
        language="ja",
        platform="android",
        urgency=Urgency.TIME_SENSITIVE,
        channel_id="critical_life",
        expires_at=dt.datetime.now(dt.UTC) + dt.timedelta(hours=6),
        link="https://push.mihon.example/v1/alerts/b7KdP4nH6fJ0aXq3Ue9sMg",
        data={
            "level": "4",
            "hazard": "flood",
            "shelters": f'[{{"id":{number},"name":"川端小学校","lat":38.2601,"lon":140.8821,"about_m":400}}]' * 3,
        },
    )


def processor_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def own_s() -> float:
    """The same of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def measure(channel: FcmChannel, pid: int, count: int, step: int, groups: int) -> str:
    """One row of the table."""
    bodies = [channel.encode(a_push(number), dt.datetime.now(dt.UTC)) for number in range(groups)]
    tokens = [f"{number:010d}abcdefghijkl:APA91b{'x' * 134}" for number in range(count)]
    channel.hand_over(bodies[0], ["warm"])
    start, own, other = time.perf_counter(), own_s(), processor_s(pid)
    accepted = 0
    for first in range(0, count, step):
        part = tokens[first : first + step]
        results = channel.hand_over_each([bodies[(first + n) % groups] for n in range(len(part))], part)
        accepted += sum(result.outcome is Outcome.ACCEPTED for result in results)
    took = time.perf_counter() - start
    mine, theirs = (own_s() - own) / count * 10_000, (processor_s(pid) - other) / count * 10_000
    return (
        f"| {channel.sender} | {step} | {groups} | {accepted / took:,.0f} | {mine:.2f} | {theirs:.2f} "
        f"| {accepted:,} of {count:,} |"
    )


def main() -> None:
    """Prints a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="messages of the fast sender; a fifth of the slow")
    count = parser.parse_args().count
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", STAND_IN, "--port", "0", "--state-dir", folder]
        root = str(Path(__file__).resolve().parents[1])
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": root}
        ) as stand_in:
            assert stand_in.stdout is not None
            url = stand_in.stdout.readline().split()[1].rstrip("/")
            print("| sender | recipients a step | groups | messages/s | CPU s per 10,000 | of the stand-in | taken |")
            print("|---|---|---|---|---|---|---|")
            try:
                for sender, step, groups in (("curl", 50, 1), ("curl", 50, 50), ("curl", 500, 1), ("library", 50, 1)):
                    channel = open_channel(credentials=Path(folder) / FILE_NAME, endpoint=url, sender=sender)  # type: ignore[arg-type]
                    print(measure(channel, stand_in.pid, count if sender == "curl" else count // 5, step, groups))
                    channel.close()
                channel = open_channel(credentials=Path(folder) / FILE_NAME, endpoint=url)
                start = time.perf_counter()
                for number in range(1_000):
                    channel.encode(a_push(number), dt.datetime.now(dt.UTC))
                print(f"\nEncoding one group: {(time.perf_counter() - start) * 1_000:,.0f} µs")
                channel.close()
            finally:
                stand_in.terminate()


if __name__ == "__main__":
    main()
