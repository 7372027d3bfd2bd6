"""`/issuers` and `/achievements`: publishing the catalogue, and reading it in public."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from libs.common.contracts.contract import Identifier
from libs.common.messaging.work import begin
from libs.common.postgres.database import Database
from libs.common.problems import Problem
from libs.common.security import Principal, requires
from services.enrollment import handlers, store
from services.enrollment.api.exchange import JSON, answer, document_in, published
from services.enrollment.model import Override
from services.enrollment.settings import EnrollmentSettings

router = APIRouter(tags=["catalogue"])

# U+0000 is the one character that PostgreSQL cannot keep.
NOT_BLANK = r"^[^\x00]*[^\s\x00][^\x00]*$"
Id = Annotated[Identifier, Path()]
Publisher = Annotated[Principal, Depends(requires("catalogue.write"))]


@router.put("/issuers/{issuer_id}")
async def put_issuer(request: Request, issuer_id: Id, publisher: Publisher) -> Response:
    """Publish an issuer: 201, or 200 when nothing changes."""
    document = await document_in(request)
    async with begin(request.app.state.database) as work:
        outcome = await handlers.publish_issuer(work, issuer_id, document, by=publisher.subject, at=datetime.now(UTC))
    return published(outcome, f"/issuers/{issuer_id}")


@router.put("/achievements/{achievement_id}")
async def put_achievement(
    request: Request,
    achievement_id: Id,
    publisher: Publisher,
    override: Annotated[str | None, Query(min_length=10, max_length=1000, pattern=NOT_BLANK)] = None,
) -> Response:
    """Publish the next version of an achievement: 201, or 200 when it is the same as the latest.

    Answers 409 when the given version is taken or was not rehearsed, and 422 with the place in the tree when nobody
    could earn it. `override` gives the reason for publishing what no rehearsal allows (scope `catalogue.override`).
    """
    if override is not None:
        requires("catalogue.override")(request)
    document = await document_in(request)
    settings = cast("EnrollmentSettings", request.app.state.settings)
    async with begin(request.app.state.database) as work:
        outcome = await handlers.publish_achievement(
            work,
            achievement_id,
            document,
            settings.rehearsal_policy(),
            by=publisher.subject,
            at=datetime.now(UTC),
            override=None if override is None else Override(override, publisher.subject),
        )
    return published(outcome, f"/achievements/{achievement_id}")


@router.get("/issuers")
async def get_issuers(request: Request) -> Response:
    """All issuers."""
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        contents = await store.issuers(connection)
    return Response(b'{"issuers":[' + b",".join(contents) + b"]}", media_type=JSON)


@router.get("/issuers/{issuer_id}")
async def get_issuer(request: Request, issuer_id: Id) -> Response:
    """One issuer."""
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        issuer = await store.issuer(connection, issuer_id)
    if issuer is None:
        raise Problem(404, "Unknown issuer", "Expected the id of a published issuer.")
    return answer(issuer.model_dump(mode="json", exclude_none=True))


@router.get("/achievements")
async def get_achievements(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    after: Annotated[str, Query(max_length=128, description="`next` of the page before")] = "",
) -> Response:
    """The catalogue: the latest version of each achievement, in order of id. `next` is null on the last page."""
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        found = await store.latest_versions(connection, after=after, limit=limit + 1)
    page = [one.model_dump(mode="json", exclude_none=True) for one in found[:limit]]
    return answer({"achievements": page, "next": page[-1]["achievement_id"] if len(found) > limit else None})


@router.get("/achievements/{achievement_id}")
async def get_achievement(
    request: Request, achievement_id: Id, version: Annotated[int | None, Query(ge=1, le=1_000_000)] = None
) -> Response:
    """One achievement: the latest version, or the one that `version` names."""
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        if version is None:
            found = await store.latest_version(connection, achievement_id)
        else:
            found = await store.version(connection, achievement_id, version)
    if found is None:
        raise Problem(404, "Unknown achievement", "Expected the id and, if given, a version of one that is published.")
    return answer(found.model_dump(mode="json", exclude_none=True))


@router.get("/achievements/{achievement_id}/rehearsals")
async def get_rehearsals(request: Request, achievement_id: Id, _: Publisher) -> Response:
    """The drafts of an achievement that were rehearsed, and who published without one and why, the latest first."""
    database: Database = request.app.state.database
    async with database.transaction() as connection:
        return answer(await handlers.show_rehearsals(connection, achievement_id))
