"""The frame of every service, as a real process: health, limits, outages, traces, and silence about persons."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import orjson
import pytest

from tests.house.tree import ROOT
from tests.tokens import AUDIENCE, ISSUER, TokenMint

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01"}
LARGEST_BODY_BYTES = 2048


@dataclass
class SmallService:
    """A running process of the small service and what it told so far."""

    http: httpx.AsyncClient
    process: asyncio.subprocess.Process
    log_file: Path
    trace_file: Path
    mint: TokenMint

    async def stop(self) -> None:
        """End the process as an orchestrator does; it must end by itself, with status 0."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        assert await self.process.wait() == 0

    def logged(self) -> str:
        return self.log_file.read_text()

    def spans(self) -> list[dict[str, object]]:
        return [orjson.loads(line) for line in self.trace_file.read_bytes().splitlines()]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@asynccontextmanager
async def running(tmp_path: Path, dsn: str) -> AsyncIterator[SmallService]:
    mint, port, log_file = TokenMint(tmp_path), _free_port(), tmp_path / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CAIRN_", "OTEL_"))} | {
        "CAIRN_DATABASE_DSN": dsn,
        "CAIRN_PORT": str(port),
        "CAIRN_TRACE_FILE": str(tmp_path / "trace.jsonl"),
        "CAIRN_TOKEN_KEYS_FILE": str(mint.keys_file),
        "CAIRN_TOKEN_ISSUER": ISSUER,
        "CAIRN_TOKEN_AUDIENCE": AUDIENCE,
        "CAIRN_LARGEST_BODY_BYTES": str(LARGEST_BODY_BYTES),
    }
    with log_file.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.libs.common.small_service", "api",
            cwd=ROOT, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            service = SmallService(http, process, log_file, tmp_path / "trace.jsonl", mint)
            try:
                await _until_alive(service)
                yield service
            finally:
                await service.stop()


async def _until_alive(service: SmallService) -> None:
    while True:
        assert service.process.returncode is None, service.logged()
        try:
            answer = await service.http.get("/healthz")
        except httpx.TransportError:
            await asyncio.sleep(0.05)
        else:
            assert answer.json() == {"status": "alive"}
            return


@pytest.fixture
async def small(tmp_path: Path, database_dsn: str) -> AsyncIterator[SmallService]:
    async with running(tmp_path, database_dsn) as service:
        yield service


async def _chunks(size: int) -> AsyncIterator[bytes]:
    yield b'{"a":"'
    for _ in range(size // 256):
        yield b"x" * 256
    yield b'"}'


async def test_health_and_metrics(small: SmallService) -> None:
    ready = await small.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    await small.http.get("/learners/ada")
    await small.http.get("/nowhere/ada")
    metrics = (await small.http.get("/metrics")).text
    assert 'route="/learners/{learner_id}",service="small",status="200"' in metrics
    assert "ada" not in metrics, "a route's template, never its path"


@pytest.mark.parametrize("path", ["/raw", "/parsed"])
@pytest.mark.parametrize("told", [True, False], ids=["its length told", "in chunks"])
async def test_a_body_that_is_too_large_is_refused(small: SmallService, path: str, told: bool) -> None:
    largest = LARGEST_BODY_BYTES
    body: bytes | AsyncIterator[bytes] = b'{"a":"' + b"x" * largest + b'"}' if told else _chunks(largest * 2)
    answer = await small.http.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Body too large",
        "status": 413,
        "detail": f"Expected at most {largest} bytes.",
    }
    small_enough = await small.http.post(path, content=b'{"a":"x"}', headers={"content-type": "application/json"})
    assert small_enough.status_code == 200


async def test_errors_are_problem_documents(small: SmallService) -> None:
    lost = await small.http.get("/nowhere")
    assert (lost.status_code, lost.json()["title"]) == (404, "Not Found")
    unable = await small.http.delete("/raw")
    assert (unable.status_code, unable.headers["allow"]) == (405, "POST")
    malformed = await small.http.post("/parsed", content=b"{", headers={"content-type": "application/json"})
    assert malformed.status_code == 422
    wrong = await small.http.post("/parsed", json=[])
    assert wrong.json()["errors"][0]["pointer"] == "/"
    for answer in (lost, unable, malformed, wrong):
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_missing_token_is_asked_for_and_a_missing_scope_is_named(small: SmallService) -> None:
    nobody = await small.http.get("/secret")
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"] == 'Bearer realm="cairn", scope="records.read"'
    other = await small.http.get("/secret", headers=small.mint.headers("catalogue.write"))
    assert other.status_code == 403
    assert "records.read" in other.json()["detail"]
    right = await small.http.get("/secret", headers=small.mint.headers("records.read", "catalogue.write"))
    assert right.json() == {"subject": "tester"}


async def test_a_database_that_is_away_is_waited_for(tmp_path: Path) -> None:
    async with running(tmp_path, f"postgresql://cairn@127.0.0.1:{_free_port()}/cairn") as service:
        for path in ("/learners/ada", "/readyz"):
            answer = await service.http.get(path)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
        assert (await service.http.get("/healthz")).status_code == 200
        assert (await service.http.get("/metrics")).status_code == 200


async def test_a_trace_runs_from_the_caller_into_logs_and_spans(small: SmallService) -> None:
    await small.http.get("/learners/ada", headers=TRACEPARENT)
    await small.http.get("/healthz", headers=TRACEPARENT)
    await small.stop()
    lines = [orjson.loads(line) for line in small.logged().splitlines()]
    assert [line["trace_id"] for line in lines if line["event"] == "learner read"] == [TRACE_ID]
    assert all(line["service"] == "small" and line["process"] == "api" for line in lines)
    spans = [span for span in small.spans() if span["trace_id"] == TRACE_ID]
    assert [span["name"] for span in spans] == ["GET /learners/{learner_id}"]
    assert spans[0]["parent_id"] == "00f067aa0ba902b7"
    assert spans[0]["service"] == "cairn-small"


async def test_a_fault_is_answered_with_500_and_logged_with_its_trace(small: SmallService) -> None:
    answer = await small.http.get("/fault/x", headers=TRACEPARENT)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "cannot read" not in answer.text
    await small.stop()
    (line,) = [line for line in map(orjson.loads, small.logged().splitlines()) if line["level"] == "error"]
    assert line["trace_id"] == TRACE_ID
    assert "ValueError" in line["exception"]
    assert "small_service.py" in line["exception"]


def _kinds_of_request(canary: str) -> Iterable[tuple[str, str, dict[str, str], bytes]]:
    for method, path in (("GET", "/learners/{}"), ("POST", "/parsed"), ("GET", "/secret"), ("POST", "/fault/{}")):
        yield method, f"{path.format(canary)}?e-mail={canary}", {}, b""
        yield method, path.format(canary), {"authorization": f"Bearer {canary}"}, canary.encode()
        yield method, path.format(canary), {"cookie": f"cairn_session={canary}"}, b'{"a":"' + canary.encode()
    yield "GET", f"/nowhere/{canary}", {"traceparent": canary, "x-name": canary}, b""


async def test_what_is_personal_or_secret_is_in_no_log_and_no_span(small: SmallService) -> None:
    canary = "canary.4711@learner.example"
    token = small.mint.token("records.read", subject="tester")
    for method, path, headers, body in _kinds_of_request(canary):
        await small.http.request(method, path, headers=headers, content=body)
    await small.http.get("/secret", headers={"authorization": f"Bearer {token}"})
    metrics = (await small.http.get("/metrics")).text
    await small.stop()
    told = small.logged() + small.trace_file.read_text() + metrics
    assert "ValueError" in told, "the faults are logged"
    assert "canary" not in told
    assert token not in told
