"""The HTTP server of an api: uvicorn, in this very process, until it is told to stop (decision 17)."""

from __future__ import annotations

import logging
import signal
import socket
from types import FrameType

import uvloop
from starlette.types import ASGIApp
from uvicorn import Config, Server

from libs.common.connection import KEEP_ALIVE_SECONDS, AtOnce, protocol_of

WAITING_CONNECTIONS = 2_048
GRACEFUL_SECONDS = 10


def serve(app: ASGIApp, host: str, port: int, trusted_proxies: str, at_once: AtOnce | None = None) -> None:
    """Serve `app` at `host`:`port` until SIGTERM or SIGINT; requests under way are answered first, for a while.

    `trusted_proxies` are addresses or networks, with commas between, whose X-Forwarded-For and X-Forwarded-Proto say
    who calls, and how. What `at_once` answers never reaches `app`: it spares a task and a turn of the event loop, most
    of what such an answer costs. Raises what binding the port raises, and `RuntimeError` when the app cannot start.
    """
    with _door(host, port) as door:
        # What it says of itself, the api's log says already, and a bad request is its sender's matter.
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        server = Server(
            Config(
                app,
                http=protocol_of(at_once),
                loop="none",
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                server_header=False,
                forwarded_allow_ips=trusted_proxies,
                backlog=WAITING_CONNECTIONS,
                # Longer than ours, which sees all requests and not only those that became tasks.
                timeout_keep_alive=round(2 * KEEP_ALIVE_SECONDS),
                timeout_graceful_shutdown=GRACEFUL_SECONDS,
            )
        )
        # uvicorn ends in order at a signal, and then raises it anew for who was there before: who asked for an end in
        # order gets one.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _pass_over)
        try:
            uvloop.run(server.serve(sockets=[door]))
        except SystemExit:
            raise RuntimeError("expected the app to start, its lifespan startup failed") from None


def _pass_over(_number: int, _frame: FrameType | None) -> None:
    """Nothing is left to do."""


def _door(host: str, port: int) -> socket.socket:
    """A socket bound to `host`:`port`. Raises `OSError` where somebody listens already."""
    door = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.bind((host, port))
    return door
