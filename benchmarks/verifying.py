"""How fast our own badges are verified, beside bare Ed25519, the general library and Node (issue 5, "Speed").

    python -m benchmarks verifying [--quick]

On one core, the same signed badges, signature and all of the document's claims:

* bare Ed25519: the check of a signature over 64 bytes, which no verification can do without;
* our own badges: what POST /verifications/bulk does for each, with the compiled canonical form;
* library: PyLD to RDF and pyoxigraph, as a badge of anybody is checked;
* PyLD alone (URDNA2015);
* Node: `@digitalbazaar/vc`.

Rows take turns in rounds. Then the whole door of a running system: ids of its own badges, a thousand a request, sent
to POST /verifications/bulk by one caller, one request after the other.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchmarks import bulk
from benchmarks.node import Node, NodeMissing
from benchmarks.signing import ISSUER, PYLD, SIGNER, TERMS, Row, claim, measure, normalized
from deploy.doors import Doors
from deploy.local.identity import SCOPES
from deploy.local.system import Shape, System, free_ports, running_system
from libs.common.credentials.contexts import context
from libs.common.credentials.documents import CONTEXTS
from libs.common.credentials.issue import Template
from libs.common.credentials.keys import multikey
from libs.common.credentials.proof import verify_proof
from libs.common.credentials.shape import Shapes

LINES_A_REQUEST = 1_000
OWN = "our own badges, compiled form"


def run(*, quick: bool) -> None:
    """Measure and print. Raises `RuntimeError` if a badge does not hold."""
    rows = _measure_libraries(0.5 if quick else 4.0)
    door = asyncio.run(_measure_door(1_000 if quick else 10_000, 1 if quick else 3))
    print(report(rows, door))


def _measure_libraries(seconds: float) -> list[Row]:
    template, shapes = Template(ISSUER, TERMS), Shapes()
    badges = [template.issue(claim(number), SIGNER).credential for number in range(500)]
    key, signature = Ed25519PublicKey.from_public_bytes(SIGNER.public_key), SIGNER.sign(badges[0][:64])

    def compiled(badge: bytes) -> None:
        _require(verify_proof(badge, lambda _: SIGNER.public_key, shapes=shapes).ok)

    def library(badge: bytes) -> None:
        _require(verify_proof(badge, lambda _: SIGNER.public_key).ok)

    def pyld(badge: bytes) -> None:
        document = orjson.loads(badge)
        [proof] = document.pop("proof")
        proof.pop("proofValue")
        normalized({**proof, "@context": document["@context"]})
        normalized(document)
        key.verify(signature, badges[0][:64])

    ways = {
        "bare Ed25519 of 64 bytes": _over(badges, lambda _: key.verify(signature, badges[0][:64])),
        OWN: _over(badges, compiled),
        "library: PyLD to RDF, pyoxigraph": _over(badges, library),
        PYLD: _over(badges, pyld),
    }
    node = _start_node(badges)
    if node is not None:
        ways[f"Node: @digitalbazaar/vc {node.version}"] = node.work_for
    rows = measure(ways, seconds)
    if node is not None:
        node.close()
    return rows


def _require(holds: bool) -> None:
    if not holds:
        raise RuntimeError("expected a badge that holds")


def _over(badges: list[bytes], verify_one: Callable[[bytes], object]) -> Callable[[float], tuple[int, float]]:
    """A way to verify in this process."""
    turns = cycle(badges)

    def way(seconds: float) -> tuple[int, float]:
        done, started = 0, time.perf_counter()
        while time.perf_counter() - started < seconds:
            for _ in range(10):
                verify_one(next(turns))
            done += 10
        return done, time.perf_counter() - started

    return way


def _start_node(badges: list[bytes]) -> Node | None:
    """Node with the badges to verify; None, said plainly, where it is not at hand or finds that one does not hold."""
    given = {
        "controller": {"id": ISSUER.id, "publicKeyMultibase": multikey(SIGNER.public_key)},
        "contexts": {url: context(url) for url in CONTEXTS},
        "documents": [json.loads(badge) for badge in badges],
    }
    try:
        node = Node("verify.mjs", given)
    except NodeMissing as reason:
        print(f"   no row for Node: {reason}")
        return None
    if not node.first["verified"]:
        print(f"   no row for Node: expected it to find that a badge holds, found {node.first.get('error')}")
        node.close()
        return None
    return node


async def _measure_door(badges: int, rounds: int) -> float:
    """Own badges verified a second through POST /verifications/bulk."""
    with tempfile.TemporaryDirectory(prefix="cairn-bench-") as directory:
        async with (
            running_system(Path(directory), Shape(ports=free_ports())) as system,
            Doors(system.access(SCOPES)) as doors,
        ):
            await bulk.prepare(doors, badges)
            await bulk.run_job(system, doors, bulk.Figures(badges, killed_at=float("inf")))
            ids = await _ids(system)
            done, started = 0, time.perf_counter()
            for _ in range(rounds):
                for first in range(0, len(ids), LINES_A_REQUEST):
                    done += await _verified(system, ids[first : first + LINES_A_REQUEST])
            return done / (time.perf_counter() - started)


async def _ids(system: System) -> list[str]:
    connection = await asyncpg.connect(system.dsn("verification"))
    try:
        return [str(row["badge_id"]) for row in await connection.fetch("select badge_id from badge")]
    finally:
        await connection.close()


async def _verified(system: System, ids: list[str]) -> int:
    url = f"{system.urls['verification']}/verifications/bulk"
    headers = {
        "Authorization": f"Bearer {system.access([*SCOPES, 'badges.verify']).token}",
        "Content-Type": "text/plain",
    }
    async with httpx.AsyncClient(trust_env=False, timeout=120) as client:
        answer = await client.post(url, content="\n".join(ids), headers=headers)
    answer.raise_for_status()
    told: list[dict[str, Any]] = [orjson.loads(line) for line in answer.content.splitlines()]
    if len(told) != len(ids) or any(line.get("answer") != "genuine" for line in told):
        raise RuntimeError(f"expected {len(ids)} genuine badges, found {told[:1]}")
    return len(told)


def report(rows: list[Row], door: float) -> str:
    """The figures as lines for people."""
    floor = rows[0].rate
    node = next((row.rate for row in rows if row.name.startswith("Node")), None)
    lines = [f"   {'':46}{'badges/s':>10}{'of bare Ed25519':>18}{'times Node':>12}"]
    for row in [*rows, Row("POST /verifications/bulk, one caller", door)]:
        times = "–" if node is None else f"{row.rate / node:.1f}"
        lines.append(f"   {row.name:46}{row.rate:10,.0f}{row.rate / floor:17.1%} {times:>12}")
    return "\n".join(lines)
