"""Schemathesis before every door of every service: nothing that is sent makes a fault, and answers are as described.

Real apps over HTTP on a real PostgreSQL. `CAIRN_TEST_EXAMPLES` sets how many requests each operation gets.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import schemathesis
import uvicorn
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from deploy.local.identity import SCOPES
from services.awarding import api as awarding
from services.awarding.settings import AwardingSettings
from services.enrollment import api as enrollment
from services.enrollment.settings import EnrollmentSettings
from services.progress import api as progress
from services.progress.settings import ProgressSettings
from services.verification import api as verification
from services.verification.settings import VerificationSettings
from tests.doors import prepare_database
from tests.tokens import ISSUER, TokenMint

EXAMPLES = int(os.environ.get("CAIRN_TEST_EXAMPLES", "4"))
APPS: dict[str, tuple[Callable[[Any], FastAPI], Callable[..., Any], dict[str, Any]]] = {
    "enrollment": (enrollment.create, EnrollmentSettings, {}),
    "progress": (progress.create, ProgressSettings, {}),
    "awarding": (awarding.create, AwardingSettings, {}),
    "verification": (verification.create, VerificationSettings, {"verifications_per_minute": 100_000}),
}
# For doors that read their bodies themselves, and so describe none.
WORDS = st.sampled_from(["id", "learner_id", "achievement_id", "name", "url", "text", "requirement", "data", "type"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)
CHECKS: list[Any] = [not_a_server_error, status_code_conformance, response_schema_conformance]


@contextmanager
def listening(app: FastAPI) -> Iterator[str]:
    """The app behind a socket, in a thread with a loop of its own."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture
async def own_database(postgres_dsn: str) -> str:
    """A database that stays until the server goes: connections of another thread may still be open."""
    name = f"openapi_{uuid4().hex}"
    connection = await asyncpg.connect(postgres_dsn)
    await connection.execute(f"create database {name} template template0")
    await connection.close()
    return urlsplit(postgres_dsn)._replace(path=f"/{name}").geturl()


@pytest.fixture
async def prepared(own_database: str, request: pytest.FixtureRequest) -> str:
    """The database with the tables of the service that the test is about."""
    await prepare_database(own_database, request.getfixturevalue("service"))
    return own_database


@pytest.mark.parametrize("service", list(APPS))
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["valid", "invalid"])
def test_no_request_makes_a_fault(service: str, mode: GenerationMode, prepared: str, tmp_path: Path) -> None:
    create, settings_of, more = APPS[service]
    mint = TokenMint(tmp_path)
    app = create(settings_of(database_dsn=prepared, token_keys_file=mint.keys_file, token_issuer=ISSUER, **more))
    headers = {"Authorization": f"Bearer {mint.token(*SCOPES, learner_id='ada', lifetime_seconds=3600)}"}
    with listening(app) as url:
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        for found in schema.get_all_operations():
            operation = found.ok()
            bodies = st.none() if operation.body or operation.method not in ("post", "put") else JSON
            _try(operation.as_strategy(generation_mode=mode), bodies, headers)


def _try(cases: Any, bodies: Any, headers: dict[str, str]) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, phases=[Phase.generate], derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=cases, body=bodies)
    def check(case: Case, body: Any) -> None:
        response = case.call(headers=headers, timeout=30, **({} if body is None else {"json": body}))
        # 501 is no fault where the document names it: oEmbed 1.0 wants it for a format that is not there.
        checks = [check for check in CHECKS if response.status_code != 501 or check is not not_a_server_error]
        case.validate_response(response, checks=checks)
        assert response.status_code < 500 or response.status_code == 501, case.as_curl_command()

    # What takes nothing cannot be asked wrongly.
    with suppress(Unsatisfiable):
        check()
