"""A bare ASGI app under the server of the apis: `python -m benchmarks.bare PORT BYTES`."""

from __future__ import annotations

import sys

from starlette.types import Receive, Scope, Send

from libs.common.server import serve

BODY = b"x" * int(sys.argv[2]) if len(sys.argv) > 2 else b""
HEADERS = [
    (b"content-type", b"application/vc+ld+json"),
    (b"content-length", str(len(BODY)).encode()),
    (b"cache-control", b"public, max-age=86400, immutable"),
    (b"etag", b'"0000000000000000000000000000000000000000000000000000000000000000"'),
]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """The same bytes for everybody."""
    if scope["type"] == "lifespan":
        while (await receive())["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    serve(app, "127.0.0.1", int(sys.argv[1]), "127.0.0.1")
