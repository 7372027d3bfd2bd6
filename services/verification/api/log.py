"""The public doors of the log of issuance: its signed head, and the proofs that a badge is in it (B8).

RFC 6962 trees, C2SP checkpoints. Anybody may keep the heads and ask whether each is the beginning of the next.
"""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from libs.common.credentials.log import (
    consistency_places,
    consistency_proof,
    inclusion_places,
    inclusion_proof,
)
from libs.common.problems import Problem
from libs.common.web.documents import OPEN_TO_ALL, PERMANENT, STATUS, Document, respond
from services.verification.api.parts import database_of, json_document
from services.verification.api.visible import cached, seen_badge
from services.verification.model import Badge
from services.verification.model.log import LogHead
from services.verification.store import log as log_store

router = APIRouter(tags=["log"])
READ = ["GET", "HEAD"]
JSON = "application/json"
# A head is superseded within seconds.
_FRESH = "public, max-age=5, stale-if-error=86400"
_LARGEST_SIZE = 2**53


@router.api_route("/log/checkpoint", methods=READ)
async def checkpoint(request: Request) -> Response:
    """The newest signed head of the log, as a signed note (C2SP tlog-checkpoint)."""
    head = await _latest(request)
    document = Document(head.note.encode(), "text/plain; charset=utf-8", _FRESH, head.logged_at, OPEN_TO_ALL)
    return respond(request, document)


@router.api_route("/log/key", methods=READ)
async def key(request: Request) -> Response:
    """The public keys that ever signed a head, one a line, that of the newest head first.

    Each is as people hand it to verifiers: `name+id+key` (C2SP signed-note). Badges that were logged before the key was
    changed are proven by heads of the older ones (B8).
    """
    keys = await log_store.log_keys(database_of(request).pool)
    if not keys:
        raise _empty()
    content = "".join(f"{text}\n" for text in keys).encode()
    return respond(request, Document(content, "text/plain; charset=utf-8", STATUS, None, OPEN_TO_ALL))


@router.api_route("/log/proofs/{badge_id}", methods=READ)
async def proof(
    request: Request, badge_id: str, size: Annotated[int | None, Query(ge=1, le=_LARGEST_SIZE)] = None
) -> Response:
    """The proof that a badge is in the log: in the first head that holds it, or in that of `size` entries."""
    badge, view = await seen_badge(request, badge_id, whole=True)
    found = await proof_of(request, badge, size)
    if found is None:
        raise Problem(404, "Not in the log", "Expected a badge that the log holds at that size; ask again in a while.")
    return json_document(
        request, found, last_modified=badge.signed.issued_at, cache_control=cached(STATUS, view), media_type=JSON
    )


@router.api_route("/log/consistency", methods=READ)
async def consistency(
    request: Request,
    first: Annotated[int, Query(ge=0, le=_LARGEST_SIZE)],
    second: Annotated[int, Query(ge=0, le=_LARGEST_SIZE)],
) -> Response:
    """The proof that the log of `first` entries is the beginning of that of `second` (RFC 6962, section 2.1.2)."""
    head = await _latest(request)
    if not first <= second <= head.size:
        raise Problem(400, "Not sizes of the log", f"Expected first <= second <= {head.size}.")
    hashes = await log_store.nodes_at(database_of(request).pool, consistency_places(first, second))
    content = {"first": first, "second": second, "hashes": _texts(consistency_proof(first, second, hashes))}
    return json_document(request, content, last_modified=head.logged_at, cache_control=PERMANENT, media_type=JSON)


async def proof_of(request: Request, badge: Badge, size: int | None = None) -> dict[str, Any] | None:
    """The proof that a badge is in the log, as JSON values; None while it is not, or at that size was not."""
    pool = database_of(request).pool
    entry = await log_store.entry_of(pool, badge.badge_id)
    if entry is None or entry.salt is None:
        return None
    head = (
        await log_store.first_checkpoint_with(pool, entry.index)
        if size is None
        else await log_store.checkpoint_at(pool, size)
    )
    if head is None or head.size <= entry.index:
        return None
    hashes = await log_store.nodes_at(pool, inclusion_places(entry.index, head.size))
    return {
        "index": entry.index,
        "size": head.size,
        "digest": badge.signed.digest,
        "salt": base64.b64encode(entry.salt).decode(),
        "entry": base64.b64encode(entry.entry).decode(),
        "hashes": _texts(inclusion_proof(entry.index, head.size, hashes)),
        "checkpoint": head.note,
        "verifier_key": head.verifier_key,
    }


async def _latest(request: Request) -> LogHead:
    head = await log_store.latest_checkpoint(database_of(request).pool)
    if head is None:
        raise _empty()
    return head


def _empty() -> Problem:
    return Problem(404, "The log is empty", "Nothing was logged yet, or no log is kept.")


def _texts(hashes: tuple[bytes, ...]) -> list[str]:
    return [base64.b64encode(found).decode() for found in hashes]
