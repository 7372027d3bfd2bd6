"""All that it takes to check a badge without any network, in one file (B6, B8)."""

from __future__ import annotations

import httpx
import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.checking.bundle import MEDIA_TYPE, TYPE, VERSION
from libs.common.checking.dialogue import JSON_FIRST
from libs.common.checking.strict import Fault, objects, read_json
from libs.common.credentials.identifiers import did_web_url
from libs.common.web.documents import OPEN_TO_ALL, STATUS, Document, respond
from services.verification.api.log import proof_of
from services.verification.api.parts import PATHS, parts_of
from services.verification.api.verifications import path_of_own
from services.verification.api.visible import cached, seen_badge
from services.verification.model import Badge

router = APIRouter(tags=["badges"])


@router.api_route(PATHS.badge("{badge_id}") + "/bundle", methods=["GET", "HEAD"])
async def bundle(request: Request, badge_id: str) -> Response:
    """The badge with its issuer's keys, its status lists as they are now, and its place in the log."""
    badge, view = await seen_badge(request, badge_id, whole=True)
    parts = parts_of(request)
    did_url = did_web_url(parts.addresses.issuer_did(badge.issuer_id))
    wanted = {did_url: PATHS.issuer(badge.issuer_id) + "/did.json"}
    wanted |= {url: path for url in _status_lists(badge) if (path := path_of_own(url, parts.addresses.base_url))}
    content = {
        "type": TYPE,
        "version": VERSION,
        "made_at": parts.now().replace(microsecond=0).isoformat(),
        "credential": badge.signed.content.decode(),
        "documents": [document for url, path in wanted.items() if (document := await _own(request, url, path))],
        "log": await proof_of(request, badge),
    }
    headers = {**OPEN_TO_ALL, "Content-Disposition": f'attachment; filename="{badge.badge_id}.badge-bundle.json"'}
    body = orjson.dumps(content, option=orjson.OPT_INDENT_2)
    return respond(request, Document(body, MEDIA_TYPE, cached(STATUS, view), badge.changed_at, headers))


def _status_lists(badge: Badge) -> list[str]:
    """The addresses of the status lists that the signed credential names."""
    credential = read_json(badge.signed.content)
    entries = [] if isinstance(credential, Fault) else objects(credential.get("credentialStatus"))
    return sorted({str(entry["statusListCredential"]) for entry in entries if "statusListCredential" in entry})


async def _own(request: Request, url: str, path: str) -> dict[str, str] | None:
    """One of our own documents, as its address answers it; None where there is none."""
    transport = httpx.ASGITransport(request.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://own.invalid") as client:
        answer = await client.get(path, headers={"Accept": JSON_FIRST})
    if not answer.is_success:
        return None
    return {"url": url, "media_type": answer.headers.get("content-type", ""), "content": answer.text}
