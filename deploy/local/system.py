"""The embedded system: PostgreSQL, Kafka and the services' eight processes, supervised, on this machine."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import asyncpg
import httpx

from deploy.doors import Access
from deploy.local.home import REPOSITORY
from deploy.local.identity import TOKEN_AUDIENCE, TOKEN_ISSUER, Identity, load_identity
from deploy.local.kafka import LocalKafka
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import LONGEST_PAUSE_SECONDS, SERVICES, Say, ServiceProcess, environment_for, stop_all
from deploy.local.running import find_running, forget_running, note_running
from deploy.local.server import CannotStart, Child, Claim, free_port, require_port
from deploy.local.topics import create_topics
from libs.common.postgres.migrate import MigrationError, migrate

DEFAULT_PORTS: Mapping[str, int] = {
    "enrollment": 8101, "progress": 8102, "awarding": 8103, "verification": 8104,
}  # fmt: skip
READY_TIMEOUT_SECONDS = 60.0
_GIVE_UP_DEATHS = 3
_POLL_SECONDS = 0.1


def free_ports() -> dict[str, int]:
    """A free port for each service's api, for tests and for systems that nobody looks for at a known place."""
    ports: set[int] = set()
    while len(ports) < len(SERVICES):
        ports.add(free_port())
    return dict(zip(SERVICES, sorted(ports), strict=True))


@dataclass(frozen=True, slots=True)
class Shape:
    """How a system is run: api port by service; `durable=False` gives up safety against power loss (tests).

    `afresh` throws away what is kept in the state directory, except for the secrets.
    `trace_file` collects the spans of all processes; `settings` are further `CAIRN_` variables for them.
    """

    ports: Mapping[str, int] = field(default_factory=lambda: dict(DEFAULT_PORTS))
    durable: bool = True
    afresh: bool = False
    trace_file: Path | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])


class System:
    """A system of one state directory. Use `running_system` to have one started and stopped."""

    def __init__(self, directory: Path, shape: Shape, say: Say) -> None:
        self.directory = directory.resolve()
        self.shape = shape
        self.urls = {service: f"http://localhost:{port}" for service, port in shape.ports.items()}
        self.postgres = LocalPostgres(self.directory / "postgres", free_port(), durable=shape.durable)
        self.kafka = LocalKafka(self.directory / "kafka", free_port())
        self.processes: dict[str, ServiceProcess] = {}
        self._say = say
        self._identity: Identity | None = None

    @property
    def identity(self) -> Identity:
        """The secrets, once started."""
        if self._identity is None:
            raise RuntimeError("the system was not started")
        return self._identity

    @property
    def pids(self) -> dict[str, int]:
        """The process ids by name (`awarding-worker`, …) of the processes that run now."""
        return {name: process.pid for name, process in self.processes.items() if process.is_alive()}

    def dsn(self, service: str) -> str:
        """The PostgreSQL URL of a service's own database."""
        return self.postgres.dsn(f"cairn_{service}")

    def access(self, scopes: Sequence[str], *, subject: str = "cairn-command") -> Access:
        """The way in through the public doors with these scopes."""
        return Access(self.urls, self.identity.mint_token(subject, scopes, hours=12))

    @property
    def settings(self) -> dict[str, dict[str, str]]:
        """The `CAIRN_` variables of each service's processes."""
        return {service: self._settings(service) for service in SERVICES}

    def kill(self, name: str) -> None:
        """Kill a process as a crash would; it is started again by the supervisor."""
        self.processes[name].kill()

    async def stop_process(self, name: str) -> None:
        """Stop a process and leave it stopped."""
        await asyncio.to_thread(self.processes[name].stop)

    async def start_process(self, name: str) -> None:
        """Start a stopped process and wait until it is ready."""
        self.processes[name].start()
        await self._wait_for(name)

    async def migrate(self, *services: str) -> None:
        """Bring the services' databases up to date, all at once."""
        # Here, and not by `python -m services.<name> migrate`: four more starts of Python take seconds.
        try:
            await asyncio.gather(*(migrate(self.dsn(service), _migrations(service)) for service in services))
        except (MigrationError, asyncpg.PostgresError) as fault:
            raise CannotStart(f"{self.directory}: {fault}") from fault

    async def start(self) -> None:
        """Start everything, side by side where it can be. `CannotStart` says in a line what prevents it."""
        self._identity = await asyncio.to_thread(load_identity, self.directory / "secrets")
        self._stop_leftovers()
        if self.shape.afresh:
            await asyncio.to_thread(self._throw_away)
        (self.directory / "processes").mkdir(exist_ok=True)
        for service, port in self.shape.ports.items():
            require_port(service, port)
        started = [asyncio.create_task(self._start_databases()), asyncio.create_task(self._start_broker())]
        try:
            await asyncio.gather(*started)
        finally:
            # Threads do not stop when a task is cancelled: a server that is just starting must be waited for.
            await asyncio.wait(started)
        for process in self.processes.values():
            if process.role == "worker":
                process.start()
        await self._wait_for(*self.processes)

    async def stop(self) -> None:
        """Stop the services' processes, then the broker and the database."""
        await stop_all(list(self.processes.values()))
        await asyncio.gather(asyncio.to_thread(self.kafka.stop), asyncio.to_thread(self.postgres.stop))

    async def supervise(self) -> None:
        """Start again whatever died, for ever."""
        while True:
            for process in self.processes.values():
                process.revive(self._say)
            for name, server in (("PostgreSQL", self.postgres), ("Kafka", self.kafka)):
                if server.has_died:
                    await self._revive(name, server)
            await asyncio.sleep(0.1)

    async def _revive(self, name: str, server: LocalPostgres | LocalKafka) -> None:
        """Start a server that died again, on what it had kept, as often as it takes. The workers wait for it."""
        self._say(f"{name} died; starting it again")
        while True:
            await asyncio.to_thread(server.stop)  # it is dead: this ends its watcher and frees its directory
            try:
                await _finish(asyncio.to_thread(server.start))
            except CannotStart as fault:
                self._say(f"{fault}; trying again in {LONGEST_PAUSE_SECONDS:.0f} s")
                await asyncio.sleep(LONGEST_PAUSE_SECONDS)
            else:
                self._say(f"{name} runs again (process {server.pid})")
                return

    def _stop_leftovers(self) -> None:
        for service in SERVICES:
            for role in ("worker", "api"):
                process = ServiceProcess(service, role, self.directory / "processes", {})
                process.stop_leftover()

    def _throw_away(self) -> None:
        for name, stop_signal in (("postgres", signal.SIGINT), ("kafka", signal.SIGTERM)):
            # A killed run's server may still be on its way down.
            Child(name, self.directory / name, stop_signal).stop_leftover()
        for name in ("postgres", "kafka", "processes"):
            shutil.rmtree(self.directory / name, ignore_errors=True)

    async def _start_databases(self) -> None:
        await _finish(asyncio.to_thread(self.postgres.start))
        for service in SERVICES:
            for role in ("api", "worker"):
                process = self._process(service, role)
                self.processes[process.name] = process
        # An api needs no tables to start, so that its start-up passes while the tables are made.
        for service in SERVICES:
            self.processes[f"{service}-api"].start()
        await self.migrate(*SERVICES)

    async def _start_broker(self) -> None:
        await _finish(asyncio.to_thread(self.kafka.start))
        await create_topics(self.kafka.bootstrap)

    def _process(self, service: str, role: str) -> ServiceProcess:
        return ServiceProcess(service, role, self.directory / "processes", environment_for(self._settings(service)))

    def _settings(self, service: str) -> dict[str, str]:
        settings = {
            "CAIRN_DATABASE_DSN": self.dsn(service),
            "CAIRN_KAFKA_BOOTSTRAP": self.kafka.bootstrap,
            "CAIRN_PORT": str(self.shape.ports[service]),
            "CAIRN_PUBLIC_URL": self.urls["verification"],
            "CAIRN_TOKEN_KEYS_FILE": str(self.identity.token_keys_file),
            "CAIRN_TOKEN_ISSUER": TOKEN_ISSUER,
            "CAIRN_TOKEN_AUDIENCE": TOKEN_AUDIENCE,
        }
        if service == "verification":
            settings["CAIRN_SECRETS_DIR"] = str(self.identity.verification_secrets_directory)
            settings["CAIRN_AWARDING_URL"] = self.urls["awarding"]
        if service == "awarding":
            settings["CAIRN_SECRETS_DIR"] = str(self.identity.secrets_directory)
            settings["CAIRN_SIGNING_KEYS"] = " ".join(path.as_uri() for path in self.identity.signing_key_files)
            settings["CAIRN_JWT_KEYS"] = self.identity.jwt_key_file.as_uri()
            settings["CAIRN_OPEN_BADGE_2_KEYS"] = self.identity.open_badge_2_key_file.as_uri()
            settings["CAIRN_LOG_KEY"] = self.identity.log_key_file.as_uri()
        if self.shape.trace_file is not None:
            settings["CAIRN_TRACE_FILE"] = str(self.shape.trace_file.resolve())
        return settings | dict(self.shape.settings)

    async def _wait_for(self, *names: str) -> None:
        """Return when the processes are ready; give up on one that dies again and again, or takes too long."""
        headers = {"Authorization": f"Bearer {self.access(['operations']).token}"}
        async with httpx.AsyncClient(trust_env=False, timeout=5, headers=headers) as client:
            await asyncio.gather(*(self._wait_for_one(self.processes[name], client) for name in names))

    async def _wait_for_one(self, process: ServiceProcess, client: httpx.AsyncClient) -> None:
        try:
            async with asyncio.timeout(READY_TIMEOUT_SECONDS):
                while not (process.is_alive() and await self._is_ready(process, client)):
                    process.revive(self._say)
                    if process.deaths >= _GIVE_UP_DEATHS:
                        raise CannotStart(f"{process.name}: {process.why()}")
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            why = f"not ready after {READY_TIMEOUT_SECONDS:.0f} s: {process.why()}"
            raise CannotStart(f"{process.name}: {why}") from None

    async def _is_ready(self, process: ServiceProcess, client: httpx.AsyncClient) -> bool:
        """An api says so itself. A worker speaks no HTTP: its service's api shows its latest sign of life."""
        is_api = process.role == "api"
        url = self.urls[process.service] + ("/readyz" if is_api else "/operations/delivery")
        try:
            answer = await client.get(url)
        except httpx.TransportError:
            return False
        if is_api or not answer.is_success:
            return answer.is_success
        beats = [datetime.fromisoformat(worker["started_at"]) for worker in answer.json()["workers"]]
        return any(started_at >= process.started_at for started_at in beats)


def _migrations(service: str) -> list[Path]:
    """The folders of a service's migrations: messaging's tables, then its own."""
    rooms = ("libs/common/messaging", f"services/{service}")
    return [REPOSITORY / room / "sql" / "migrations" for room in rooms]


async def _finish(work: Awaitable[None]) -> None:
    """Wait for a thread's work even when cancelled meanwhile, and only then be cancelled."""
    task = asyncio.ensure_future(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


@asynccontextmanager
async def running_system(
    directory: Path, shape: Shape | None = None, *, say: Callable[[str], None] = lambda _: None
) -> AsyncGenerator[System]:
    """A system that runs in `directory` for the length of the block, then is stopped in order.

    What an earlier run that was killed left behind there is stopped first. `say` is told in a line whenever a
    process died and was started again. Raises `CannotStart`, whose message is one line for people.
    """
    claim = Claim("Cairn", directory)
    running = find_running(directory)
    if running is not None:
        raise CannotStart(
            f"Cairn: already running in {directory} (process {running.pid}): stop that one first (Ctrl-C)"
        )
    claim.take()
    system = System(directory, shape or Shape(), say)
    supervisor: asyncio.Task[None] | None = None
    try:
        await system.start()
        supervisor = asyncio.create_task(system.supervise())
        note_running(system.directory, system.urls, system.settings)
        yield system
    finally:
        forget_running(directory)
        if supervisor is not None:
            supervisor.cancel()
            await asyncio.wait([supervisor])
        await asyncio.shield(system.stop())
        claim.release()
