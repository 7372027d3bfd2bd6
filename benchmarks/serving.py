"""How fast a badge's JSON is served, beside nginx with the same bytes in files, and a bare ASGI app (issue 5, "Speed").

    python -m benchmarks serving [--quick]

The load is wrk's: 64 connections, one thread, the same 200 badges in turn; all on this machine. Sides, in turns:

* nginx, static: the same bytes as files;
* bare ASGI: an app that sends bytes of that size, under the same server as the api (libs/common/server.py);
* the api, warm: verification's api, documents in its memory;
* the api, cold: a second api that keeps nothing in memory, so each answer is read from PostgreSQL;
* the edge: nginx with deploy/edge before the api, which keeps documents as files for it;
* the edge without files: the same from nginx's cache alone, as where the api is on another machine;
* and the same with If-None-Match, answered by 304.

First with 10,000 badges stored, then with 1,000,000, of which others are asked for: time and memory stay as they are.
nginx and wrk are from Debian (nginx-light, wrk); without wrk nothing is measured, without nginx its sides are left out.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import httpx
import psutil

from benchmarks.ground import postgres_server
from benchmarks.load import Load, Target, has_wrk, press_in_turns
from benchmarks.signing import ISSUER, SIGNER, TERMS, claim
from deploy.local.edge import LocalNginx, edge_settings, nginx
from deploy.local.home import REPOSITORY
from deploy.local.identity import load_identity
from deploy.local.postgres import LocalPostgres
from deploy.local.processes import environment_for
from deploy.local.server import Child, free_port
from libs.common.credentials.issue import Template
from libs.common.postgres.migrate import migrate
from libs.common.process import MESSAGING_MIGRATIONS

ASKED = 200
ACCEPT = "application/vc+ld+json"
_MIGRATIONS = REPOSITORY / "services" / "verification" / "sql" / "migrations"
_STATIC = """
server {{
    listen 127.0.0.1:{port};
    root {root};
    default_type application/vc+ld+json;
    open_file_cache max=1000;
    keepalive_requests 1000000;
}}
"""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: badges stored, one after the other, seconds a side and round, rounds."""

    stored: tuple[int, ...] = (10_000, 1_000_000)
    seconds: int = 3
    rounds: int = 3


QUICK = Extent(stored=(1_000, 5_000), seconds=1, rounds=1)


@dataclass
class Site:
    """The sides by their base URL, and the processes whose memory is looked at."""

    urls: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)


def run(*, quick: bool) -> None:
    """Measure and print."""
    if not has_wrk():
        print("   not measured: expected wrk on the PATH (Debian: apt-get install wrk)")
        return
    if nginx() is None:
        print("   without the sides of nginx: none is installed (Debian: apt-get install nginx-light)")
    asyncio.run(_measure(QUICK if quick else Extent()))


async def _measure(extent: Extent) -> None:
    with (
        postgres_server() as postgres,
        tempfile.TemporaryDirectory(prefix="cairn-bench-") as folder,
        ExitStack() as stack,
    ):
        dsn = postgres.dsn("verification")
        await migrate(dsn, [MESSAGING_MIGRATIONS, _MIGRATIONS])
        content = Template(ISSUER, TERMS).issue(claim(0), SIGNER).credential
        site = await asyncio.to_thread(_started, stack, Path(folder), postgres, content)
        for stored in extent.stored:
            names = await _store(dsn, content, stored)
            _write_files(Path(folder) / "files", names, content)
            paths = [f"/badges/{name}.json" for name in names]
            etag = await _etag(site.urls["api, warm"] + paths[0])
            await _read_once(site.urls["api, warm"], paths)
            print(f"   {stored:,} badges of {len(content):,} bytes stored", flush=True)
            targets = _targets(site, paths, etag)
            loads = await asyncio.to_thread(press_in_turns, targets, seconds=extent.seconds, rounds=extent.rounds)
            apis = [name for name in site.pids if name.startswith("api")]
            print(report(loads, {name: psutil.Process(site.pids[name]).memory_info().rss for name in apis}))


def _started(stack: ExitStack, folder: Path, postgres: LocalPostgres, content: bytes) -> Site:
    """Start every side."""
    site = Site()
    (folder / "files" / "badges").mkdir(parents=True)
    folder.chmod(0o755)
    identity = load_identity(folder / "secrets")
    for name, memory in (("api, warm", 64 * 1024 * 1024), ("api, cold", 0)):
        port = free_port()
        settings = {
            "CAIRN_DATABASE_DSN": postgres.dsn("verification"),
            "CAIRN_PORT": str(port),
            "CAIRN_PUBLIC_URL": f"http://localhost:{port}",
            "CAIRN_TOKEN_KEYS_FILE": str(identity.token_keys_file),
            "CAIRN_MEMORY_BYTES": str(memory),
            "CAIRN_MEMORY_SECONDS": "3600",
            **({"CAIRN_PUBLIC_FILES": str(folder / "public")} if memory else {}),
        }
        words = [sys.executable, "-m", "services.verification", "api"]
        site.pids[name] = _run(stack, folder, name, words, environment_for(settings), port)
        site.urls[name] = f"http://127.0.0.1:{port}"
    port = free_port()
    words = [sys.executable, "-m", "benchmarks.bare", str(port), str(len(content))]
    site.pids["bare ASGI"] = _run(
        stack, folder, "bare ASGI", words, {**os.environ, "PYTHONPATH": str(REPOSITORY)}, port
    )
    site.urls["bare ASGI"] = f"http://127.0.0.1:{port}"
    if nginx() is not None:
        port = free_port()
        site.pids["nginx, static"] = _nginx(
            stack, folder / "static", port, _STATIC.format(port=port, root=folder / "files")
        )
        site.urls["nginx, static"] = f"http://127.0.0.1:{port}"
        for name, files in (("edge", folder / "public"), ("edge, without files", Path("/nowhere"))):
            port = free_port()
            inside = edge_settings(
                listen=f"127.0.0.1:{port}", upstream=site.urls["api, warm"].removeprefix("http://"),
                cache=folder / f"cache-{len(site.urls)}", requests_per_second=1_000_000, files=files,
            )  # fmt: skip
            site.pids[name] = _nginx(stack, folder / name.replace(", ", "-").replace(" ", "-"), port, inside)
            site.urls[name] = f"http://127.0.0.1:{port}"
    return site


def _run(
    stack: ExitStack, folder: Path, name: str, words: Sequence[str], environment: dict[str, str], port: int
) -> int:
    child = Child(name.replace(", ", "-").replace(" ", "-"), folder, signal.SIGTERM)
    stack.callback(child.stop, 10)
    child.start(words, environment)
    if not child.wait_until(lambda: _answers(port), 30):
        raise RuntimeError(f"{name}: {child.why()}")
    return child.pid


def _nginx(stack: ExitStack, directory: Path, port: int, inside: str) -> int:
    server = LocalNginx(directory, port, inside)
    stack.callback(server.stop)
    server.start()
    return server.pid


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=1, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


async def _store(dsn: str, content: bytes, count: int) -> list[str]:
    """Fill verification's table up to `count` badges; answers the ids of some, spread over all."""
    connection = await asyncpg.connect(dsn, timeout=60)
    try:
        there = await connection.fetchval("select count(*) from badge")
        started = time.monotonic()
        for first in range(there, count, 50_000):
            await connection.execute(
                _FILL, content, datetime(2026, 1, 1, tzinfo=UTC), first, min(first + 50_000, count) - 1
            )
            if time.monotonic() - started > 10:
                started = time.monotonic()
                print(f"   stored {first:,}", flush=True)
        await connection.execute("vacuum analyze badge")
        rows = await connection.fetch("select badge_id from badge order by digest limit $1", ASKED)
        return [str(row["badge_id"]) for row in rows]
    finally:
        await connection.close()


_FILL = """
insert into badge (badge_id, learner_id, achievement_id, version, issuer_id, valid_from, credential, open_badge_2,
                   digest, issued_at)
select id, 'learner-' || n, 'aaa', 1, 'ou', $2, $1, '{}', 'sha256:' || encode(sha256(id::text::bytea), 'hex'), $2
from (select gen_random_uuid() as id, n from generate_series($3::integer, $4::integer) as n) made
"""


def _write_files(folder: Path, names: Sequence[str], content: bytes) -> None:
    for name in names:
        (folder / "badges" / f"{name}.json").write_bytes(content)


async def _etag(url: str) -> str:
    async with httpx.AsyncClient(trust_env=False) as client:
        return (await client.get(url, headers={"Accept": ACCEPT})).headers["ETag"]


async def _read_once(url: str, paths: Sequence[str]) -> None:
    """Have the api write its files, and the servers of files notice."""
    async with httpx.AsyncClient(trust_env=False, base_url=url) as client:
        for path in paths:
            (await client.get(path, headers={"Accept": ACCEPT})).raise_for_status()
    await asyncio.sleep(1.5)


def _targets(site: Site, paths: Sequence[str], etag: str) -> dict[str, Target]:
    """The sides, whole answers first, then 304s."""
    order = [
        name
        for name in ("nginx, static", "bare ASGI", "api, warm", "api, cold", "edge", "edge, without files")
        if name in site.urls
    ]
    targets = {name: Target(site.urls[name], paths, {"Accept": ACCEPT}, site.pids[name]) for name in order}
    for name in order:
        if name in ("bare ASGI", "api, cold"):
            continue
        tag = _static_etag(site.urls[name] + paths[0]) if name == "nginx, static" else etag
        headers = {"Accept": ACCEPT, "If-None-Match": tag}
        targets[f"304: {name}"] = Target(site.urls[name], paths[:1], headers, site.pids[name])
    return targets


def _static_etag(url: str) -> str:
    return httpx.get(url, trust_env=False).headers["ETag"]


# Floors of issue 5, "Speed": the rate beside nginx's own for the same kind of answer.
AIMS = {"api, warm": 0.6, "edge": 0.75, "304: api, warm": 1.0, "304: edge": 1.0}


def report(loads: dict[str, Load], memory: dict[str, int]) -> str:
    """The figures as lines for people; a ratio is to nginx's own answer of the same kind."""
    lines = [f"   {'':24}{'requests/s':>11}{'of nginx':>10}{'aim':>6}{'p50 ms':>8}{'p99 ms':>8}{'CPU µs':>8}"]
    for name, load in loads.items():
        floor = loads.get("304: nginx, static" if name.startswith("304") else "nginx, static")
        ratio = "–" if floor is None else f"{load.rate / floor.rate:.2f}"
        aim = f"{AIMS[name]:.2f}" if name in AIMS else ""
        times = f"{load.p50_ms:>8.1f}{load.p99_ms:>8.1f}{load.cpu_us:>8.1f}"
        lines.append(f"   {name:24}{load.rate:>11,.0f}{ratio:>10}{aim:>6}{times}")
    held = ", ".join(f"{name} {size / 2**20:,.0f} MiB" for name, size in memory.items())
    return "\n".join([*lines, f"   memory: {held}"])
