"""The smallest service that stands on `libs.common.service`, run as a real process by the tests of the frame."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import Body, Depends, FastAPI, Request
from starlette.responses import Response

from libs.common.postgres.database import Database
from libs.common.process import command_line
from libs.common.security import Principal, requires
from libs.common.service import create_app
from libs.common.settings import ServiceSettings

log = structlog.get_logger(__name__)


def api(settings: ServiceSettings) -> FastAPI:
    """Doors that do one thing each: ask the database, read a body, fail, log."""
    app = create_app("small", settings, title="Small")

    @app.get("/learners/{learner_id}")
    async def learner(learner_id: str, request: Request) -> dict[str, Any]:
        database: Database = request.app.state.database
        await database.ping()
        log.info("learner read")
        return {"learner_id": learner_id}

    @app.post("/parsed")
    async def parsed(body: Annotated[dict[str, Any], Body()]) -> dict[str, int]:
        return {"members": len(body)}

    @app.post("/raw")
    async def raw(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.get("/secret")
    async def secret(principal: Annotated[Principal, Depends(requires("records.read"))]) -> dict[str, str]:
        return {"subject": principal.subject}

    @app.api_route("/fault/{email}", methods=["GET", "POST"])
    async def fault(email: str, request: Request) -> Response:
        try:
            raise KeyError(email)
        except KeyError as cause:
            raise ValueError(f"cannot read {email} of {await request.body()!r}") from cause

    return app


async def worker(_: ServiceSettings) -> None:
    """This service hears nothing."""


if __name__ == "__main__":
    command_line(
        "small", settings=ServiceSettings, api=f"{__spec__.name}:api", worker=f"{__spec__.name}:worker", migrations=[]
    )  # type: ignore[arg-type]
