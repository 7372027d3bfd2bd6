"""Credentials that others made to be right or wrong on purpose: each wrong one is refused for its own reason.

The list of them is the published one, so that none is left out by oversight. Whole badges, with what has to be
fetched for them, are judged in tests/services/verification; here it is what needs no fetching but a key.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from libs.common.credentials import status_list
from libs.common.credentials.baking import NotBakeable, bake_svg
from libs.common.credentials.jwt import JwtSigner, vc_jwt
from libs.common.credentials.proof import verify_proof
from tests.libs.common.credentials.samples import PUBLISHED, published, published_json
from tests.libs.common.credentials.test_documents import validator
from tests.libs.common.credentials.test_proof import key_on_the_web

FOLDER = "fixtures/ob3/"
LIST = PUBLISHED / FOLDER / "expected.json"
ENTRIES: list[dict[str, Any]] = json.loads(LIST.read_text()) if LIST.exists() else []
# The reason that each wrong credential in JSON is refused for: a fault of the proof, or what the proof cannot tell.
REASONS = {
    "bad-tampered-name": "signature",
    "bad-no-proof": "no-proof",
    "bad-undefined-term": "undefined-term",
    "bad-issuer-mismatch": "key-of-another",
    "bad-expired": "expired",
    "bad-future": "not-yet",
    "bad-revoked": "revoked",
    "bad-1edtech-revoked": "revoked",
    "bad-rule-no-achievement": "schema: 'achievement' is a required property",
    "bad-rule-no-validfrom": "schema: 'validFrom' is a required property",
}
OTHER_SUITES = {"ok-didkey-jcs", "ok-p256-rdfc"}
NOW = datetime(2026, 11, 22, tzinfo=UTC)

pytestmark = pytest.mark.skipif(not ENTRIES, reason=f"published material is not at hand: {LIST}")


def names(verified: bool) -> list[str]:
    """The listed credentials in JSON that are, or are not, to be accepted."""
    files = [entry["file"] for entry in ENTRIES if entry["verified"] is verified]
    return [file.removeprefix("creds/").removesuffix(".json") for file in files if file.endswith(".json")]


def why_not(content: bytes) -> str | None:
    """Why a credential in JSON is to be refused; None if nothing speaks against it."""
    proof = verify_proof(content, key_on_the_web)
    if not proof.ok:
        return proof.fault
    document = json.loads(content)
    kind = "endorsementcredential" if "EndorsementCredential" in document["type"] else "achievementcredential"
    errors = [error.message for error in validator("json-ld", kind).iter_errors(document)]
    if errors:
        return f"schema: {errors[0]}"
    if datetime.fromisoformat(document["validFrom"]) > NOW:
        return "not-yet"
    if "validUntil" in document and datetime.fromisoformat(document["validUntil"]) < NOW:
        return "expired"
    return "revoked" if revoked(document) else None


def revoked(document: Any) -> bool:
    """What the list says that the credential points to."""
    status = document.get("credentialStatus")
    if status is None:
        return False
    place = (status.get("statusListCredential") or status["id"]).removeprefix("https://").partition("#")[0] + ".json"
    listed = published_json(FOLDER + "web/" + place)
    if status["type"] == "1EdTechRevocationList":
        return document["id"] in [entry["id"] for entry in listed["revokedCredential"] if entry["revoked"]]
    assert verify_proof(published(FOLDER + "web/" + place).read_bytes(), key_on_the_web).ok
    bits = status_list.decode(listed["credentialSubject"]["encodedList"])
    return status_list.is_set(bits, int(status["statusListIndex"]))


def test_no_wrong_credential_is_left_out() -> None:
    assert set(names(verified=False)) == REASONS.keys()


@pytest.mark.parametrize("name", names(verified=False))
def test_each_wrong_credential_is_refused_for_its_own_reason(name: str) -> None:
    assert why_not(published(f"{FOLDER}creds/{name}.json").read_bytes()) == REASONS[name]


@pytest.mark.parametrize("name", names(verified=True))
def test_each_right_credential_is_accepted(name: str) -> None:
    found = why_not(published(f"{FOLDER}creds/{name}.json").read_bytes())
    assert found == ("cryptosuite" if name in OTHER_SUITES else None)


@pytest.mark.parametrize(("name", "fault"), [("unsigned", "no-proof"), ("tampered", "signature")])
def test_a_list_that_nobody_signed_says_nothing(name: str, fault: str) -> None:
    content = published(f"{FOLDER}web/badges.example/status/{name}.json").read_bytes()
    assert verify_proof(content, key_on_the_web).fault == fault


def test_a_list_of_a_stranger_is_told_by_its_issuer() -> None:
    listed = published_json(f"{FOLDER}web/badges.example/status/evil.json")
    assert verify_proof(json.dumps(listed).encode(), key_on_the_web).ok
    assert listed["issuer"] != published_json(f"{FOLDER}web/badges.example/status/rev.json")["issuer"]


def test_a_list_that_is_too_short_is_refused() -> None:
    short = published_json(FOLDER + "web/badges.example/status/short.json")["credentialSubject"]["encodedList"]
    with pytest.raises(status_list.NotAStatusList, match="131072 entries or more"):
        status_list.decode(short)


def test_a_picture_that_has_a_credential_takes_no_second_one() -> None:
    with pytest.raises(NotBakeable, match="without a credential"):
        bake_svg(published(f"{FOLDER}creds/ok-baked.svg").read_bytes(), b"{}")


@pytest.mark.parametrize("name", ["ok-jwt-rs256-kid-https", "ok-jwt-es256-kid-did"])
def test_our_tokens_have_the_form_of_accepted_ones(name: str) -> None:
    header, payload, _ = published(f"{FOLDER}creds/{name}.jwt").read_text().strip().split(".")
    theirs, claims = decoded(header), decoded(payload)
    document = {member: value for member, value in claims.items() if member not in ("iss", "jti", "nbf", "sub", "exp")}
    signer = JwtSigner(generate_private_key(65537, 2048), theirs["kid"])
    ours = vc_jwt(document, claims["nbf"], claims.get("exp"), signer).split(".")
    assert decoded(ours[1]) == claims
    assert {**decoded(ours[0]), "alg": theirs["alg"]} == {"typ": "JWT", **theirs}


def decoded(part: str) -> Any:
    """One part of a token."""
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
