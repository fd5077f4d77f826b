"""The worker process: `python -m app.jobs`. Run as many as there is work for; each does one job at a time."""

import asyncio
import contextlib
import gc
import logging.config
from collections.abc import Mapping
from typing import Any

import procrastinate
from flask import Flask
from sqlalchemy.engine import make_url

from app import create_app
from app.jobs import upkeep
from app.kit.jobs.job import queue
from app.logs import LOGGING


async def work(app: Flask) -> None:
    """Work until SIGTERM or SIGINT: jobs get some seconds to end, the rest goes back to the queue."""
    beat = app.config["WORKER_HEARTBEAT_SECONDS"]
    async with queue.open_async():
        requeueing = asyncio.create_task(upkeep.requeue_for_ever(every=beat, stalled_after=5 * beat))
        try:
            await queue.run_worker_async(
                additional_context={"app": app},
                update_heartbeat_interval=beat,
                stalled_worker_timeout=5 * beat,
                fetch_job_polling_interval=beat,
                shutdown_graceful_timeout=app.config["WORKER_STOP_SECONDS"],
            )
        finally:
            requeueing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await requeueing


def serve(settings: Mapping[str, Any] | None = None) -> None:
    """Be a worker of the application with these settings, as create_app takes them."""
    app = create_app(settings)
    gc.freeze()  # what was imported is never garbage: no job needs to look through it
    app.config.setdefault("WORKER_HEARTBEAT_SECONDS", 3)
    app.config.setdefault("WORKER_STOP_SECONDS", 10)
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"]).set(drivername="postgresql")
    conninfo = url.render_as_string(hide_password=False)
    with queue.replace_connector(procrastinate.PsycopgConnector(conninfo=conninfo, min_size=1, max_size=4)):
        asyncio.run(work(app))


if __name__ == "__main__":
    logging.config.dictConfig(LOGGING)
    serve()
