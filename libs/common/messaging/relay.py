"""The relay: outbox rows go to Kafka in order, exactly once (B2).

One leader, by an advisory lock. It numbers each batch in PostgreSQL and publishes the batch in a Kafka transaction
that commits that number with it. Whatever dies in between, the two numbers tell whether the batch was published:
its rows are then deleted, else sent again, row for row. Readers must use `read_committed`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import structlog

from libs.common.contracts.topics import dead_letters
from libs.common.messaging.faults import backoff_seconds, name_of
from libs.common.messaging.publisher import Publisher
from libs.common.postgres.queries import load_queries
from libs.common.telemetry import RELAYED

if TYPE_CHECKING:
    from libs.common.postgres.database import Connection

log = structlog.get_logger(__name__)

SQL = load_queries(Path(__file__).parent / "sql" / "relay.sql")

SHARD = 0
_CONNECT_TIMEOUT_SECONDS = 10
_STATEMENT_TIMEOUT_SECONDS = 60
_STANDBY_SECONDS = 0.5
_IDLE_SECONDS_FIRST = 0.01
_IDLE_SECONDS_MOST = 0.1
# A leader whose machine vanished must lose its lock: have the server notice within 15 s (TCP only).
_SESSION = {
    "application_name": "cairn-relay",
    "tcp_keepalives_idle": "5",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "2",
    "idle_in_transaction_session_timeout": "60s",
}


class RelayRefusedError(Exception):
    """PostgreSQL and Kafka disagree in a way that only a person can settle."""


class Relay:
    """Tells Kafka what one service's outbox holds. Any number may run; one leads."""

    def __init__(self, dsn: str, *, service: str, bootstrap: str, batch_rows: int = 2000) -> None:
        self._dsn = dsn
        self._service = service
        self._bootstrap = bootstrap
        self._batch_rows = batch_rows
        self._name = f"relay-{service}-{SHARD}"

    async def run(self) -> None:
        """Relay until cancelled, waiting out any absence of PostgreSQL or Kafka.

        Raises `RelayRefusedError` when Kafka has committed more than the database knows of.
        """
        waits = backoff_seconds(first=0.2)
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await self._lead()
            except RelayRefusedError:
                raise
            except Exception as fault:
                if asyncio.get_running_loop().time() - started > 30:
                    waits = backoff_seconds(first=0.2)
                log.warning("relay interrupted", relay=self._name, fault=name_of(fault))
                await asyncio.sleep(next(waits))

    async def _lead(self) -> None:
        # Every statement runs on the connection that holds the lock: who loses it can change nothing any more.
        connection = await asyncpg.connect(
            self._dsn,
            timeout=_CONNECT_TIMEOUT_SECONDS,
            command_timeout=_STATEMENT_TIMEOUT_SECONDS,
            server_settings=_SESSION,
        )
        publisher = Publisher(self._bootstrap, name=self._name, marker=dead_letters(self._service))
        try:
            while not await connection.fetchval(SQL["try_to_lead"], SHARD):  # noqa: ASYNC110 - PostgreSQL's event
                await asyncio.sleep(_STANDBY_SECONDS)
            await publisher.start()
            sent = await self._recover(connection, publisher)
            log.info("relay leads", relay=self._name)
            await self._relay_all(connection, publisher, sent)
        finally:
            await publisher.stop()
            connection.terminate()

    async def _recover(self, connection: Connection, publisher: Publisher) -> Sequence[int]:
        """Settle the batch that was in flight; the ids of its rows, which Kafka now has."""
        row = await connection.fetchrow(SQL["batch_in_flight"], SHARD)
        assert row is not None, "the migration makes this row"
        position, ids = row["position"], row["outbox_ids"]
        committed = await publisher.committed_position()
        if committed is not None and committed > position:
            raise RelayRefusedError(
                f"{self._name}: expected Kafka to have committed batch {position} at most, found {committed}: the"
                " database was put back to an earlier state, and what was told since may be told again. To go on"
                f" all the same, set relay_batch.position to {committed} for shard {SHARD}."
            )
        if ids and committed != position:
            rows = await connection.fetch(SQL["rows_in_flight"], ids)
            log.info("sending again what was in flight", relay=self._name, rows=len(rows))
            await self._publish(publisher, rows, position)
        return ids

    async def _relay_all(self, connection: Connection, publisher: Publisher, sent: Sequence[int]) -> None:
        idle_seconds = _IDLE_SECONDS_FIRST
        while True:
            rows, position = await self._next_batch(connection, sent)
            sent = [row["id"] for row in rows]
            if rows:
                await self._publish(publisher, rows, position)
                idle_seconds = _IDLE_SECONDS_FIRST
                continue
            await asyncio.sleep(idle_seconds)
            idle_seconds = min(idle_seconds * 2, _IDLE_SECONDS_MOST)

    async def _next_batch(self, connection: Connection, sent: Sequence[int]) -> tuple[Sequence[asyncpg.Record], int]:
        """Delete the rows that were sent and begin the next batch, in one transaction."""
        if not sent:
            # Nothing to delete and, mostly, nothing to send: do not open a transaction to find that out.
            rows = await connection.fetch(SQL["next_rows"], self._batch_rows)
            if not rows:
                return rows, 0
            ids = [row["id"] for row in rows]
            return rows, await connection.fetchval(SQL["begin_batch"], SHARD, ids)
        async with connection.transaction():
            await connection.execute(SQL["delete_sent"], sent)
            rows = await connection.fetch(SQL["next_rows"], self._batch_rows)
            if not rows:
                await connection.execute(SQL["end_batch"], SHARD)
                return rows, 0
            ids = [row["id"] for row in rows]
            return rows, await connection.fetchval(SQL["begin_batch"], SHARD, ids)

    async def _publish(self, publisher: Publisher, rows: Sequence[asyncpg.Record], position: int) -> None:
        await publisher.publish(rows, position)
        RELAYED.labels(self._service).inc(len(rows))
