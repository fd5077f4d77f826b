"""The web server: threads in a few processes; BIND or PORT, XUEJI_WEB_PROCESSES and XUEJI_WEB_THREADS change it."""

import gc
import os

# What the application imports is never garbage: looking through it costs a seventh of the start, and pauses requests later.
gc.disable()

from app.logs import LOGGING  # noqa: E402 (it imports all of the application)

bind = os.environ.get("BIND") or f"127.0.0.1:{os.environ.get('PORT') or 8000}"
wsgi_app = "app:create_app()"
worker_class = "gthread"
workers = int(os.environ.get("XUEJI_WEB_PROCESSES") or 2)
threads = int(os.environ.get("XUEJI_WEB_THREADS") or 8)
timeout = 60
graceful_timeout = 8
max_requests = 10_000  # memory that a library mislays does not add up for ever
max_requests_jitter = 1_000
control_socket_disable = True
logconfig_dict = LOGGING


def post_worker_init(_worker) -> None:
    """The application is loaded: set it apart from what requests leave behind."""
    gc.freeze()
    gc.enable()
