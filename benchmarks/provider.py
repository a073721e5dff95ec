"""A native provider on this machine: nginx speaking HTTP/2 over TLS, answering as FCM does, at once, late or badly.

By the project in the address: `now` answers at once, `ms100` and `ms300` after so many milliseconds, `storm` with
faults in proportion. A log has one line a request for a reader of its own: who was sent what, when and with which
answer. Certificates and keys are made anew for each run and are gone after it. Called by itself it shows that it works.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from notifications.channels.standin.account import EMAIL

ECHO = "ngx_http_echo_module.so"
MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")
PROVIDER_NAMES = ("fcm.googleapis.com", "oauth2.googleapis.com", "accounts.google.com", "iid.googleapis.com")
# How many milliseconds each takes. With a project a worker its messages can be told apart (w1 to w4).
PROJECTS = {"now": 0, "ms100": 100, "ms300": 300, "storm": 30, "w1": 100, "w2": 100, "w3": 100, "w4": 100}
_OK = r'{"name":"projects/p/messages/0:1763600000000000%aabbccddeeff0011"}'


class Missing(SystemExit):
    """A program that the measurement needs is not here."""


class Provider:
    """One nginx with its own folder, port, key and log. `with Provider(...) as provider:`."""

    def __init__(
        self, folder: Path, port: int, *, core: int | None = None, log: bool = True, faults: Sequence[str] = (),
        also_443: bool = False,
        prefix: Sequence[str] = (),
    ) -> None:  # fmt: skip
        """`faults`: lines of configuration that set `$fault` for the project `storm` (see `storm_faults`).

        `prefix`: a command that starts nginx elsewhere, in another network namespace.
        """
        self._prefix = list(prefix)
        self.folder, self.port, self.core = folder, port, core
        self.url = f"https://127.0.0.1:{port}"
        self.log = folder / "provider.log"
        self.ca_file, self.credentials = folder / "ca.pem", folder / "account.json"
        self._listens = [port, *([443] if also_443 else [])]
        self._logs, self._faults = log, faults
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Provider:
        self.folder.mkdir(parents=True, exist_ok=True)
        module = echo_module()
        if not self.credentials.exists():
            make_keys(self.folder, f"{self.url}/token")
        (self.folder / "nginx.conf").write_text(self._configuration(module))
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The master process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Begins to listen; returns when it does."""
        command = [shutil.which("nginx") or "nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        if self.core is not None:
            command = ["taskset", "-c", str(self.core), *command]
        command = [*self._prefix, *command]
        with (self.folder / "nginx.out").open("ab") as out:
            self._process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        deadline = time.monotonic() + 10
        while not (self.folder / "nginx.pid").exists() or not (self.folder / "nginx.pid").read_text().strip():
            if self._process.poll() is not None or time.monotonic() > deadline:
                words = (self.folder / "nginx.out").read_text(errors="replace")[-1500:]
                raise Missing(f"nginx did not start: {words}")
            time.sleep(0.01)

    def stop(self) -> None:
        """Ends it at once, with everything under way: to its clients an outage. What it answered is in the log."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._process = None
            (self.folder / "nginx.pid").unlink(missing_ok=True)

    def settings(self, project: str, **more: str) -> dict[str, str]:
        """The settings, without their prefix, by which a worker sends here."""
        return {
            "FCM_CREDENTIALS": str(self.credentials),
            "FCM_ENDPOINT": self.url,
            "FCM_CA_FILE": str(self.ca_file),
            "FCM_PROJECT": project,
            **more,
        }

    def _configuration(self, module: Path) -> str:
        listens = "\n".join(f"    listen 127.0.0.1:{port} ssl http2 backlog=4096;" for port in self._listens)
        access = f"access_log {self.log} hit buffer=256k flush=200ms;" if self._logs else "access_log off;"
        return _CONFIGURATION.format(
            module=module,
            folder=self.folder,
            listens=listens,
            faults="\n  ".join(self._faults or ('map "" $fault { default none; }',)),
            projects="\n".join(_project(name, late, access) for name, late in PROJECTS.items()),
            answers="\n".join(_answers(access)),
            ok=_OK,
            token=json.dumps({"access_token": "t" * 160, "expires_in": 3599, "token_type": "Bearer"}),
        )


def storm_faults(*, dead: float = 5, unavailable: float = 2, reset: float = 0.5, bursts: bool = True) -> list[str]:
    """Lines that set `$fault`: a share (per cent) of tokens is dead for ever, of requests refused or cut off by chance.

    Bursts come by the clock: for a second at :10 and :40 a fifth of the tokens hear 429 for themselves (Retry-After
    3), for a second at :25 everybody hears 429 for the whole project (Retry-After 5).
    """
    return [
        f'split_clients "$token" $dead {{ {dead}% dead; * -; }}',
        'split_clients "x$token" $busy { 20% busy; * -; }',
        f'split_clients "$request_id" $chance {{ {unavailable}% unavailable; {reset}% reset; * -; }}',
        'map $time_iso8601 $burst { default -; "~:(10|40)[+]" device; "~:25[+]" project; }'
        if bursts
        else 'map "" $burst { default -; }',
        'map "$burst,$busy,$dead,$chance" $fault {',
        "  default none; ~^project quota_project; ~^device,busy quota_device; ~,dead, unregistered;",
        "  ~,unavailable$ unavailable; ~,reset$ reset;",
        "}",
    ]


def echo_module() -> Path:
    """Where nginx keeps the module that waits and echoes. Raises Missing saying what to install."""
    if shutil.which("nginx") is not None:
        for folder in MODULES:
            if (Path(folder) / ECHO).exists():
                return Path(folder) / ECHO
    raise Missing("nginx with its echo module is needed here: apt-get install nginx-light libnginx-mod-http-echo")


def make_keys(folder: Path, token_uri: str) -> None:
    """A throw-away authority, a server certificate by it, and a service account that every sender takes for real.

    The account is of the stand-in's kind, so that our own channel takes it for loopback and refuses it for Google.
    """
    now = dt.datetime.now(dt.UTC)
    authority, server = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "throw-away authority of a measurement")])
    key_id = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())

    def certificate(name: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + dt.timedelta(days=2))

    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    root = (
        certificate(issuer, authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(key_id, critical=False)
        .sign(authority, hashes.SHA256())
    )
    names = [x509.DNSName(name) for name in PROVIDER_NAMES]
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    leaf = (
        certificate(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, PROVIDER_NAMES[0])]), server.public_key())
        .add_extension(x509.SubjectAlternativeName([*names, address]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_id), critical=False)
        .sign(authority, hashes.SHA256())
    )
    (folder / "ca.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    (folder / "server.pem").write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    (folder / "server.key").write_text(_pem(server))
    account = {
        "type": "service_account",
        "project_id": "now",
        "private_key_id": "k1",
        "private_key": _pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "client_email": EMAIL,
        "client_id": "1",
        "token_uri": token_uri,
    }
    (folder / "account.json").write_text(json.dumps(account))
    for secret in ("server.key", "account.json"):
        (folder / secret).chmod(0o600)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _project(name: str, late_ms: int, access: str) -> str:
    sleep = f"echo_sleep {late_ms / 1000:g}; " if late_ms else ""
    does = f"{sleep}echo_exec /fault/$fault;" if name == "storm" else f"{sleep}echo -n $ok;"
    return f"    location = /v1/projects/{name}/messages:send {{ {access} echo_read_request_body; {does} }}"


def _answers(access: str) -> list[str]:
    def refusal(code: int, status: str, fcm: str = "", more: str = "") -> str:
        typed = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": fcm}
        error = {"code": code, "message": "refused by the storm", "status": status}
        details = ([typed] if fcm else []) + ([json.loads(more)] if more else [])
        return json.dumps({"error": {**error, "details": details}})

    violation = {
        "@type": "type.googleapis.com/google.rpc.QuotaFailure",
        "violations": [{"subject": "project:storm", "description": "Message rate exceeded for the project"}],
    }
    made = {
        "none": f"{access} echo -n $ok;",
        "unregistered": f"{access} return 404 '{refusal(404, 'NOT_FOUND', 'UNREGISTERED')}';",
        "unavailable": f"{access} return 503 '{refusal(503, 'UNAVAILABLE', 'UNAVAILABLE')}';",
        "quota_device": f"{access} add_header Retry-After 3 always; "
        f"return 429 '{refusal(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED')}';",
        "quota_project": f"{access} add_header Retry-After 5 always; "
        f"return 429 '{refusal(429, 'RESOURCE_EXHAUSTED', 'QUOTA_EXCEEDED', json.dumps(violation))}';",
        "reset": f"{access} return 444;",
    }
    return [f"    location = /fault/{name} {{ internal; {does} }}" for name, does in made.items()]


_CONFIGURATION = r"""
load_module {module};
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  keepalive_requests 2000000000; keepalive_timeout 600s;
  http2_max_concurrent_streams 100; http2_recv_buffer_size 256k;
  client_body_buffer_size 16k; client_body_in_single_buffer on;
  client_header_timeout 600s; client_body_timeout 600s;
  default_type application/json;
  ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
  ssl_protocols TLSv1.2 TLSv1.3; ssl_session_cache shared:S:4m;
  map $request_uri $project {{ default "-"; "~^/v1/projects/(?<p>[^/]+)/" $p; }}
  map $request_body $token {{ default "-"; "~\"token\":\"(?<t>[^\"]+)\"" $t; }}
  map $request_body $message {{ default "-"; "~\"message_id\":\"(?<m>[^\"]+)\"" $m; }}
  {faults}
  log_format hit '$msec $request_time $status $project $token $message $fault $content_length';
  server {{
{listens}
    access_log off;
    set $ok '{ok}';
{projects}
{answers}
    location ~ ^/(o/oauth2/)?token$ {{ return 200 '{token}'; }}
    location / {{ return 404 '{{"error":{{"code":404,"message":"no such door","status":"NOT_FOUND"}}}}'; }}
  }}
}}
"""


def main() -> None:
    """Sends one message to each project and shows what the log says of it."""
    from benchmarks._machine import describe, say, table
    from benchmarks.sending import bodies
    from notifications.channels.fcm import open_channel
    from tests.stories.running import free_port

    with (
        tempfile.TemporaryDirectory(prefix="yobikake-provider-") as folder,
        Provider(Path(folder), free_port(), faults=storm_faults()) as provider,
    ):
        rows = []
        for project in ("now", "ms100", "ms300", "storm"):
            channel = open_channel(
                credentials=provider.credentials, endpoint=provider.url, project_id=project, sender="curl",
                ca_file=str(provider.ca_file),
            )  # fmt: skip
            began = time.perf_counter()
            count = 20 if project == "storm" else 1
            results = channel.hand_over(bodies(channel, 1)[0], [f"{n:06d}:token-of-the-provider" for n in range(count)])
            took = (time.perf_counter() - began) * 1_000
            rows.append(
                (project, ", ".join(sorted({str(result.outcome.name) for result in results})), f"{took:.0f} ms")
            )
            channel.close()
        provider.stop()
        say(describe(), "\n")
        say(table(("project", "outcomes", "the first request, with its connection and access token"), rows))
        say("\nLast lines of the log:\n", "\n ".join(provider.log.read_text().splitlines()[-4:]))


if __name__ == "__main__":
    main()
