"""Other sites may read what is public: the answer to a browser's preflight request (Fetch, section 3.2)."""

from __future__ import annotations

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_ANSWER = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, If-None-Match, If-Modified-Since, traceparent",
    "Access-Control-Max-Age": "86400",
}


class Preflight:
    """ASGI middleware: every OPTIONS request gets one answer, which allows reading and nothing else.

    Whether an answer may then be read is for its own `Access-Control-Allow-Origin` to say: private ones have none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            await Response(status_code=204, headers=_ANSWER)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
