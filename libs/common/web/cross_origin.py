"""Other sites may read what is public: the answer to a browser's preflight request (Fetch, section 3.2)."""

from __future__ import annotations

from collections.abc import Collection

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

_ANSWER = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, If-None-Match, If-Modified-Since, traceparent",
    "Access-Control-Max-Age": "86400",
}
_POSTED = {
    **_ANSWER,
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Authorization, Content-Type, traceparent",
}


class Preflight:
    """ASGI middleware: every OPTIONS request gets one answer, which allows reading and nothing else.

    Whether an answer may then be read is for its own `Access-Control-Allow-Origin` to say: private ones have none.
    Pages of other sites may post to the paths `posts`: to doors that believe what is sent and never a cookie.
    """

    def __init__(self, app: ASGIApp, posts: Collection[str] = ()) -> None:
        self._app = app
        self._posts = frozenset(posts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = _POSTED if scope["path"] in self._posts else _ANSWER
            await Response(status_code=204, headers=headers)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
