"""What the routes of verification share: its pages, its memory, its addresses and its checked signatures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast
from uuid import UUID

import orjson
from starlette.requests import Request
from starlette.responses import Response

from libs.common.credentials.addresses import Addresses
from libs.common.postgres.database import Database
from libs.common.rendering import Renderer
from libs.common.verifying import Verifier
from libs.common.web.badge_art import LEVELS, badge_svg
from libs.common.web.colour import hue_of
from libs.common.web.documents import OPEN_TO_ALL, STATUS, Document, respond
from libs.common.web.language import Language
from libs.common.web.negotiation import preferred
from libs.common.web.pace import Pace
from libs.common.web.pages import Pages
from libs.common.web.public_files import PublicFiles
from libs.common.web.refusals import not_found
from libs.common.web.shelf import Shelf
from services.verification.api.proofs import Proofs

PATHS = Addresses("")  # the same addresses, as paths: who signs and who serves agree in one place
PAGE = "text/html"
LD_JSON = "application/ld+json"
# `application/vc+ld+json` as Open Badges 3.0 says it; `application/vc` is its successor in VC Data Model 2.0.
CREDENTIAL_TYPES = ("application/vc+ld+json", LD_JSON, "application/json", "application/vc")
# `application/vc+jwt` as VC-JOSE-COSE says it; `application/jwt` and plain text for readers that know nothing of it.
JWT_TYPES = ("application/vc+jwt", "application/jwt", "text/plain")
JSON_TYPES = (LD_JSON, "application/json")

# A picture is a document of its own when it is opened by itself: it may run and load nothing.
PICTURE_HEADERS = {**OPEN_TO_ALL, "Content-Security-Policy": "default-src 'none'; sandbox"}

KINDS = {
    "micro-credential": "Micro-credential",
    "stack": "Stack",
    "pathway": "Pathway",
    "milestone": "Milestone",
    "attendance": "Attendance",
    "commemorative": "Commemorative",
}


@dataclass(frozen=True, slots=True)
class Parts:
    """What an app of verification is made of.

    `now` gives the present instant (aware); `sharing` says who sees a badge whose learner has not decided.
    `files` is where signed documents lie for a web server in front, if there is one.
    `terms_url` and `privacy_url` are what the operator says of the service, if anything; `awarding_url` is where
    learners reach awarding's pages.
    """

    pages: Pages
    shelf: Shelf
    proofs: Proofs
    addresses: Addresses
    now: Callable[[], datetime]
    verifier: Verifier
    pace: Pace
    codes_pace: Pace
    renderer: Renderer
    sharing: Literal["public", "private"]
    files: PublicFiles | None = None
    terms_url: str | None = None
    privacy_url: str | None = None
    awarding_url: str | None = None


def parts_of(request: Request) -> Parts:
    """The parts of the app that answers `request`."""
    return cast("Parts", request.app.state.parts)


def database_of(request: Request) -> Database:
    """The database of the app that answers `request`."""
    return cast("Database", request.app.state.database)


def badge_id_of(text: str) -> UUID:
    """The badge id in an address. What is written in any other than the one form is as unknown as any other id."""
    try:
        found = UUID(text)
    except ValueError:
        raise not_found() from None
    if str(found) != text:
        raise not_found()
    return found


def version_of(text: str) -> int:
    """The version number in an address: decimal, without sign or leading zeros."""
    if not (text.isascii() and text.isdigit()) or len(text) > 7 or text.startswith("0"):
        raise not_found()
    return int(text)


def form_of(request: Request, offers: tuple[str, ...]) -> str | None:
    """The media type out of `offers` that the caller prefers."""
    return preferred(request.headers.get("accept"), offers)


def json_document(
    request: Request,
    content: Any,
    *,
    last_modified: datetime,
    cache_control: str = STATUS,
    status: int = 200,
    media_type: str | None = None,
) -> Response:
    """A public JSON document, made anew but always the same for the same content; `content` may be ready bytes."""
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    chosen = media_type or form_of(request, JSON_TYPES) or LD_JSON
    headers = {**OPEN_TO_ALL, "Vary": "Accept"}
    return respond(request, Document(body, chosen, cache_control, last_modified, headers, status))


def art_of(language: Language, *, title: str, issuer: str, kind: str, level: int | None, achievement_id: str) -> str:
    """The picture of a badge, with its kind and level in words of `language`."""
    gettext = language.texts.gettext
    return badge_svg(
        title,
        issuer,
        kind,
        level,
        hue_of(achievement_id),
        kind_label=gettext(KINDS.get(kind, KINDS["micro-credential"])),
        level_label=gettext("level {level} of {levels}"),
        language=language.tag,
    )


def level_words(language: Language, level: int | None) -> str | None:
    """A level in words: "3 of 4 · Proficient"."""
    if level is None:
        return None
    names = ("Introductory", "Developing", "Proficient", "Expert")
    gettext = language.texts.gettext
    return f"{gettext('{level} of {levels}').format(level=level, levels=LEVELS)} · {gettext(names[level - 1])}"
