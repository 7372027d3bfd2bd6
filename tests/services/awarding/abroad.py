"""Another institution, its web site, and a learner who brings its badges."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.common.contracts import LearnerRegistered
from libs.common.contracts.requirement import Accepted, BadgeRequired
from libs.common.credentials import proof
from libs.common.credentials.identifiers import hashed_email
from libs.common.credentials.issue import Template
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from libs.common.credentials.model import Claim
from libs.common.credentials.shape import Shapes
from libs.common.credentials.status_list import encode, status_list_credential
from libs.common.fetching import Fetcher, Reach
from libs.common.messaging.work import begin
from libs.common.sandbox import Sandbox
from libs.common.verifying import Verifier
from libs.common.web.pace import Pace
from services.awarding import api, handlers
from services.awarding.settings import AwardingSettings
from tests.doors import open_doors
from tests.libs.common.checking.world import World
from tests.services.awarding.support import (
    ISSUER,
    START,
    Service,
    achievement,
    heard,
    passed,
    published,
    registered,
)
from tests.services.verification.support import ADDRESSES, KEY, profile, terms
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

EMAIL = "Ada@learner.example"
DID = ADDRESSES.issuer_did("prairie")
THEIRS = ADDRESSES.achievement("coaching", "2")
LIST = f"{ADDRESSES.base_url}/issuers/prairie/status/1"
EVERY = timedelta(hours=24)
DOOR = "/learners/ada/imported-badges"


def foreign(number: int = 1, email: str = EMAIL, *, plain: bool = False, **more: Any) -> bytes:
    """A badge of another institution for an e-mail address, which it names in plain words or hashed."""
    url = ADDRESSES.badge(f"00000000-0000-4000-8000-{number:012}")
    claim = Claim(
        badge_url=url, assertion_url=url + "/2", subject_id=f"mailto:{email if plain else number}",
        recipient=hashed_email(email, "salt"),
        valid_from=datetime(2025, 3, 1, tzinfo=UTC), **more,
    )  # fmt: skip
    return Template(profile(), terms()).issue(claim, LocalSigner(KEY, DID)).credential


def accepting(**more: Any) -> BadgeRequired:
    """A badge of `part`, or one of the other institution."""
    return BadgeRequired(achievement_id="part", accepts=(Accepted(issuer=DID, achievement=THEIRS, **more),))


@dataclass
class Abroad:
    """A client of the door, the web on which the other institution lives, and the worker's steps."""

    client: httpx.AsyncClient
    service: Service
    world: World
    mint: TokenMint

    def own(self, learner_id: str = "ada") -> dict[str, str]:
        """The learner's own token."""
        return {"authorization": f"Bearer {self.mint.token(subject=learner_id, learner_id=learner_id)}"}

    async def bring(self, content: bytes, recipient: str = f"email:{EMAIL}", **headers: str) -> httpx.Response:
        """Bring a badge."""
        return await self.client.post(
            DOOR, content=content, params={"recipient": recipient}, headers=headers or self.own()
        )

    async def count(self) -> int:
        """Do what the worker does with what waits."""
        async with begin(self.service.database) as work:
            return await handlers.complete_imports(self.service.office, work, most=10)

    async def look_again(self, *, days: float = 0) -> int:
        """Look at all imports that are due, as if they had been checked so many days ago."""
        await self.service.database.pool.execute(
            "update imported_badge set next_check_at = next_check_at - $1::interval,"
            " valid_until = valid_until - $1::interval",
            timedelta(days=days),
        )
        async with Fetcher(Reach(self.world.folders)) as fetcher:
            verifier = Verifier(fetcher, self.world.sandbox)
            return await handlers.recheck_imports(self.service.office, self.service.database, verifier, EVERY)

    async def only(self) -> dict[str, Any]:
        """Ada's one import."""
        (found,) = (await self.client.get(DOOR, headers=self.own())).json()["imported_badges"]
        return found

    def publish_list(self, *told: int, purpose: str = "revocation") -> None:
        """The other institution's status list, in which these places are set."""
        signer = LocalSigner(KEY, DID)
        self.world.put(LIST, signed_list(signer, told, purpose))

    async def told(self, contract: Any) -> list[Any]:
        """What was told of a contract, in order."""
        rows = await self.service.database.pool.fetch(
            "select value from outbox where type = $1 order by id", contract.TYPE
        )
        return [contract.model_validate_json(row["value"]) for row in rows]


def signed_list(signer: LocalSigner, told: tuple[int, ...], purpose: str = "revocation") -> Any:
    """A status list credential of the other institution."""
    since = datetime(2025, 3, 1, tzinfo=UTC)
    until = datetime(2099, 1, 1, tzinfo=UTC)
    document = status_list_credential(LIST, DID, purpose, encode(told), valid_from=since, valid_until=until)
    return proof.sign(document, signer, since, Shapes()).document


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    started = Sandbox()
    yield started
    started.close()


@pytest.fixture
async def abroad(service: Service, database_dsn: str, tmp_path: Path, sandbox: Sandbox) -> AsyncIterator[Abroad]:
    """Ada is registered with her address; `stack` asks for `part` or a badge of Prairie Polytechnic."""
    world = World(tmp_path / "web", sandbox)
    world.put(
        f"{ADDRESSES.issuer('prairie')}/did.json", did_document(DID, [PublishedKey(LocalSigner(KEY, DID).public_key)])
    )
    ada = LearnerRegistered(learner_id="ada", email=EMAIL, registered_at=START)
    await service.hear(
        *published(ISSUER, achievement("part", passed("x")), achievement("stack", accepting(), kind="stack")),
        heard(ada, "ada", "register ada", START),
        *registered("ben"),
    )
    mint = TokenMint(tmp_path)
    settings = AwardingSettings(
        database_dsn=database_dsn,  # type: ignore[arg-type]
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
        public_url="https://own.example",
    )
    app = api.create(settings)
    async with open_doors(app) as client, Fetcher(Reach(world.folders)) as fetcher:
        app.state.desk = replace(app.state.desk, verifier=Verifier(fetcher, sandbox), pace=Pace(1000))
        yield Abroad(client, service, world, mint)
