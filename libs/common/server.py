"""The HTTP server of an api: granian, in this very process, until it is told to stop (decision 17)."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable
from typing import Any

import structlog
import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from granian.utils import proxies as untyped_proxies
from starlette.types import ASGIApp, Receive, Scope, Send

proxies: Any = untyped_proxies
log = structlog.get_logger(__name__)

WAITING_CONNECTIONS = 2_048
SLOWEST_HEADERS_SECONDS = 15
GRACEFUL_SECONDS = 10


def serve(app: ASGIApp, host: str, port: int, trusted_proxies: str) -> None:
    """Serve `app` at `host`:`port` until SIGTERM or SIGINT; requests under way are answered first, for a while.

    `trusted_proxies` are addresses or networks, with commas between, whose X-Forwarded-For and X-Forwarded-Proto say
    who calls, and how. Raises what binding the port raises, and granian's `FatalError` when the app cannot start.
    """
    _require_free(host, port)
    uvloop.run(_serve(_behind_proxies(app, trusted_proxies), host, port))


def _behind_proxies(app: ASGIApp, trusted_proxies: str) -> ASGIApp:
    """`app`, told who calls a proxy. A request that came through none is spared the costlier look."""
    behind: ASGIApp = proxies.wrap_asgi_with_proxy_headers(app, trusted_proxies)

    def chosen(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        for name, _ in scope.get("headers", ()):
            if name == b"x-forwarded-for":
                return behind(scope, receive, send)
        return app(scope, receive, send)

    return chosen


def _require_free(host: str, port: int) -> None:
    """Raise `OSError` where somebody listens already: granian would share the port with them without a word."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind((host, port))


async def _serve(app: ASGIApp, host: str, port: int) -> None:
    # It says in lines of its own what the api's log says already, and that embedding is new to it.
    logging.getLogger("_granian").setLevel(logging.ERROR)
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=WAITING_CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=SLOWEST_HEADERS_SECONDS * 1000),
        log_enabled=False,
    )
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    serving = asyncio.create_task(server.serve())
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait([serving, stop], return_when=asyncio.FIRST_COMPLETED)
    if not stopping.is_set():
        stop.cancel()
        await serving  # raises what went wrong
        raise RuntimeError("expected the server to go on, it ended")
    server.stop()
    try:
        await asyncio.wait_for(serving, GRACEFUL_SECONDS)
    except TimeoutError:
        log.warning("requests were cut off", after_seconds=GRACEFUL_SECONDS)
