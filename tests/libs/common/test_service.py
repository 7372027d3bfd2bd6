"""The frame of every service, as a real process: health, limits, outages, traces, and silence about persons."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
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

    http: httpx.Client
    process: subprocess.Popen[bytes]
    log_file: Path
    trace_file: Path
    mint: TokenMint

    def stop(self) -> None:
        """End the process as an orchestrator does; it must end by itself, with status 0."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0

    def logged(self) -> str:
        return self.log_file.read_text()

    def spans(self) -> list[dict[str, object]]:
        return [orjson.loads(line) for line in self.trace_file.read_bytes().splitlines()]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def running(tmp_path: Path, dsn: str) -> Iterator[SmallService]:
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
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.libs.common.small_service", "api"],
            cwd=ROOT, env=environment, stdout=output, stderr=output,
        )  # fmt: skip
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            service = SmallService(http, process, log_file, tmp_path / "trace.jsonl", mint)
            try:
                _until_alive(service)
                yield service
            finally:
                service.stop()


def _until_alive(service: SmallService) -> None:
    while True:
        assert service.process.poll() is None, service.logged()
        try:
            answer = service.http.get("/healthz")
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            assert answer.json() == {"status": "alive"}
            return


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, postgres_dsn: str) -> Iterator[SmallService]:
    """One process for all tests that leave it running."""
    with running(tmp_path_factory.mktemp("small"), postgres_dsn) as service:
        yield service


@pytest.fixture
def passing(tmp_path: Path, postgres_dsn: str) -> Iterator[SmallService]:
    """A process of one test, which stops it to read all that it told."""
    with running(tmp_path, postgres_dsn) as service:
        yield service


def _chunks(size: int) -> Iterator[bytes]:
    yield b'{"a":"'
    for _ in range(size // 256):
        yield b"x" * 256
    yield b'"}'


def test_health_and_metrics(small: SmallService) -> None:
    ready = small.http.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    small.http.get("/learners/ada")
    small.http.get("/nowhere/ada")
    metrics = (small.http.get("/metrics")).text
    assert 'route="/learners/{learner_id}",service="small",status="200"' in metrics
    assert "ada" not in metrics, "a route's template, never its path"


@pytest.mark.parametrize("path", ["/raw", "/parsed"])
@pytest.mark.parametrize("told", [True, False], ids=["its length told", "in chunks"])
def test_a_body_that_is_too_large_is_refused(small: SmallService, path: str, told: bool) -> None:
    largest = LARGEST_BODY_BYTES
    body: bytes | Iterator[bytes] = b'{"a":"' + b"x" * largest + b'"}' if told else _chunks(largest * 2)
    answer = small.http.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Body too large",
        "status": 413,
        "detail": f"Expected at most {largest} bytes.",
    }
    small_enough = small.http.post(path, content=b'{"a":"x"}', headers={"content-type": "application/json"})
    assert small_enough.status_code == 200


def test_errors_are_problem_documents(small: SmallService) -> None:
    lost = small.http.get("/nowhere")
    assert (lost.status_code, lost.json()["title"]) == (404, "Not Found")
    unable = small.http.delete("/raw")
    assert (unable.status_code, unable.headers["allow"]) == (405, "POST")
    malformed = small.http.post("/parsed", content=b"{", headers={"content-type": "application/json"})
    assert malformed.status_code == 422
    wrong = small.http.post("/parsed", json=[])
    assert wrong.json()["errors"][0]["pointer"] == "/"
    for answer in (lost, unable, malformed, wrong):
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_missing_token_is_asked_for_and_a_missing_scope_is_named(small: SmallService) -> None:
    nobody = small.http.get("/secret")
    assert nobody.status_code == 401
    assert nobody.headers["www-authenticate"] == 'Bearer realm="cairn", scope="records.read"'
    other = small.http.get("/secret", headers=small.mint.headers("catalogue.write"))
    assert other.status_code == 403
    assert "records.read" in other.json()["detail"]
    right = small.http.get("/secret", headers=small.mint.headers("records.read", "catalogue.write"))
    assert right.json() == {"subject": "tester"}


def test_a_database_that_is_away_is_waited_for(tmp_path: Path) -> None:
    with running(tmp_path, f"postgresql://cairn@127.0.0.1:{_free_port()}/cairn") as service:
        for path in ("/learners/ada", "/readyz"):
            answer = service.http.get(path)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
        assert (service.http.get("/healthz")).status_code == 200
        assert (service.http.get("/metrics")).status_code == 200


def test_a_trace_runs_from_the_caller_into_logs_and_spans(passing: SmallService) -> None:
    passing.http.get("/learners/ada", headers=TRACEPARENT)
    passing.http.get("/healthz", headers=TRACEPARENT)
    passing.stop()
    lines = [orjson.loads(line) for line in passing.logged().splitlines()]
    assert [line["trace_id"] for line in lines if line["event"] == "learner read"] == [TRACE_ID]
    assert all(line["service"] == "small" and line["process"] == "api" for line in lines)
    spans = [span for span in passing.spans() if span["trace_id"] == TRACE_ID]
    assert [span["name"] for span in spans] == ["GET /learners/{learner_id}"]
    assert spans[0]["parent_id"] == "00f067aa0ba902b7"
    assert spans[0]["service"] == "cairn-small"


def test_a_fault_is_answered_with_500_and_logged_with_its_trace(passing: SmallService) -> None:
    answer = passing.http.get("/fault/x", headers=TRACEPARENT)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "cannot read" not in answer.text
    passing.stop()
    (line,) = [line for line in map(orjson.loads, passing.logged().splitlines()) if line["level"] == "error"]
    assert line["trace_id"] == TRACE_ID
    assert "ValueError" in line["exception"]
    assert "small_service.py" in line["exception"]


def _kinds_of_request(canary: str) -> Iterable[tuple[str, str, dict[str, str], bytes]]:
    for method, path in (("GET", "/learners/{}"), ("POST", "/parsed"), ("GET", "/secret"), ("POST", "/fault/{}")):
        yield method, f"{path.format(canary)}?e-mail={canary}", {}, b""
        yield method, path.format(canary), {"authorization": f"Bearer {canary}"}, canary.encode()
        yield method, path.format(canary), {"cookie": f"cairn_session={canary}"}, b'{"a":"' + canary.encode()
    yield "GET", f"/nowhere/{canary}", {"traceparent": canary, "x-name": canary}, b""


def test_what_is_personal_or_secret_is_in_no_log_and_no_span(passing: SmallService) -> None:
    canary = "canary.4711@learner.example"
    token = passing.mint.token("records.read", subject="tester")
    for method, path, headers, body in _kinds_of_request(canary):
        passing.http.request(method, path, headers=headers, content=body)
    passing.http.get("/secret", headers={"authorization": f"Bearer {token}"})
    metrics = (passing.http.get("/metrics")).text
    passing.stop()
    told = passing.logged() + passing.trace_file.read_text() + metrics
    assert "ValueError" in told, "the faults are logged"
    assert "canary" not in told
    assert token not in told
