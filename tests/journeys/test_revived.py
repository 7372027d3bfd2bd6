"""PostgreSQL and Kafka, killed outright, are started again by the embedded system, and nothing is lost (B9)."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

from deploy.demo.cohort import example_cohort
from deploy.local.kafka import LocalKafka
from deploy.local.postgres import LocalPostgres
from tests.journeys.stage import send, whole_system
from tests.libs.common.messaging.waiting import until


async def test_servers_that_die_are_started_again(tmp_path: Path) -> None:
    async with whole_system(tmp_path / "system") as (system, doors):
        workers = {name: pid for name, pid in system.pids.items() if name.endswith("-worker")}
        sending = asyncio.create_task(send(example_cohort(), doors))
        servers: tuple[LocalPostgres | LocalKafka, ...] = (system.postgres, system.kafka)
        for server in servers:
            killed = server.pid
            os.kill(killed, signal.SIGKILL)

            async def runs_again(server: LocalPostgres | LocalKafka = server, killed: int = killed) -> bool:
                try:
                    return server.pid != killed and not server.has_died
                except RuntimeError:  # between its end and its start
                    return False

            await until(runs_again)
        assert (await sending).badges["Data literacy"] == 8
        # The workers waited; none had to be started again.
        assert {name: system.pids[name] for name in workers} == workers
