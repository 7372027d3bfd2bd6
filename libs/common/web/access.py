"""Links that sign a person in: `?access=<token>` on a page becomes a session cookie and a clean address.

For operators and learners of a deployment without an identity provider. The token never stays in the address
bar, a bookmark or a Referer header.
"""

from __future__ import annotations

import time
from typing import cast
from urllib.parse import parse_qsl, quote, urlencode

from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from libs.common.security import SESSION_COOKIE, Tokens


class AccessLinks:
    """ASGI middleware; add it to an app made by `create_app`, which holds the `Tokens` that check the token."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or b"access=" not in scope["query_string"]:
            await self._app(scope, receive, send)
            return
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        token = next((content for name, content in query if name == "access"), None)
        if token is None:
            await self._app(scope, receive, send)
            return
        rest = urlencode([(name, content) for name, content in query if name != "access"])
        await self._redirect(scope, token, rest)(scope, receive, send)

    def _redirect(self, scope: Scope, token: str, query: str) -> RedirectResponse:
        # One slash: "//host/…" would lead to another site.
        path = "/" + quote(scope["path"].lstrip("/\\"), safe="/:@~._-")
        response = RedirectResponse(f"{path}?{query}" if query else path, 303)
        headers = MutableHeaders(raw=response.raw_headers)
        headers["Cache-Control"] = "no-store"
        headers["Referrer-Policy"] = "no-referrer"
        tokens = cast("Tokens", scope["app"].state.tokens)
        principal = tokens.principal(token)
        # A bad token sets nothing: the page itself then says that it needs a login.
        if principal is not None:
            response.set_cookie(
                SESSION_COOKIE,
                token,
                max_age=max(0, int(principal.expires_at - time.time())),
                path="/",
                secure=scope["scheme"] == "https",
                httponly=True,
                samesite="lax",
            )
        return response
