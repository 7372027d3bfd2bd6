"""A worker process: consumer, relay, replay and upkeep, until it is told to stop. It speaks no HTTP."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import structlog
from prometheus_client import start_http_server

from libs.common.contracts.topics import TOPICS
from libs.common.messaging import dead_letters, store
from libs.common.messaging.consumer import STOP_TIMEOUT_SECONDS, Consumer
from libs.common.messaging.delivery import Delivery
from libs.common.messaging.faults import name_of
from libs.common.messaging.hearing import Hears
from libs.common.messaging.relay import Relay
from libs.common.messaging.replay import Replay
from libs.common.postgres.database import Database
from libs.common.settings import ServiceSettings
from libs.common.telemetry import OUTBOX_AGE_SECONDS, OUTBOX_ROWS

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
PRUNE_EVERY_BEATS = 3600  # an hour
PRUNED_AT_ONCE = 20_000
INBOX_DAYS = 30  # above the longest retry of whoever tells; what was read before is fenced off by its offset


async def run_worker(
    service: str,
    settings: ServiceSettings,
    hears: Sequence[Hears],
    *,
    prepare: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Run the worker of `service` until SIGTERM or SIGINT.

    `hears` is its table; an empty one leaves the relay alone. Compacted topics are read to their end before the
    others; before that, `prepare` is waited for. PostgreSQL or Kafka being away is waited out. Raises the fault of
    a part that cannot go on (`RelayRefusedError`, `StalledError`): the process then ends with an error and is to be
    started anew.
    """
    # A batch makes tens of thousands of values that die together: look for cycles seldom, and not in what was here
    # before.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    dsn = settings.database_dsn.get_secret_value()
    database = await Database.connect(dsn, application_name=f"cairn-{service}-worker", min_size=0, max_size=4)
    delivery = Delivery(database, service=service, hears=hears)
    relay = Relay(dsn, service=service, bootstrap=settings.kafka_bootstrap)
    parts: dict[str, Coroutine[Any, Any, None]] = {"relay": relay.run()}
    lag: Callable[[], int | None] = lambda: 0  # noqa: E731 - who hears nothing has nothing waiting
    if hears:
        compacted = [topic.name for topic in TOPICS if topic.compacted]
        consumer = Consumer(
            delivery, bootstrap=settings.kafka_bootstrap, instance=settings.instance,
            batch_records=settings.batch_records, first=compacted,
        )  # fmt: skip
        parts |= {"consumer": _consume(consumer, prepare), "replay": Replay(delivery).run()}
        lag = lambda: consumer.lag_records  # noqa: E731
    parts["upkeep"] = _upkeep(database, service, settings.instance, lag)
    if settings.metrics_port:
        start_http_server(settings.metrics_port)
    try:
        await _run_until_told(parts)
    finally:
        await _say_stopped(database, service, settings.instance)
        await database.close()
        log.info("worker stopped")


async def _consume(consumer: Consumer, prepare: Callable[[], Awaitable[None]] | None) -> None:
    if prepare is not None:
        await prepare()
    await consumer.run()


async def _run_until_told(parts: dict[str, Coroutine[Any, Any, None]]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    waiting = asyncio.create_task(stop.wait(), name="stop")
    tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
    log.info("worker started", parts=list(parts))
    ended, _ = await asyncio.wait([waiting, *tasks], return_when=asyncio.FIRST_COMPLETED)
    for task in (waiting, *tasks):
        task.cancel()
    await asyncio.wait(tasks, timeout=STOP_TIMEOUT_SECONDS + 5)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.remove_signal_handler(number)
    for task in ended - {waiting}:
        log.error("worker part ended", part=task.get_name())
        task.result()


async def _upkeep(database: Database, service: str, instance: str, lag: Callable[[], int | None]) -> None:
    """Signs of life, measures of the outbox, and the pruning of the inbox."""
    beats, state, pruned = 0, "started", 0
    while True:
        try:
            async with database.transaction() as connection:
                await dead_letters.beat(connection, _worker(service, instance), state, lag())
                backlog = await dead_letters.delivery_backlog(connection)
            # Once an hour, and at each beat while there may be more.
            if beats % PRUNE_EVERY_BEATS == 0 or pruned == PRUNED_AT_ONCE:
                async with database.transaction() as connection:
                    pruned = await store.forget_seen(connection, after_days=INBOX_DAYS, most=PRUNED_AT_ONCE)
            OUTBOX_ROWS.labels(service).set(backlog.outbox_rows)
            OUTBOX_AGE_SECONDS.labels(service).set(backlog.oldest_unsent_seconds)
            beats, state = beats + 1, "running"
        except Exception as fault:
            log.warning("no sign of life given", fault=name_of(fault))
        await asyncio.sleep(BEAT_SECONDS)


async def _say_stopped(database: Database, service: str, instance: str) -> None:
    try:
        async with asyncio.timeout(2), database.transaction() as connection:
            await dead_letters.beat(connection, _worker(service, instance), "stopped")
    except Exception as fault:
        log.info("left without a word", fault=name_of(fault))


def _worker(service: str, instance: str) -> str:
    return f"cairn-{service}-{instance}"
