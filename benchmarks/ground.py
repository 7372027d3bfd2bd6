"""What measurements of awarding stand on: PostgreSQL, a database as its worker has it, records as Kafka brings them.

Batches go into the worker's own table and delivery: envelope, contract, inbox, handlers, signing, outbox, commit.
"""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import asyncpg

from deploy.local.identity import load_identity
from deploy.local.postgres import LocalPostgres
from deploy.local.server import free_port
from libs.common.contracts import AssessmentScored, Contract, IssuerPublished, LearnerRegistered
from libs.common.contracts.envelope import Envelope, headers_of
from libs.common.messaging.delivery import Delivery
from libs.common.postgres.database import Database
from libs.common.postgres.migrate import migrate
from libs.common.process import MESSAGING_MIGRATIONS
from services.awarding.settings import AwardingSettings
from services.awarding.worker import hears, open_office

BATCH = 1_000
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ISSUER = IssuerPublished.model_validate({"issuer_id": "uni", "name": "A University", "url": "https://uni.example/"})
_MIGRATIONS = Path(__file__).parents[1] / "services" / "awarding" / "sql" / "migrations"


class Message(NamedTuple):
    """One record as delivery takes it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes]]


@contextmanager
def postgres_server(settings: Mapping[str, str] | None = None) -> Iterator[LocalPostgres]:
    """A PostgreSQL of its own, as durable as in use, thrown away at the end; `settings` are of postgresql.conf."""
    directory = Path(tempfile.mkdtemp(prefix="cairn-bench-"))
    server = LocalPostgres(directory, free_port(), settings=settings)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory, ignore_errors=True)


class Awarding:
    """An awarding service without Kafka: its database, and its delivery."""

    def __init__(self, database: Database, delivery: Delivery) -> None:
        self.database = database
        self._delivery = delivery
        self._offsets = count()

    async def publish(self, contracts: Iterable[tuple[str, Contract]]) -> None:
        """Hand over what others told, each with its key."""
        await self.handle([self.message(key, contract, key) for key, contract in contracts])

    async def register(self, learners: Sequence[str]) -> None:
        """Register learners."""
        await self.publish((name, LearnerRegistered(learner_id=name, registered_at=START)) for name in learners)

    def message(self, key: str, contract: Contract, name: str, minutes: int = 0) -> Message:
        """The record that carries `contract`; `name` makes the id of its event, `minutes` after the beginning."""
        envelope = Envelope(
            str(uuid5(NAMESPACE_URL, f"{contract.TYPE} {name}")), "/bench", contract.TYPE,
            START + timedelta(minutes=minutes), key,
        )  # fmt: skip
        value = contract.model_dump_json(exclude_none=True).encode()
        return Message(contract.TOPIC, 0, next(self._offsets), 0, key.encode(), value, headers_of(envelope))

    def score(self, learner: str, assessment: str, raw: int, attempt: int = 0) -> Message:
        """The record of a score out of 100."""
        contract = AssessmentScored.model_validate(
            {"learner_id": learner, "assessment_id": assessment, "score": {"raw": raw, "max": 100}}
        )
        return self.message(learner, contract, f"{learner} {assessment} {attempt}", attempt)

    async def handle(self, messages: Sequence[Message]) -> None:
        """Have the worker handle them, in batches. Raises `RuntimeError` unless each was handled."""
        for first in range(0, len(messages), BATCH):
            batch = messages[first : first + BATCH]
            outcome = await self._delivery.handle(batch)
            if outcome.handled != len(batch):
                raise RuntimeError(f"expected {len(batch)} records handled, found {outcome}")


@asynccontextmanager
async def awarding(server: LocalPostgres, name: str) -> AsyncGenerator[Awarding]:
    """An awarding service with a database of its own, `name`."""
    # As `run_worker` does: otherwise the walks of the collector through what is measured count as well.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    connection = await asyncpg.connect(server.dsn())
    try:
        await connection.execute(f'create database "{name}"')
    finally:
        await connection.close()
    await migrate(server.dsn(name), [MESSAGING_MIGRATIONS, _MIGRATIONS])
    identity = load_identity(server.directory / "secrets")
    settings = AwardingSettings(
        _secrets_dir=identity.secrets_directory, database_dsn=server.dsn(name),
        signing_key_file=identity.signing_key_file, public_url="https://badges.example",
    )  # fmt: skip
    database = await Database.connect(server.dsn(name), application_name="cairn-bench", min_size=1, max_size=2)
    try:
        ground = Awarding(database, Delivery(database, service="awarding", hears=hears(open_office(settings))))
        await ground.publish([("issuer:uni", ISSUER)])
        yield ground
    finally:
        await database.close()


async def fetch(ground: Awarding, query: str) -> Any:
    """The one value that a query answers."""
    return await ground.database.pool.fetchval(query)
