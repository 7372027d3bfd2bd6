"""Where the page of a badge leads: its files, and, for its owner, the ways to share it (M1.3, M2.4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

import orjson
from starlette.requests import Request

from services.verification.api.described import Described
from services.verification.api.embeds import embed_code
from services.verification.api.parts import PATHS, parts_of
from services.verification.api.visible import query_of
from services.verification.model import Claims
from services.verification.rules.codes import code_of
from services.verification.rules.linkedin import linkedin_address
from services.verification.rules.schema_org import schema_org
from services.verification.rules.sharing import decide_view

# Another verifier's page, which reads the badge by its address: a second opinion (B6).
_SECOND_OPINION = "https://verifierplus.org/#verify?vc="


def page_links(request: Request, found: Described) -> dict[str, Any]:
    """What the template of the page needs of addresses, and what the caller may do with the badge."""
    parts, badge, query = parts_of(request), found.badge, query_of(request)
    path, address = PATHS.badge(badge.badge_id), parts.addresses.badge(badge.badge_id)
    shared = decide_view(badge.signed.share, parts.now(), default=parts.sharing) is not None
    return {
        "address": address,
        "face": path,
        "query": query,
        "language_query": _with_language(request, query),
        "owner": found.view.by == "owner",
        "public": found.view.by == "public",
        "shared": shared,
        "whole": found.whole,
        "issuer_path": PATHS.issuer(badge.issuer_id),
        "achievement_path": found.achievement and PATHS.achievement(badge.achievement_id, str(badge.version)),
        "signed_path": f"{path}.json{query}",
        "assertion_path": PATHS.assertion(badge.badge_id) + query,
        "second_opinion": _SECOND_OPINION + quote(f"{address}.json", safe=""),
        **_shares(request, found, found.claims, address),
    }


def _shares(request: Request, found: Described, claims: Claims | None, address: str) -> dict[str, Any]:
    if claims is None:
        return {"code": None, "linkedin": None, "embed_code": None, "oembed": None, "schema": None}
    code, site = code_of(found.badge.badge_id), parts_of(request).addresses.base_url
    # Within a script element nothing may look like its end (HTML, "Restrictions for contents of script elements").
    schema = orjson.dumps(schema_org(found.badge, claims, address=address, image=f"{address}/card.png")).decode()
    return {
        "code": code,
        "linkedin": linkedin_address(found.badge, claims, address=address, code=code),
        "embed_code": embed_code(address, claims.name),
        "oembed": f"{site}/oembed?{urlencode({'url': address, 'format': 'json'})}",
        "schema": schema.replace("<", "\\u003c"),
    }


def _with_language(request: Request, query: str) -> str:
    """The query of a face in the language that the page's address asks for."""
    wanted = request.query_params.get("lang")
    if wanted not in ("en", "fr"):
        return query
    return f"{query}&lang={wanted}" if query else f"?lang={wanted}"
