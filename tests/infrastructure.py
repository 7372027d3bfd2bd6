"""One PostgreSQL and one Kafka for all tests, from one of three sources.

1. `environment`: the addresses in `CAIRN_TEST_POSTGRES_DSN` (of a superuser) and `CAIRN_TEST_KAFKA`;
2. `containers`: testcontainers, if a Docker daemon answers and has both images;
3. `embedded`: the servers of `deploy.local`, which need nothing that `make setup` has not installed.

`CAIRN_TEST_INFRASTRUCTURE` set to one of these words forces it (`containers` then pulls the images).
"""

from __future__ import annotations

import io
import os
import socket
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Literal, Protocol, TypeVar, get_args

from deploy.local.kafka import SETTINGS, LocalKafka
from deploy.local.postgres import LocalPostgres
from deploy.local.server import CannotStart, free_port

POSTGRES_IMAGE = "postgres:17"
KAFKA_IMAGE = "apache/kafka:4.4.0"

Source = Literal["environment", "containers", "embedded"]


@cache
def source() -> Source:
    """Where the servers of this test run come from."""
    forced = os.environ.get("CAIRN_TEST_INFRASTRUCTURE")
    match forced:
        case "environment" | "containers" | "embedded":
            return forced
        case None | "":
            pass
        case _:
            expected = ", ".join(get_args(Source))
            raise ValueError(f"CAIRN_TEST_INFRASTRUCTURE is {forced!r}: expected one of {expected}")
    if os.environ.get("CAIRN_TEST_POSTGRES_DSN") and os.environ.get("CAIRN_TEST_KAFKA"):
        return "environment"
    return "containers" if _docker_has_images() else "embedded"


def _docker_has_images() -> bool:
    """Whether a Docker daemon answers and holds both images; it is not asked to pull, which may take minutes."""
    # Asked first, because docker's client leaks a socket when the daemon does not answer.
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if host.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as door:
            if door.connect_ex(host.removeprefix("unix://")) != 0:
                return False

    import docker
    from docker.errors import DockerException

    try:
        client = docker.from_env(timeout=3)
    except DockerException:
        return False
    try:
        for image in (POSTGRES_IMAGE, KAFKA_IMAGE):
            client.images.get(image)
    except DockerException:
        return False
    finally:
        client.close()
    return True


@contextmanager
def postgres() -> Iterator[str]:
    """A running PostgreSQL: the dsn of its superuser, `postgresql://user:password@host:port/postgres`."""
    match source():
        case "environment":
            yield os.environ["CAIRN_TEST_POSTGRES_DSN"]
        case "containers":
            from testcontainers.community.postgres import PostgresContainer

            with PostgresContainer(POSTGRES_IMAGE, driver=None, dbname="postgres") as container:
                yield container.get_connection_url()
        case "embedded":
            with _embedded(lambda folder, port: LocalPostgres(folder, port, durable=False)) as server:
                yield server.dsn()


@contextmanager
def kafka() -> Iterator[str]:
    """A running Kafka: its bootstrap address, `host:port`."""
    match source():
        case "environment":
            yield os.environ["CAIRN_TEST_KAFKA"]
        case "containers":
            yield from _kafka_container()
        case "embedded":
            with _embedded(LocalKafka) as server:
                yield server.bootstrap


class _Server(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...


S = TypeVar("S", bound=_Server)


@contextmanager
def _embedded(make: Callable[[Path, int], S]) -> Iterator[S]:
    """Start an embedded server in a temporary directory on a free port, and stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="cairn-test-", ignore_cleanup_errors=True) as folder:
        server = _started(make, Path(folder))
        try:
            yield server
        finally:
            server.stop()


def _started(make: Callable[[Path, int], S], folder: Path, attempts: int = 3) -> S:
    """Start on a free port; on another one if somebody on this machine took it in between."""
    server = make(folder, free_port())
    try:
        server.start()
    except CannotStart:
        if attempts == 1:
            raise
        return _started(make, folder, attempts - 1)
    return server


def _kafka_container() -> Iterator[str]:
    """Kafka's own image; testcontainers' class for Kafka drives another vendor's only.

    The port that clients see is known when the container runs, so its command waits for a script that
    names it.
    """
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    settings = SETTINGS | {
        "node.id": "1",
        "process.roles": "broker,controller",
        "listeners": "PLAINTEXT://:9092,HOST://:19092,CONTROLLER://:9093",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,HOST:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "controller.quorum.voters": "1@localhost:9093",
        "inter.broker.listener.name": "PLAINTEXT",
    }
    container = DockerContainer(KAFKA_IMAGE).with_exposed_ports(19092)
    for name, value in settings.items():
        container.with_env("KAFKA_" + name.upper().replace(".", "_"), value)
    container.with_command('sh -c "until [ -f /tmp/run ]; do sleep 0.1; done; exec bash /tmp/run"')
    with container:
        address = f"{container.get_container_host_ip()}:{container.get_exposed_port(19092)}"
        script = (
            f"export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092,HOST://{address}\n"
            "exec /etc/kafka/docker/run\n"
        ).encode()
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            entry = tarfile.TarInfo("run")
            entry.size, entry.mode = len(script), 0o755
            tar.addfile(entry, io.BytesIO(script))
        container.get_wrapped_container().put_archive("/tmp", archive.getvalue())
        LogMessageWaitStrategy("Kafka Server started").with_startup_timeout(60).wait_until_ready(container)
        yield address
