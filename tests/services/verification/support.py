"""What verification's tests share: real signed badges, the events that tell of them, and a running app."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import httpx
from fastapi import FastAPI
from pydantic import SecretStr

from libs.common.contracts import (
    AchievementPublished,
    BadgeIssued,
    BadgeReinstated,
    BadgeRevoked,
    BadgeSuspended,
    Contract,
    IssuerPublished,
    KeyPublished,
)
from libs.common.contracts.envelope import Envelope
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.identifiers import hashed_subject, recipient_salt, subject_id
from libs.common.credentials.issue import Template
from libs.common.credentials.jwt import TokenSigner
from libs.common.credentials.keys import LocalSigner, multikey
from libs.common.credentials.model import (
    AchievementTerms,
    Alignment,
    Claim,
    Evidence,
    IssuerProfile,
    Result,
    ResultDescription,
)
from libs.common.messaging.hearing import Received
from libs.common.messaging.work import begin
from libs.common.postgres.database import Database
from libs.common.postgres.migrate import migrate
from libs.common.process import MESSAGING_MIGRATIONS
from services.verification.api import create
from services.verification.settings import VerificationSettings
from services.verification.worker import HEARS
from tests.tokens import ISSUER as TOKEN_ISSUER
from tests.tokens import TokenMint

MIGRATIONS = [MESSAGING_MIGRATIONS, Path("services/verification/sql/migrations").resolve()]
PUBLIC_URL = "https://badges.example"
ADDRESSES = Addresses(PUBLIC_URL)
NAMESPACE = UUID("5ddf4f3e-2f35-4c5b-8f5e-2f3a1f9a6f11")
PEPPER = b"a pepper for tests only"
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
# No line of a page is wide enough for it.
_LONG_WORD = f"The criteria were checked: sha256:{'f' * 64}"
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = f"00-{TRACE_ID}-b7ad6b7169203331-01"
KEY = bytes(range(32))
OTHER_KEY = bytes(range(1, 33))
HANDLERS = {row.contract: row.handle for row in HEARS}

Event = Received[Any]
Results = tuple[tuple[ResultDescription, ...], tuple[Result, ...]]


def at(minutes: float) -> datetime:
    """An instant some minutes after the tests' beginning."""
    return START + timedelta(minutes=minutes)


def event(content: Contract, *, minutes: float = 0, name: str = "", traceparent: str | None = TRACEPARENT) -> Event:
    """`content` as a handler receives it; `name` tells events of equal content apart."""
    event_id = uuid5(NAMESPACE, f"{content.TYPE}|{content.model_dump_json()}|{minutes}|{name}")
    envelope = Envelope(
        id=str(event_id), source="/tests", type=content.TYPE, time=at(minutes), key="", traceparent=traceparent
    )
    return Received(envelope, content, content.TOPIC, 0, 0, event_id)


ISSUER = IssuerPublished.model_validate(
    {
        "issuer_id": "prairie",
        "name": "Prairie Polytechnic",
        "url": "https://prairie.example/",
        "email": "badges@prairie.example",
        "description": "A college of applied arts and sciences.",
    }
)
ACHIEVEMENT = AchievementPublished.model_validate(
    {
        "achievement_id": "coaching",
        "version": 2,
        "kind": "micro-credential",
        "issuer_id": "prairie",
        "name": "Coaching and Mentoring",
        "description": "Coaches and mentors adults one to one: listens, questions, gives feedback, agrees next steps.",
        "criteria": "Two observed coaching conversations and a reflective portfolio, marked by two trained assessors.",
        "requirement": {"kind": "activity", "activity_id": "https://lms.example/coaching"},
        "tags": ["Listen actively", "Give constructive feedback"],
        "alignments": [{"name": "Coach employees", "url": "http://data.europa.eu/esco/skill/x", "framework": "ESCO"}],
        "level": 3,
        "hours": "14",
        "published_at": START.isoformat(),
    }
)


def key_published(private_key: bytes = KEY, **changes: Any) -> KeyPublished:
    """The public half of a key, as awarding tells it."""
    public_key = LocalSigner(private_key, "did:web:unused").public_key
    text = multikey(public_key)
    told: dict[str, Any] = {
        "issuer_id": "prairie",
        "key_id": text,
        "public_key_multibase": text,
        "valid_from": at(-1000).isoformat(),
    }
    return KeyPublished.model_validate({**told, **changes})


def profile(issuer: IssuerPublished = ISSUER) -> IssuerProfile:
    """The issuer as its badges name it."""
    return IssuerProfile(
        id=ADDRESSES.issuer_did(issuer.issuer_id),
        name=issuer.name,
        url=str(issuer.url),
        open_badge_2_url=ADDRESSES.issuer_open_badge_2(issuer.issuer_id),
        email=issuer.email,
        description=issuer.description,
    )


def terms(achievement: AchievementPublished = ACHIEVEMENT) -> AchievementTerms:
    """What all badges of the achievement version say."""
    name, version = achievement.achievement_id, str(achievement.version)
    return AchievementTerms(
        id=ADDRESSES.achievement(name, version),
        name=achievement.name,
        description=achievement.description,
        type="MicroCredential",
        criteria_narrative=achievement.criteria,
        criteria_url=ADDRESSES.achievement(name, version),
        image=ADDRESSES.achievement_image(name, version),
        badge_class_url=ADDRESSES.badge_class(name, version),
        version=version,
        language=achievement.language,
        tags=achievement.tags,
        alignments=tuple(
            Alignment(name=entry.name, url=str(entry.url), framework=entry.framework)
            for entry in achievement.alignments
        ),
    )


def badge_issued(
    learner_id: str = "learner-1",
    *,
    achievement: AchievementPublished = ACHIEVEMENT,
    private_key: bytes = KEY,
    minutes: float = 0,
    valid_until: datetime | None = None,
    shown_name: str | None = None,
    issuer: IssuerPublished = ISSUER,
    token_signer: TokenSigner | None = None,
    results: Results = ((), ()),
) -> BadgeIssued:
    """A really signed badge of the learner, as awarding tells it."""
    badge_id = uuid5(NAMESPACE, f"{learner_id}|{achievement.achievement_id}|{achievement.version}")
    did = ADDRESSES.issuer_did(issuer.issuer_id)
    subject = subject_id(PEPPER, learner_id, did)
    claim = Claim(
        badge_url=ADDRESSES.badge(badge_id),
        assertion_url=ADDRESSES.assertion(badge_id),
        subject_id=subject,
        recipient=hashed_subject(subject, recipient_salt(PEPPER, badge_id)),
        valid_from=at(minutes),
        valid_until=valid_until,
        shown_name=shown_name,
        results=results[1],
        evidence=(Evidence(name="Record of achievement", description=_LONG_WORD),),
    )
    template = Template(profile(issuer), replace(terms(achievement), results=results[0]))
    issued = template.issue(claim, LocalSigner(private_key, did), token_signer=token_signer)
    return BadgeIssued(
        badge_id=badge_id,
        learner_id=learner_id,
        achievement_id=achievement.achievement_id, version=achievement.version, cycle=0,
        issuer_id=issuer.issuer_id,
        valid_from=at(minutes), valid_until=valid_until,
        credential=issued.credential.decode(),
        open_badge_2=issued.open_badge_2.decode(),
        digest=f"sha256:{issued.digest}",
        credential_jwt=issued.credential_jwt,
    )  # fmt: skip


def revoked(badge: BadgeIssued, reason: str = "Awarded in error.") -> BadgeRevoked:
    """The badge was revoked."""
    return BadgeRevoked(badge_id=badge.badge_id, learner_id=badge.learner_id, reason=reason)


def suspended(badge: BadgeIssued, reason: str = "Under review.") -> BadgeSuspended:
    """The badge was suspended."""
    return BadgeSuspended(badge_id=badge.badge_id, learner_id=badge.learner_id, reason=reason)


def reinstated(badge: BadgeIssued, reason: str = "Review passed.") -> BadgeReinstated:
    """The badge was reinstated."""
    return BadgeReinstated(badge_id=badge.badge_id, learner_id=badge.learner_id, reason=reason)


@dataclass
class Service:
    """Verification without Kafka: an app on a database, and the handlers that the worker would call."""

    app: FastAPI
    client: httpx.AsyncClient
    database: Database
    mint: TokenMint

    async def hear(self, *events: Event) -> None:
        """Handle each event in a transaction of its own, in the given order."""
        for one in events:
            async with begin(self.database) as work:
                await HANDLERS[type(one.content)](work, [one])

    async def hear_together(self, events: Sequence[Event]) -> None:
        """Handle the events as one batch: by the worker's table, each contract's events together."""
        async with begin(self.database) as work:
            for contract, handle in HANDLERS.items():
                chosen = [one for one in events if type(one.content) is contract]
                if chosen:
                    await handle(work, chosen)

    async def hear_all(self, *contents: Contract) -> None:
        """Handle contents told at the tests' beginning."""
        await self.hear(*(event(content) for content in contents))

    async def get(self, path: str, accept: str | None = None, **headers: str) -> httpx.Response:
        """GET a path; header names are written with underscores."""
        sent = {name.replace("_", "-"): content for name, content in headers.items()}
        if accept is not None:
            sent["accept"] = accept
        return await self.client.get(path, headers=sent)

    def set_clock(self, now: datetime) -> None:
        """Make the app believe that it is `now`."""
        self.app.state.parts = replace(self.app.state.parts, now=lambda: now)


@asynccontextmanager
async def running(database_dsn: str, folder: Path, **settings: Any) -> AsyncIterator[Service]:
    """Verification on the database, with empty tables; `settings` as in `VerificationSettings`."""
    await migrate(database_dsn, MIGRATIONS)
    mint = TokenMint(folder)
    chosen = VerificationSettings(
        database_dsn=SecretStr(database_dsn),
        token_keys_file=mint.keys_file,
        token_issuer=TOKEN_ISSUER,
        **{"public_url": PUBLIC_URL, **settings},
    )
    app = create(chosen)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        # As bare as a client can be: what is not said is not sent.
        client.headers.clear()
        yield Service(app, client, app.state.database, mint)
