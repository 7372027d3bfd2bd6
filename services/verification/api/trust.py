"""Lists of trusted issuers: whom this deployment trusts is public, and for operators to say (scope `trust.write`).

Trust is no part of whether a badge is genuine: it answers the verdict's separate check `issuer`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from libs.common.problems import Problem, field_error
from libs.common.security import Principal, requires
from services.verification.api.parts import database_of, parts_of
from services.verification.handlers import trust as handlers
from services.verification.rules.trust import MOST_ISSUERS, read_list
from services.verification.store import trust as store

router = APIRouter(tags=["trust"])
SCOPE = "trust.write"
_MOST_LISTS = 1_000
_MOST_ERRORS = 20
Name = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]


@router.get("/trust-lists")
async def trust_lists(request: Request) -> Response:
    """The lists, with how many issuers are on each."""
    found = await store.trust_lists(database_of(request).pool, _MOST_LISTS)
    return _json({"lists": [asdict(entry) for entry in found]})


@router.get("/trust-lists/{name}")
async def trust_list(request: Request, name: Name) -> Response:
    """One list with its issuers; what it answers can be imported again."""
    found = await store.trust_list(database_of(request).pool, name, MOST_ISSUERS)
    if found is None:
        raise Problem(404, "Not found")
    issuers = [{"id": issuer.issuer_id, "name": issuer.name} for issuer in found[1]]
    return _json({**asdict(found[0]), "issuers": issuers})


@router.put("/trust-lists/{name}")
async def import_list(
    request: Request,
    name: Name,
    principal: Annotated[Principal, Depends(requires(SCOPE))],
    source: Annotated[str, Query(max_length=2_000, pattern=r"^[^\x00]*$", description="where the list is from")] = "",
) -> Response:
    """Import a whole list, in place of the one of that name: JSON or CSV (`services.verification.rules.trust`)."""
    as_csv = request.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/csv"
    issuers, wrong = read_list(await request.body(), as_csv=as_csv)
    if wrong:
        errors = tuple(field_error(refusal.field or "/", refusal) for refusal in wrong[:_MOST_ERRORS])
        raise Problem(422, "Invalid list", f"{len(wrong)} entries are not as they should be.", errors=errors)
    now = parts_of(request).now()
    await handlers.import_trust_list(database_of(request), name, issuers, source=source, by=principal.subject, at=now)
    return _json({"list_name": name, "issuers": len(issuers)})


@router.delete("/trust-lists/{name}", status_code=204)
async def withdraw_list(request: Request, name: Name, _: Annotated[Principal, Depends(requires(SCOPE))]) -> Response:
    """Take a list away."""
    if not await handlers.withdraw_trust_list(database_of(request), name):
        raise Problem(404, "Not found")
    return Response(status_code=204)


def _json(content: Any) -> Response:
    headers = {"Cache-Control": "no-cache", "Access-Control-Allow-Origin": "*"}
    return Response(orjson.dumps(content), media_type="application/json", headers=headers)
