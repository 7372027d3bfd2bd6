"""The HTTP server of an api: granian, in this very process, until it is told to stop (decision 17)."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import structlog
import uvloop
from granian import _futures as untyped_futures  # pyright: ignore[reportPrivateUsage]
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server import embed as untyped_embed
from granian.utils import proxies as untyped_proxies
from starlette.types import ASGIApp, Message, Receive, Scope, Send

embed: Any = untyped_embed
futures: Any = untyped_futures
proxies: Any = untyped_proxies
log = structlog.get_logger(__name__)

# The messages of a whole answer to a request, if there is one that takes no waiting. Asked from a thread of the server.
AtOnce = Callable[[Scope], Sequence[Message] | None]

WAITING_CONNECTIONS = 2_048
SLOWEST_HEADERS_SECONDS = 15
GRACEFUL_SECONDS = 10


def serve(app: ASGIApp, host: str, port: int, trusted_proxies: str, at_once: AtOnce | None = None) -> None:
    """Serve `app` at `host`:`port` until SIGTERM or SIGINT; requests under way are answered first, for a while.

    `trusted_proxies` are addresses or networks, with commas between, whose X-Forwarded-For and X-Forwarded-Proto say
    who calls, and how. What `at_once` answers, from a thread of the server, never reaches `app`: it spares the way
    to the event loop and back, a good part of what such an answer costs. Raises what binding the port raises, and
    granian's `FatalError` when the app cannot start.
    """
    _require_free(host, port)
    uvloop.run(_serve(_behind_proxies(app, trusted_proxies), host, port, at_once))


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


def _scheduler(at_once: AtOnce, loop: asyncio.AbstractEventLoop, callback: Callable[[Any], Any], **_: object) -> Any:
    """How granian hands over requests: it calls `_schedule_fn` in its one thread for Python, which passes them on to
    the loop; here, what is there at once is answered there and then."""

    class Scheduler(futures._BaseCBScheduler):
        __slots__ = ()

        def __init__(self, *_: object) -> None:
            super().__init__()  # pyright: ignore[reportUnknownMemberType]
            go_on = futures._cbsched_aioschedule(loop, self._ctx, callback)

            def schedule(watcher: Any) -> None:
                try:
                    answer = at_once(watcher.scope)
                    if answer is not None:
                        send = watcher.proto.send
                        for message in answer:
                            send(message)
                        return
                except Exception as fault:  # nobody above would hear of it
                    log.error("unforeseen fault", exc_info=fault)
                go_on(watcher)

            self._schedule_fn = schedule

    return Scheduler(loop, callback, None, None, None)


async def _serve(app: ASGIApp, host: str, port: int, at_once: AtOnce | None) -> None:
    # It says in lines of its own what the api's log says already, and that embedding is new to it.
    logging.getLogger("_granian").setLevel(logging.ERROR)
    if at_once is not None:
        # granian has no door for this. Should a later one be built otherwise, all goes the long way, and a test fails.
        embed._new_cbscheduler = partial(_scheduler, at_once)
    server = embed.Server(
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
