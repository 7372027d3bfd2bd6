"""The keys of issuers, for operators: shown, rotated, revoked; each act with its reason (B8). Scope `keys.write`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from libs.common.contracts.contract import Identifier
from libs.common.messaging.work import begin
from libs.common.problems import Problem
from libs.common.security import Principal, requires
from libs.common.web.refusals import not_found
from services.awarding import handlers
from services.awarding.api.acts import NOT_BLANK
from services.awarding.api.requests import database_of
from services.awarding.model import KeyAct, KeyActKind, Refused
from services.awarding.store import catalogue as catalogue_store

Operator = Annotated[Principal, Depends(requires("keys.write"))]

router = APIRouter(tags=["keys"])


class Rotation(BaseModel):
    """Why another key is to sign, from when on (now), and which (the next at hand).

    Whoever may have to ask again sends an `act_id` of their own: the same act is then carried out once.
    """

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=1000, pattern=NOT_BLANK)
    at: AwareDatetime | None = None
    key_id: Identifier | None = None
    act_id: UUID | None = None


class Revocation(BaseModel):
    """Why a key is not to be trusted any more, and since when (now). `act_id` as in `Rotation`."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=3, max_length=1000, pattern=NOT_BLANK)
    at: AwareDatetime | None = None
    act_id: UUID | None = None


@router.get("/issuers/{issuer_id}/keys")
async def keys(request: Request, issuer_id: Identifier, _: Operator) -> dict[str, Any]:
    """Every key that the issuer signed or signs with, with its time and state; what could follow; what was done."""
    await _require_issuer(request, issuer_id)
    return await handlers.show_keys(database_of(request).pool, issuer_id, datetime.now(UTC))


@router.post("/issuers/{issuer_id}/keys/rotate")
async def rotate(request: Request, issuer_id: Identifier, body: Rotation, by: Operator) -> dict[str, Any]:
    """Sign with another key from an instant on. The old one stays published: what it signed stands."""
    await _require_issuer(request, issuer_id)
    asked = _asked("rotate", issuer_id, body.key_id or "", body, by)
    async with begin(database_of(request)) as work:
        _require_done(await handlers.rotate_key(work, asked, body.key_id))
    return await keys(request, issuer_id, by)


@router.post("/issuers/{issuer_id}/keys/{key_id}/revoke")
async def revoke(
    request: Request, issuer_id: Identifier, key_id: Identifier, body: Revocation, by: Operator
) -> dict[str, Any]:
    """Trust nothing that the key signed from an instant on, but for what is proven to be older."""
    await _require_issuer(request, issuer_id)
    async with begin(database_of(request)) as work:
        _require_done(await handlers.revoke_key(work, _asked("revoke", issuer_id, key_id, body, by)))
    return await keys(request, issuer_id, by)


def _asked(kind: KeyActKind, issuer_id: str, key_id: str, body: Rotation | Revocation, by: Principal) -> KeyAct:
    now = datetime.now(UTC)
    return KeyAct(body.act_id or uuid4(), kind, issuer_id, key_id, body.at or now, body.reason, by.subject, now)


def _require_done(refused: Refused | None) -> None:
    if refused is not None:
        raise Problem(409, "Key cannot be changed so", refused.why[0].upper() + refused.why[1:] + ".")


async def _require_issuer(request: Request, issuer_id: str) -> None:
    if issuer_id not in await catalogue_store.issuer_ids(database_of(request).pool):
        raise not_found()
