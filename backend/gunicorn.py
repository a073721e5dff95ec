"""How gunicorn serves: `gunicorn -c python:backend.gunicorn` (it knows the application itself)."""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger

from backend import logs
from backend.config import Settings

_settings = Settings.from_environment()
logs.configure(_settings)


class OurLogger(Logger):  # type: ignore[misc]
    """Hands gunicorn's own words to our renderer. Access lines are written by the application (backend.logs)."""

    def setup(self, cfg: Any) -> None:
        """Takes gunicorn's handlers away and lets its records rise to the root."""
        super().setup(cfg)
        self.error_log.handlers = []
        self.error_log.propagate = True


logger_class = OurLogger
loglevel = _settings.log_level
accesslog = None
# Should somebody switch an access log on: no path, no query, no address.
access_log_format = "%(m)s %(s)s %(B)s %(M)sms %({x-request-id}o)s"

wsgi_app = "backend.wsgi:app"
proc_name = "yobikake"
bind = [_settings.listen]
worker_class = "gthread"
workers = _settings.web_processes
threads = _settings.web_threads
timeout = 60  # longer than SQLite waits for its writer
graceful_timeout = 30
keepalive = 5
backlog = 2048
max_requests = 0
control_socket_disable = True  # it would lie in the home folder
forwarded_allow_ips = ""  # YOBIKAKE_TRUSTED_PROXIES decides, in the application
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

logging.captureWarnings(True)
