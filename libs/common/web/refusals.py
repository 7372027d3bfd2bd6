"""Refusals as pages: whoever reads HTML gets a page in the shell, everybody else the problem document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from libs.common.problems import AWAY, PROBLEM_JSON, Problem
from libs.common.web.documents import Document, respond
from libs.common.web.negotiation import preferred
from libs.common.web.pages import HTML, PAGE_HEADERS, Pages

_KEPT_HEADERS = ("www-authenticate", "retry-after", "allow")
_TITLES = {
    401: ("This page is private", "Open it with the personal link that you were given."),
    403: ("This page is not yours to see", "You are signed in, but not as somebody who may see it."),
    404: ("Nothing is here", "No page has this address. Check that the link is complete."),
    406: ("Not in that form", "What is here cannot be sent in the form that was asked for."),
    503: ("Back in a moment", "A part of the system is away. Try again in a few seconds."),
}
_OTHER = ("That did not work", "The fault was noted. Try again, or tell the people who run this site.")

Handler = Callable[[Request, Exception], Awaitable[Response]]


def not_found() -> Problem:
    """The one answer for what is unknown, malformed, private or erased: it tells nobody which."""
    return Problem(404, "Not found", "Nothing is published at this address.")


def install_refusal_pages(app: FastAPI, pages: Pages) -> None:
    """Show the problems of `app` (made by `create_app`) as pages to those who prefer HTML."""
    handlers = cast("dict[Any, Handler]", app.exception_handlers)
    for kind, handler in list(handlers.items()):
        if kind is Problem or kind in AWAY or kind is Exception or getattr(kind, "__name__", "") == "HTTPException":
            handlers[kind] = _as_page(handler, pages)


def _as_page(handler: Handler, pages: Pages) -> Handler:
    async def shown(request: Request, fault: Exception) -> Response:
        # Starlette words an unknown address differently; one answer for both.
        if getattr(fault, "status_code", None) == 404:
            answer = not_found().response()
        else:
            answer = await handler(request, fault)
        extra = {name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers}
        extra["Access-Control-Allow-Origin"] = "*"
        if preferred(request.headers.get("accept"), (PROBLEM_JSON, "application/json", "text/html")) != "text/html":
            extra["Vary"] = "Accept"
            document = Document(bytes(answer.body), PROBLEM_JSON, "no-store", headers=extra, status=answer.status_code)
            return respond(request, document)
        title, detail = _TITLES.get(answer.status_code, _OTHER)
        page = pages.render(request, "refusal.html", title=title, detail=detail)
        headers = {**PAGE_HEADERS, **extra}
        return respond(request, Document(page, HTML, "no-store", headers=headers, status=answer.status_code))

    return shown
