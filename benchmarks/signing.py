"""How fast badges are signed: the compiled shape against bare Ed25519 and against the general library, in one run.

    python -m benchmarks signing [--quick]
    python -m benchmarks.signing [--seconds 4] [--json]

Each row signs the same badges (an Open Badges 3.0 credential with hashed e-mail, one piece of evidence, one result
and a status entry, `eddsa-rdfc-2022`) on one core:

* bare Ed25519: a signature over the same number of bytes that the finished credential has: the floor, no proof;
* bare Ed25519 of the 64 bytes that a proof signs: what no implementation can do without;
* compiled shape: what the services do, with the Open Badges 2.0 twin; and the credential only;
* library: the reference path, PyLD to RDF and pyoxigraph RDFC-1.0, for each badge;
* PyLD: PyLD alone (URDNA2015), for each badge;
* Node: `@digitalbazaar/vc` with its `eddsa-rdfc-2022`, installed by `npm ci` in `benchmarks/node` at the first run.

Rows take turns in rounds, so that whatever else the machine does falls on all of them alike.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import cycle
from time import perf_counter
from typing import Any
from uuid import UUID

import orjson
from pyld import jsonld

from benchmarks.node import Node, NodeMissing
from libs.common.credentials import base58
from libs.common.credentials.addresses import Addresses
from libs.common.credentials.canonical import canonical_nquads
from libs.common.credentials.contexts import context
from libs.common.credentials.documents import CONTEXTS, assemble, fixed_parts, instant, open_badge_3
from libs.common.credentials.identifiers import badge_id, hashed_email, recipient_salt, subject_id
from libs.common.credentials.issue import Template
from libs.common.credentials.keys import LocalSigner
from libs.common.credentials.model import (
    AchievementTerms,
    Alignment,
    Claim,
    Evidence,
    IssuerProfile,
    Result,
    StatusEntry,
)
from libs.common.credentials.proof import sign, verify_proof
from libs.common.credentials.shape import Shapes

AT = Addresses("https://badges.example")
ISSUER = IssuerProfile(
    AT.issuer_did("ou"), "Open University", "https://ou.example/", AT.issuer_open_badge_2("ou"), "badges@ou.example"
)
TERMS = AchievementTerms(
    id=AT.achievement("aaa", "1"),
    name="Module AAA",
    description="Passed every assessment of one presentation of the module.",
    type="MicroCredential",
    criteria_narrative="A score of 40 or more in each assessment.",
    criteria_url=AT.achievement("aaa", "1"),
    image=AT.achievement_image("aaa", "1"),
    badge_class_url=AT.badge_class("aaa", "1"),
    version="1",
    tags=("open learning",),
    alignments=(Alignment("Critical thinking", "https://case.example/items/1", framework="Skills"),),
)
SEED = bytes(range(32))
SIGNER = LocalSigner(SEED, ISSUER.id)
ROUNDS = 5
PYLD = "PyLD alone"


@dataclass(frozen=True)
class Row:
    """One way to sign, and what it reached: badges a second."""

    name: str
    rate: float


def claim(number: int) -> Claim:
    """The claim of learner `number`."""
    badge = badge_id(UUID(int=7), f"learner-{number}", "aaa", "1", 0)
    salt = recipient_salt(b"pepper of a benchmark", badge)
    return Claim(
        badge_url=AT.badge(badge),
        assertion_url=AT.assertion(badge),
        subject_id=subject_id(b"pepper of a benchmark", f"learner-{number}", ISSUER.id),
        recipient=hashed_email(f"learner-{number}@learners.example", salt),
        valid_from=datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=number),
        evidence=(Evidence(f"https://portfolio.example/{number}", name="Portfolio"),),
        results=(Result(value=str(40 + number % 61), status="Completed"),),
        status=(StatusEntry(AT.status_list("ou-revocation-1"), number),),
    )


def sign_with_library(given: Claim) -> bytes:
    """The badge by the reference path."""
    return finish(open_badge_3(ISSUER, TERMS, given), given, canonical_nquads)


def sign_with_pyld(given: Claim) -> bytes:
    """The badge by PyLD alone."""
    return finish(open_badge_3(ISSUER, TERMS, given), given, normalized)


def normalized(document: dict[str, Any]) -> str:
    """PyLD's canonical form."""
    return jsonld.normalize(
        document, {"algorithm": "URDNA2015", "format": "application/n-quads", "documentLoader": load}
    )


def load(url: str, options: Any) -> dict[str, Any]:
    """The pinned contexts, as PyLD wants them."""
    del options
    return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": context(url)}


def finish(document: dict[str, Any], given: Claim, canonical: Callable[[dict[str, Any]], str]) -> bytes:
    """The signed credential, both canonical forms made by `canonical`."""
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": instant(given.valid_from),
        "verificationMethod": SIGNER.verification_method,
        "proofPurpose": "assertionMethod",
    }
    options = canonical({**proof, "@context": document["@context"]})
    hashed = sha256(options.encode()).digest() + sha256(canonical(document).encode()).digest()
    proof["proofValue"] = "z" + base58.encode(SIGNER.sign(hashed))
    return orjson.dumps({**document, "proof": [proof]})


def measure(ways: dict[str, Callable[[float], tuple[int, float]]], seconds: float) -> list[Row]:
    """Badges a second of each way, over `seconds` each, in turns.

    A way is a function from seconds to spend to the badges signed and the seconds that it took.
    """
    done = dict.fromkeys(ways, 0)
    spent = dict.fromkeys(ways, 0.0)
    for _ in range(ROUNDS):
        for name, way in ways.items():
            signed, took = way(seconds / ROUNDS)
            done[name] += signed
            spent[name] += took
    return [Row(name, done[name] / spent[name]) for name in ways]


def here(sign_one: Callable[[Claim], Any]) -> Callable[[float], tuple[int, float]]:
    """A way to sign in this process."""
    claims = cycle([claim(number) for number in range(5_000)])

    def way(seconds: float) -> tuple[int, float]:
        done, started = 0, perf_counter()
        while perf_counter() - started < seconds:
            for _ in range(10):
                sign_one(next(claims))
            done += 10
        return done, perf_counter() - started

    return way


def start_node() -> Node | None:
    """Node with the badges to sign, or None, said plainly, where it is not at hand or signs another badge."""
    documents = [open_badge_3(ISSUER, TERMS, claim(number)) for number in range(500)]
    try:
        contexts = {url: context(url) for url in CONTEXTS}
        given = {"seed": SEED.hex(), "controller": ISSUER.id, "contexts": contexts, "documents": documents}
        node = Node("sign.mjs", given)
    except NodeMissing as reason:
        print(f"No row for Node: {reason}\n", file=sys.stderr)
        return None
    ours = json.loads(sign_with_library(claim(0)))["proof"][0]["proofValue"]
    if node.first["proof"]["proofValue"] != ours:
        print("No row for Node: expected the same signature from it, found another\n", file=sys.stderr)
        node.close()
        return None
    return node


def run(*, quick: bool) -> None:
    """Measure and print. Raises `RuntimeError` if the ways do not agree."""
    if main(["--seconds", "0.5"] if quick else []):
        raise RuntimeError("the ways to sign do not agree")


def main(words: Sequence[str] = ()) -> int:
    """Check that all ways make the same badge, measure them, print them side by side.

    `words` are the arguments of the command line. Returns 1 if the ways do not agree.
    """
    parser = argparse.ArgumentParser(description="How fast badges are signed, on one core.")
    parser.add_argument("--seconds", type=float, default=4.0, help="seconds for each row")
    parser.add_argument("--json", action="store_true", help="print JSON to standard output")
    arguments = parser.parse_args(words)

    template = Template(ISSUER, TERMS)
    fixed = fixed_parts(ISSUER, TERMS)
    shapes = Shapes(*fixed.values())
    sample = claim(1)
    issued = template.issue(sample, SIGNER)
    same = {issued.credential, sign_with_library(sample), sign_with_pyld(sample)}
    if len(same) != 1 or not issued.compiled or not verify_proof(issued.credential, lambda _: SIGNER.public_key).ok:
        print("expected one and the same verifiable badge from all ways", file=sys.stderr)
        return 1

    def credential_only(given: Claim) -> bytes:
        document = assemble(fixed, TERMS.name, given)
        return orjson.dumps(sign(document, SIGNER, given.valid_from, shapes).document)

    ways = {
        "bare Ed25519 of the same bytes": here(lambda _: SIGNER.sign(issued.credential)),
        "bare Ed25519 of 64 bytes": here(lambda _: SIGNER.sign(issued.credential[:64])),
        "compiled shape, with the Open Badges 2.0 twin": here(lambda given: template.issue(given, SIGNER)),
        "compiled shape, credential only": here(credential_only),
        "library: PyLD to RDF, pyoxigraph": here(sign_with_library),
        PYLD: here(sign_with_pyld),
    }
    node = start_node()
    if node is not None:
        ways[f"Node: @digitalbazaar/vc {node.version}"] = node.work_for
    rows = measure(ways, arguments.seconds)
    if node is not None:
        node.close()
    report(rows, len(issued.credential), as_json=arguments.json)
    return 0


def report(rows: Sequence[Row], size: int, *, as_json: bool) -> None:
    """Print the rows side by side, or as JSON; `size` is that of a credential in bytes."""
    if as_json:
        print(json.dumps({row.name: round(row.rate, 1) for row in rows}))
        return
    floor, pyld = rows[0].rate, next(row.rate for row in rows if row.name == PYLD)
    print(f"Signing a credential of {size:,} bytes, one core\n")
    print(f"{'':50}{'badges/s':>10}{'of bare Ed25519':>18}{'times PyLD':>13}")
    for row in rows:
        print(f"{row.name:50}{row.rate:10,.0f}{row.rate / floor:17.1%} {row.rate / pyld:12,.1f}")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
