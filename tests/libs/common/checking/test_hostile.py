"""What attackers bring is refused, each for its own reason (SR-8 to SR-13)."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key

from libs.common.credentials.baking import bake_png, bake_svg
from libs.common.credentials.contexts import CREDENTIALS_V2, OPEN_BADGES_3
from libs.common.credentials.jwt import JwtSigner, compact_jws
from libs.common.credentials.keys import LocalSigner, PublishedKey, did_document
from libs.common.credentials.status_list import NotAStatusList, decode
from tests.libs.common.checking.test_own import CREDENTIAL, DID
from tests.libs.common.checking.world import AFTER_HEADER, PICTURE, PNG, World, chunk, reasons
from tests.services.verification.support import ADDRESSES, KEY

SIGNER = JwtSigner(derive_private_key(777, SECP256R1()), "https://evil.example/keys/1")


@pytest.fixture
def web(world: World) -> World:
    """The web with our issuer's keys."""
    world.put(
        f"{ADDRESSES.issuer('prairie')}/did.json", did_document(DID, [PublishedKey(LocalSigner(KEY, DID).public_key)])
    )
    return world


def changed(**members: Any) -> bytes:
    return json.dumps({**json.loads(CREDENTIAL), **members}).encode()


def token(header: dict[str, Any]) -> bytes:
    document = json.loads(CREDENTIAL)
    del document["proof"]
    return compact_jws({"alg": "ES256", **header}, {**document, "iss": DID}, SIGNER).encode()


def poison() -> list[dict[str, Any]]:
    """Eight nodes without names, each related to all others: nobody can tell them apart in reasonable time."""
    names = [f"_:b{number}" for number in range(8)]
    return [
        {
            "id": name,
            "type": "Profile",
            "parentOrg": [{"id": other, "type": "Profile"} for other in names if other != name],
        }
        for name in names
    ]


def nested(depth: int) -> bytes:
    return b'{"@context":' + b"[" * depth + b"]" * depth + b',"type":"VerifiableCredential"}'


BOMB = (
    PNG[:AFTER_HEADER]
    + chunk(b"iTXt", b"openbadgecredential\0\1\0\0\0" + zlib.compress(b" " * 64 * 1024 * 1024))
    + PNG[AFTER_HEADER:]
)
TWICE = PNG[:AFTER_HEADER] + 2 * chunk(b"iTXt", b"openbadgecredential\0\0\0\0\0" + CREDENTIAL) + PNG[AFTER_HEADER:]
ENTITIES = (
    b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<svg xmlns="http://www.w3.org/2000/svg"><text>&b;</text></svg>'
)
UNSIGNED_JWK = {"jwk": SIGNER.public_jwk()}


@pytest.mark.parametrize(
    ("content", "check", "reason"),
    [
        pytest.param(nested(30), "well-formed", "too-deep", id="deep"),
        pytest.param(nested(100_000), "well-formed", "malformed", id="deeper"),
        pytest.param(b'{"type":"x","type":"VerifiableCredential"}', "well-formed", "malformed", id="key twice"),
        pytest.param(b'{"type":"VerifiableCredential","n":NaN}', "well-formed", "malformed", id="NaN"),
        pytest.param(b'{"type":"VerifiableCredential","n":1e999}', "well-formed", "number", id="infinite"),
        pytest.param(b'{"type":"VerifiableCredential","n":9007199254740993}', "well-formed", "number", id="2^53+1"),
        pytest.param(b'{"type":"VerifiableCredential","n":"\\ud800"}', "well-formed", "malformed", id="surrogate"),
        pytest.param(b'{"a":"' + b"x" * 300_000 + b'"}', "well-formed", "too-large", id="large"),
        pytest.param(b'{"a":[' + b"1," * 3_000 + b"1]}", "well-formed", "too-many-nodes", id="many"),
        pytest.param(BOMB, "well-formed", "bomb", id="bomb"),
        pytest.param(TWICE, "well-formed", "two-badges", id="two chunks"),
        pytest.param(ENTITIES, "well-formed", "entities", id="entities"),
        pytest.param(changed(grade="A+"), "schema", "undefined-term", id="undefined term"),
        pytest.param(changed(**{"@context": [CREDENTIALS_V2, OPEN_BADGES_3, {"name": "https://e.example/x"}]}),
                     "schema", "inline-context", id="redefined term"),
        pytest.param(changed(**{"@context": [CREDENTIALS_V2, OPEN_BADGES_3, "https://evil.example/context"]}),
                     "schema", "unknown-context", id="unknown context"),
        pytest.param(changed(evidence={"@context": None, "id": "https://e.example/x", "type": "Evidence"}),
                     "schema", "inline-context", id="context removed"),
        pytest.param(changed(**{"@graph": []}), "schema", "keyword", id="graph"),
        pytest.param(changed(proof=[]), "proof", "no-proof", id="no proof"),
        pytest.param(token({"alg": "none"}), "proof", "alg-none", id="alg none"),
        pytest.param(token({"alg": "nOnE"}), "proof", "alg-none", id="alg nOnE"),
        pytest.param(token({"alg": "HS256"}), "proof", "alg", id="alg HS256"),
        pytest.param(token({"kid": f"{DID}#x", "crit": ["b64"]}), "proof", "header", id="crit"),
        pytest.param(token({"jku": "https://evil.example/jwks"}), "proof", "header", id="jku"),
        pytest.param(token(UNSIGNED_JWK), "key", "jwk-alone", id="embedded jwk"),
        pytest.param(token({"kid": SIGNER.key_url}), "key", "key-of-another", id="kid elsewhere"),
    ],
)  # fmt: skip
async def test_is_refused_for_its_own_reason(web: World, content: bytes, check: str, reason: str) -> None:
    web.put(SIGNER.key_url, SIGNER.public_jwk())
    judgement = await web.judge(content)
    assert judgement.answer in ("not-genuine", "cannot-tell")
    assert reasons(judgement)[check][1] == reason, reasons(judgement)


async def test_a_poison_graph_is_given_up(web: World) -> None:
    document = json.loads(CREDENTIAL)
    document["issuer"]["parentOrg"] = poison()
    judgement = await web.judge(json.dumps(document).encode())
    assert judgement.answer == "cannot-tell"  # never genuine, and nobody can say forged
    # Known for what it is beforehand, or killed while it is worked on.
    assert reasons(judgement)["proof"][1] in ("too-many-alike", "too-costly")


async def test_a_token_is_checked_by_the_kind_of_its_key(web: World) -> None:
    """Its header cannot choose: an Ed25519 key checks no ES256, whatever the token says."""
    method = f"{DID}#{json.loads(CREDENTIAL)['proof'][0]['verificationMethod'].partition('#')[2]}"
    assert reasons(await web.judge(token({"kid": method})))["proof"] == ("fail", "alg-of-key")


async def test_a_status_list_that_unpacks_to_much_is_not_unpacked(web: World) -> None:
    bomb = "u" + base64.urlsafe_b64encode(zlib.compress(bytes(64 * 1024 * 1024), 9, 31)).decode().rstrip("=")
    assert len(bomb) < 100_000
    with pytest.raises(NotAStatusList, match="at most"):
        decode(bomb)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"hello",
        PNG,
        PICTURE,
        b"<html><body>no badge</body></html>",
        b"%PDF-1.4\nnothing",
        b"{}",
        b"\xff\xfe",
    ],
    ids=["empty", "spaces", "text", "png", "svg", "html", "pdf", "object", "bytes"],
)
async def test_what_holds_no_badge_is_said_so(world: World, content: bytes) -> None:
    assert (await world.judge(content)).answer == "nothing-found"


@pytest.mark.parametrize("content", [PNG[:40], bake_png(PNG, CREDENTIAL)[:200], bake_svg(PICTURE, CREDENTIAL)[:200]])
async def test_half_a_picture_is_no_badge(world: World, content: bytes) -> None:
    assert (await world.judge(content)).answer in ("nothing-found", "not-genuine")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://127.0.0.1/badge", "private-address"),
        ("https://169.254.169.254/latest/meta-data", "private-address"),
        ("https://[::1]/badge", "private-address"),
        ("https://[::ffff:10.0.0.1]/badge", "private-address"),
        ("https://100.64.0.1/badge", "private-address"),
        ("https://localhost/badge", "private-address"),
        ("http://badges.example/badge", "not-https"),
        ("https://user:secret@badges.example/badge", "not-a-url"),
        ("https://badges.example:22/badge", "port"),
    ],
)
async def test_addresses_within_are_not_fetched(world: World, url: str, reason: str) -> None:
    judgement = await world.judge(url.encode())
    assert judgement.answer == "cannot-tell"
    assert reason in judgement.findings[0].more
